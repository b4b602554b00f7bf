//! MACs for the local parts of return addresses: the key they are made with, and the letters they
//! are written in.
//!
//! Addresses lose their case on the way, so the letters and digits are those that have none.

use aws_lc_rs::hmac;

/// That of base32, in lower case.
pub const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";

/// A key for one purpose.
pub struct AddressMac(hmac::Key);

impl std::fmt::Debug for AddressMac {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("AddressMac(hidden)")
    }
}

impl AddressMac {
    /// The key that comes from a secret of the server for `purpose`. The secret seals other things
    /// as well, so what is shown to strangers is made with a key that only comes from it.
    pub fn new(secret: &[u8], purpose: &str) -> Self {
        let root = hmac::Key::new(hmac::HMAC_SHA256, secret);
        let own = hmac::sign(&root, purpose.as_bytes());
        Self(hmac::Key::new(hmac::HMAC_SHA256, own.as_ref()))
    }

    /// The MAC of `body` in as many characters, of five bits each; at most 32.
    pub fn letters(&self, body: &str, characters: usize) -> String {
        let tag = hmac::sign(&self.0, body.as_bytes());
        let letter = |byte: &u8| char::from(ALPHABET[usize::from(byte % 32)]);
        tag.as_ref().iter().take(characters).map(letter).collect()
    }
}
