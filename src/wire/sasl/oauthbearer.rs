//! OAUTHBEARER (RFC 7628): a token in place of a password.

use serde::Serialize;

/// The client's message (RFC 7628 §3.1).
#[derive(Clone, PartialEq, Eq)]
pub struct OAuthBearer {
    /// Whom to act as: the mailbox; empty where the token alone is to tell.
    pub authzid: String,
    /// The bearer token (RFC 6750 §2.1).
    pub token: String,
}

impl std::fmt::Debug for OAuthBearer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OAuthBearer").field("authzid", &self.authzid).finish_non_exhaustive()
    }
}

/// What separates the pairs.
const KVSEP: char = '\u{1}';

impl OAuthBearer {
    /// Reads a decoded message; `None` where it is not one.
    ///
    /// ```abnf
    /// client-resp = (gs2-header kvsep *kvpair kvsep) / kvsep
    /// gs2-header  = ("n" / "y") "," ["a=" saslname] ","
    /// kvpair      = key "=" value kvsep
    /// key         = 1*(ALPHA)
    /// value       = *(VCHAR / SP / HTAB / CR / LF )
    /// ```
    ///
    /// `p=` binds to the channel, which this mechanism does not (RFC 7628 §3.1). Pairs other than
    /// `auth` say what the connection says already; the scheme is read in any case (RFC 7235
    /// §2.1).
    pub fn parse(message: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(message).ok()?;
        let (header, pairs) = text.split_once(KVSEP)?;
        let (flag, authzid) = header.strip_suffix(',')?.split_once(',')?;
        if !matches!(flag, "n" | "y") {
            return None;
        }
        let authzid = match authzid {
            "" => String::new(),
            named => crate::wire::scram::saslname(named.strip_prefix("a=")?)?,
        };
        let pairs = match pairs {
            "\u{1}" => "",
            pairs => pairs.strip_suffix("\u{1}\u{1}")?,
        };
        let mut auth = None;
        for pair in pairs.split(KVSEP).filter(|_| !pairs.is_empty()) {
            let (key, value) = pair.split_once('=')?;
            if key.is_empty() || !key.bytes().all(|byte| byte.is_ascii_alphabetic()) {
                return None;
            }
            // Twice is once too often: which of them is meant?
            if key == "auth" && auth.replace(value).is_some() {
                return None;
            }
        }
        let (scheme, token) = auth?.split_once(' ')?;
        let token = token.trim_matches(' ');
        let fits = scheme.eq_ignore_ascii_case("Bearer") && !token.is_empty();
        (fits && token.bytes().all(|byte| byte.is_ascii_graphic()))
            .then(|| Self { authzid, token: token.to_owned() })
    }
}

/// Why a token opens nothing, as the client is told (RFC 7628 §3.2.2).
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Refusal<'a> {
    status: &'static str,
    schemes: &'static str,
    #[serde(rename = "openid-configuration")]
    configuration: &'a str,
}

impl<'a> Refusal<'a> {
    /// What the client says when it has read a refusal: it is owed nothing more (RFC 7628 §3.2.3).
    pub const ANSWER: &'static [u8] = b"\x01";

    /// A token that is not good, or not for this; `configuration` is where a client finds whom to
    /// ask for another.
    pub fn invalid_token(configuration: &'a str) -> Self {
        Self { status: "invalid_token", schemes: "bearer", configuration }
    }

    /// The challenge.
    pub fn message(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use proptest::prelude::*;

    use super::*;

    fn parse(text: &str) -> Option<OAuthBearer> {
        OAuthBearer::parse(text.as_bytes())
    }

    #[test]
    fn the_examples_of_the_rfc() {
        // RFC 7628 §4.1
        let encoded = "bixhPXVzZXJAZXhhbXBsZS5jb20sAWhvc3Q9c2VydmVyLmV4YW1wbGUuY29tAXBvcnQ9MTQzAWF1dGg9\
            QmVhcmVyIHZGOWRmdDRxbVRjMk52YjNSbGNrQmhiSFJoZG1semRHRXVZMjl0Q2c9PQEB";
        let said = OAuthBearer::parse(&STANDARD.decode(encoded).unwrap()).unwrap();
        assert_eq!(said.authzid, "user@example.com");
        assert_eq!(said.token, "vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==");
        assert!(!format!("{said:?}").contains("vF9d"));
        // RFC 7628 §4.3: the client's answer to a refusal.
        assert_eq!(STANDARD.encode(Refusal::ANSWER), "AQ==");
    }

    #[test]
    fn a_refusal_is_json() {
        let text = Refusal::invalid_token("https://id.example/x").message();
        assert_eq!(
            text,
            "{\"status\":\"invalid_token\",\"schemes\":\"bearer\",\
             \"openid-configuration\":\"https://id.example/x\"}"
        );
    }

    #[test]
    fn what_is_no_message_is_none() {
        let good = parse("n,,\u{1}auth=bearer  tok\u{1}\u{1}").unwrap();
        assert_eq!((good.authzid.as_str(), good.token.as_str()), ("", "tok"));
        assert_eq!(parse("y,a=a=2Cb,\u{1}auth=Bearer t\u{1}\u{1}").unwrap().authzid, "a,b");
        for bad in [
            "",
            "\u{1}",
            "n,,\u{1}\u{1}",
            "n,,",
            "n,\u{1}auth=Bearer t\u{1}\u{1}",
            "p=tls-exporter,,\u{1}auth=Bearer t\u{1}\u{1}",
            "n,b=x,\u{1}auth=Bearer t\u{1}\u{1}",
            "n,a==,\u{1}auth=Bearer t\u{1}\u{1}",
            "n,,\u{1}auth=Bearer t\u{1}",
            "n,,\u{1}auth=Bearer \u{1}\u{1}",
            "n,,\u{1}auth=Bearer a b\u{1}\u{1}",
            "n,,\u{1}auth=Basic t\u{1}\u{1}",
            "n,,\u{1}auth=Bearer t\u{1}auth=Bearer u\u{1}\u{1}",
            "n,,\u{1}host\u{1}auth=Bearer t\u{1}\u{1}",
            "n,,\u{1}=x\u{1}auth=Bearer t\u{1}\u{1}",
        ] {
            assert_eq!(parse(bad), None, "{bad:?}");
        }
    }

    proptest! {
        #[test]
        fn any_octets_are_read_without_a_panic(message: Vec<u8>) {
            let _ = OAuthBearer::parse(&message);
        }

        #[test]
        fn what_is_written_is_read(name in "[a-z]{1,9}@[a-z]{1,9}", token in "[!-~]{1,40}") {
            let message = format!("n,a={name},\u{1}host=h\u{1}auth=Bearer {token}\u{1}\u{1}");
            prop_assert_eq!(parse(&message), Some(OAuthBearer { authzid: name, token }));
        }
    }
}
