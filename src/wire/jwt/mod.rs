//! Signed tokens (JWT, RFC 7519, in the compact form of RFC 7515 §7.1) and the keys they are
//! checked with (RFC 7517).

mod claims;
mod keys;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;

pub use claims::{Claims, Expected, Wrong};
pub use keys::{Key, KeySet};

/// Longer tokens are not looked at.
const MAX_LENGTH: usize = 16 * 1024;

/// The signatures that are believed (RFC 7518 §3.1): no other is, whatever a token says of itself
/// (RFC 8725 §3.1).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Algorithm {
    /// RSA, PKCS #1 version 1.5, with SHA-256.
    Rs256,
    /// ECDSA on P-256 with SHA-256.
    Es256,
}

impl Algorithm {
    fn parse(name: &str) -> Option<Self> {
        match name {
            "RS256" => Some(Self::Rs256),
            "ES256" => Some(Self::Es256),
            _ => None,
        }
    }
}

/// A token that nobody has checked yet: what it claims cannot be had from it.
pub struct Unverified<'a> {
    algorithm: Algorithm,
    key_id: String,
    signed: &'a str,
    payload: Vec<u8>,
    signature: Vec<u8>,
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: String,
    /// What must be understood (RFC 7515 §4.1.11), and nothing of that is.
    crit: Option<serde_json::Value>,
}

impl<'a> Unverified<'a> {
    /// Reads a token; `None` where it is none, or none that could be believed: with another
    /// algorithm than ours, without the name of its key, or with something that must be understood.
    pub fn parse(token: &'a str) -> Option<Self> {
        if token.len() > MAX_LENGTH {
            return None;
        }
        let (signed, signature) = token.rsplit_once('.')?;
        let (header, payload) = signed.split_once('.')?;
        let header: Header = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(header).ok()?).ok()?;
        if header.crit.is_some() {
            return None;
        }
        Some(Self {
            algorithm: Algorithm::parse(&header.alg)?,
            key_id: header.kid,
            signed,
            payload: URL_SAFE_NO_PAD.decode(payload).ok()?,
            signature: URL_SAFE_NO_PAD.decode(signature).ok()?,
        })
    }

    /// The name of the key that it says it is signed with.
    pub fn key_id(&self) -> &str {
        &self.key_id
    }

    /// What it claims, where `key` has signed that.
    pub fn verify(&self, key: &Key) -> Option<Claims> {
        let signed = key.has_signed(self.algorithm, self.signed.as_bytes(), &self.signature);
        signed.then(|| serde_json::from_slice(&self.payload).ok()).flatten()
    }
}

#[cfg(test)]
mod tests;
