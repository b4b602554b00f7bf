//! PLAIN (RFC 4616).

/// The message of the PLAIN mechanism (RFC 4616 §2).
#[derive(Clone, PartialEq, Eq)]
pub struct Plain {
    /// Whom to act as; empty for oneself.
    pub authzid: String,
    /// Who is logging in.
    pub authcid: String,
    /// The password.
    pub password: String,
}

impl std::fmt::Debug for Plain {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Plain").field("authcid", &self.authcid).finish_non_exhaustive()
    }
}

impl Plain {
    /// Reads a decoded message; `None` where it is not one.
    ///
    /// ```abnf
    /// message = [authzid] UTF8NUL authcid UTF8NUL passwd
    /// ```
    pub fn parse(message: &[u8]) -> Option<Self> {
        let mut parts = std::str::from_utf8(message).ok()?.split('\0').map(str::to_owned);
        let (authzid, authcid, password) = (parts.next()?, parts.next()?, parts.next()?);
        let fits = parts.next().is_none() && !authcid.is_empty() && !password.is_empty();
        fits.then_some(Self { authzid, authcid, password })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_has_three_parts() {
        // RFC 4616 §4
        let plain = Plain::parse(b"Ursel\0Kurt\0xipj3plmq").unwrap();
        assert_eq!((plain.authzid.as_str(), plain.authcid.as_str()), ("Ursel", "Kurt"));
        assert!(!format!("{plain:?}").contains("xipj"));
        assert_eq!(Plain::parse(b"\0tim\0tanstaaftanstaaf").unwrap().authzid, "");
        for bad in ["", "a", "a\0b", "\0\0c", "\0b\0", "\0b\0c\0", "a\0b\0c\0d"] {
            assert_eq!(Plain::parse(bad.as_bytes()), None, "{bad:?}");
        }
        assert_eq!(Plain::parse(b"\0\xff\0x"), None);
    }
}
