//! Values that several tables share.

use std::fmt;

use serde::{Deserialize, Deserializer, de};

use crate::domain::address::Address;

/// Text that is never shown: `Debug` hides it and there is no `Display`.
#[derive(Clone, Default, PartialEq, Eq, Hash, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// Wraps a secret.
    pub fn new(text: String) -> Self {
        Self(text)
    }

    /// The secret itself, for the one call that needs it.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether nothing was given.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_empty() { "(empty)" } else { "(hidden)" })
    }
}

/// An `http://` or `https://` address without a trailing slash, to which paths are appended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BaseUrl(String);

impl BaseUrl {
    /// The address, without a slash at its end.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn parse(text: &str) -> Option<Self> {
        let text = text.trim_end_matches('/');
        let host = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"))?;
        let plain = |byte: u8| byte.is_ascii_graphic() && !b"\"'<>?#\\".contains(&byte);
        (!host.is_empty() && !host.starts_with('/') && host.bytes().all(plain))
            .then(|| Self(text.to_owned()))
    }
}

impl<'de> Deserialize<'de> for BaseUrl {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| {
            de::Error::custom(format!(
                "{text:?} is not an address such as \"https://mail.example.org\""
            ))
        })
    }
}

/// Letters, digits, hyphens and dots: what may stand in a greeting and in a certificate
/// (RFC 1123 §2.1).
pub fn is_host_name(name: &str) -> bool {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    name.len() <= 253 && name.split('.').all(label)
}

/// A host name, or nothing.
pub(super) fn optional_host_name<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<String, D::Error> {
    let text = String::deserialize(deserializer)?;
    if text.is_empty() || is_host_name(&text) {
        return Ok(text);
    }
    Err(de::Error::custom(format!("{text:?} is not a host name such as \"mail.example.org\"")))
}

/// An address of a mailbox, or nothing.
pub(super) fn optional_address<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Address>, D::Error> {
    let text = String::deserialize(deserializer)?;
    if text.is_empty() {
        return Ok(None);
    }
    let address = Address::parse(&text);
    address.map(Some).map_err(|error| de::Error::custom(format!("{text:?}: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base_urls() {
        let read = |text| BaseUrl::parse(text).map(|url| url.0);
        assert_eq!(read("https://t.example.org/"), Some("https://t.example.org".to_owned()));
        assert_eq!(
            read("http://localhost:8080/mail"),
            Some("http://localhost:8080/mail".to_owned())
        );
        for refused in [
            "",
            "localhost",
            "ftp://x",
            "http://",
            "http:///x",
            "https://a b",
            "https://a?b",
            "https://\"x",
        ] {
            assert_eq!(read(refused), None, "{refused}");
        }
    }

    #[test]
    fn host_names() {
        for name in ["localhost", "mail.example.org", "xn--bcher-kva.example", "1.example"] {
            assert!(is_host_name(name), "{name}");
        }
        for refused in ["", "a b", "x\r\nEHLO", "a..b", ".a", "a.", "-a", "a-.b", "bücher.example"]
        {
            assert!(!is_host_name(refused), "{refused}");
        }
        assert!(is_host_name(&"x".repeat(63)) && !is_host_name(&"x".repeat(64)));
        assert!(!is_host_name(&"a.".repeat(127)));
    }
}
