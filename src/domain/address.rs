//! Email addresses: `local@domain` as this server compares and stores them.

/// An address in its canonical form.
///
/// Lower case throughout (this server compares local parts without regard to
/// case), the domain as ASCII or UTF-8 labels, at most 254 octets with a local
/// part of at most 64 (RFC 5321 §4.5.3.1). Only the dot-string form is an
/// address here: quoted local parts, address literals, source routes, the
/// percent hack and bang paths are refused (RFC 5321 §7.1; they are how relays
/// are abused).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Address {
    text: String,
    at: usize,
}

/// Why a text is no address.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum AddressError {
    /// No `@`, or nothing on one side of it.
    #[error("not of the form local@domain")]
    Form,
    /// A local part that is not a dot-string, or one over 64 octets.
    #[error("the part before the @ is not a plain dot-string of at most 64 octets")]
    Local,
    /// A domain that is no host name.
    #[error("the part after the @ is not a domain name")]
    Domain,
    /// More than 254 octets.
    #[error("longer than 254 octets")]
    Length,
}

impl Address {
    /// Reads `local@domain` and brings it to the canonical form.
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        let (local, domain) = text.rsplit_once('@').ok_or(AddressError::Form)?;
        if local.is_empty() || domain.is_empty() {
            return Err(AddressError::Form);
        }
        if text.len() > 254 {
            return Err(AddressError::Length);
        }
        if local.len() > 64 || !is_dot_string(local) {
            return Err(AddressError::Local);
        }
        if !is_domain(domain) {
            return Err(AddressError::Domain);
        }
        let text = text.to_lowercase();
        let at = text.rfind('@').ok_or(AddressError::Form)?;
        Ok(Self { text, at })
    }

    /// The whole address.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The part before the `@`.
    pub fn local(&self) -> &str {
        self.text.get(..self.at).unwrap_or_default()
    }

    /// The part after the `@`.
    pub fn domain(&self) -> &str {
        self.text.get(self.at + 1..).unwrap_or_default()
    }

    /// Whether every character is ASCII; if not, SMTPUTF8 is needed (RFC 6531).
    pub fn is_ascii(&self) -> bool {
        self.text.is_ascii()
    }

    /// The address without its `+detail` (RFC 5233), if it has one.
    pub fn without_detail(&self) -> Option<Address> {
        let (user, _) = self.local().split_once('+')?;
        if user.is_empty() {
            return None;
        }
        Some(Self { text: format!("{user}@{}", self.domain()), at: user.len() })
    }
}

impl std::fmt::Display for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::str::FromStr for Address {
    type Err = AddressError;
    fn from_str(s: &str) -> Result<Self, Self::Err> {
        Self::parse(s)
    }
}

/// RFC 5321 §4.1.2 Dot-string with RFC 6531's UTF-8 atoms, less the `%` and
/// `!` that once meant "relay this onward".
fn is_dot_string(local: &str) -> bool {
    local.split('.').all(|atom| {
        !atom.is_empty()
            && atom.chars().all(|c| {
                c.is_ascii_alphanumeric()
                    || "#$&'*+-/=?^_`{|}~".contains(c)
                    || (!c.is_ascii() && !c.is_control() && !c.is_whitespace())
            })
    })
}

/// Whether `name` is a domain name (RFC 5321 §4.1.2, RFC 6531 U-labels): labels
/// of 1 to 63 octets, no leading or trailing hyphen, at most 253 octets.
pub fn is_domain(name: &str) -> bool {
    name.len() <= 253
        && name.split('.').all(|label| {
            (1..=63).contains(&label.len())
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label.chars().all(|c| {
                    c.is_ascii_alphanumeric()
                        || c == '-'
                        || c == '_'
                        || (!c.is_ascii() && c.is_alphanumeric())
                })
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn canonical_form_is_lower_case() {
        let address = Address::parse("Ann.O'Neil+Lists@Example.ORG").unwrap();
        assert_eq!(address.as_str(), "ann.o'neil+lists@example.org");
        assert_eq!((address.local(), address.domain()), ("ann.o'neil+lists", "example.org"));
        assert_eq!(address.without_detail().unwrap().as_str(), "ann.o'neil@example.org");
        assert_eq!(Address::parse("a@b.c").unwrap().without_detail(), None);
        assert_eq!(Address::parse("+x@b.c").unwrap().without_detail(), None);
    }

    #[test]
    fn relay_forms_and_rubbish_are_refused() {
        for bad in [
            "",
            "a",
            "@b.c",
            "a@",
            "a@b@c.d",
            "a%b.c@d.e",
            "b!a@d.e",
            "\"a\"@b.c",
            "a@[127.0.0.1]",
            "@x.y:a@b.c",
            ".a@b.c",
            "a..b@c.d",
            "a@-b.c",
            "a@b..c",
            "a b@c.d",
            "a\0@b.c",
            "a@b.c\r\n",
        ] {
            assert!(Address::parse(bad).is_err(), "{bad:?}");
        }
        assert!(Address::parse(&format!("{}@b.c", "a".repeat(65))).is_err());
    }

    #[test]
    fn utf8_addresses_are_addresses() {
        let address = Address::parse("Jürgen@Müller.example").unwrap();
        assert_eq!(address.as_str(), "jürgen@müller.example");
        assert!(!address.is_ascii());
    }
}
