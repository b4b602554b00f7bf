//! SHA-256 (FIPS 180-4), the name of an object.

use aws_lc_rs::digest;
use serde::de::Error as _;

/// A SHA-256 value; 64 lower-case hex digits as text and in JSON.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Sha256([u8; 32]);

impl Sha256 {
    /// The digest of `octets`.
    pub fn of(octets: &[u8]) -> Self {
        let mut hasher = Hasher::new();
        hasher.update(octets);
        hasher.finish()
    }

    /// The 32 octets of the value.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    fn from_hex(text: &str) -> Option<Self> {
        let mut value = [0; 32];
        if text.len() != 64 || !text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')) {
            return None;
        }
        for (index, octet) in value.iter_mut().enumerate() {
            *octet = u8::from_str_radix(text.get(2 * index..2 * index + 2)?, 16).ok()?;
        }
        Some(Self(value))
    }
}

impl std::fmt::Display for Sha256 {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.iter().try_for_each(|octet| write!(f, "{octet:02x}"))
    }
}

impl serde::Serialize for Sha256 {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for Sha256 {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::from_hex(&text).ok_or_else(|| D::Error::custom("not a SHA-256 value in hex"))
    }
}

/// A digest of octets that come a piece at a time.
pub(super) struct Hasher(digest::Context);

impl Hasher {
    pub(super) fn new() -> Self {
        Self(digest::Context::new(&digest::SHA256))
    }

    pub(super) fn update(&mut self, octets: &[u8]) {
        self.0.update(octets);
    }

    pub(super) fn finish(self) -> Sha256 {
        let mut value = [0; 32];
        for (octet, computed) in value.iter_mut().zip(self.0.finish().as_ref()) {
            *octet = *computed;
        }
        Sha256(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_value_in_hex_and_back() {
        // FIPS 180-4, the one-block example "abc".
        let hex = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(Sha256::of(b"abc").to_string(), hex);
        assert_eq!(Sha256::from_hex(hex), Some(Sha256::of(b"abc")));
        let json = serde_json::to_string(&Sha256::of(b"abc")).unwrap();
        assert_eq!(serde_json::from_str::<Sha256>(&json).unwrap(), Sha256::of(b"abc"));
        for bad in ["", "ba", &hex.to_uppercase(), &hex.replace('b', "ü")] {
            assert_eq!(Sha256::from_hex(bad), None);
        }
    }
}
