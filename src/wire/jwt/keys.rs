//! The keys of an issuer (JWK Set, RFC 7517 §5).

use std::collections::HashMap;

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents, UnparsedPublicKey,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;

use super::Algorithm;

/// Keys past these are not looked at.
const MAX_KEYS: usize = 64;
/// Octets of a coordinate on P-256.
const COORDINATE: usize = 32;

/// Keys by their names.
#[derive(Clone, Debug, Default)]
pub struct KeySet(HashMap<String, Key>);

/// One public key.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Key {
    /// Modulus and exponent, big-endian.
    Rsa {
        /// The modulus.
        n: Vec<u8>,
        /// The exponent.
        e: Vec<u8>,
    },
    /// A point on P-256, uncompressed.
    P256(Vec<u8>),
}

#[derive(Deserialize)]
struct Keys {
    keys: Vec<serde_json::Value>,
}

/// RFC 7518 §6.2.1, §6.3.1.
#[derive(Deserialize)]
struct Jwk {
    kid: String,
    kty: String,
    alg: Option<String>,
    #[serde(rename = "use")]
    usage: Option<String>,
    crv: Option<String>,
    n: Option<String>,
    e: Option<String>,
    x: Option<String>,
    y: Option<String>,
}

impl KeySet {
    /// Reads a set; `None` where it is none. Keys that are of no use here are left out, as they
    /// should be (RFC 7517 §5); of two with one name the first counts.
    pub fn parse(json: &[u8]) -> Option<Self> {
        let Keys { keys } = serde_json::from_slice(json).ok()?;
        let mut set = HashMap::new();
        for key in keys.into_iter().take(MAX_KEYS) {
            let Ok(jwk) = serde_json::from_value::<Jwk>(key) else { continue };
            if let Some(key) = Key::of(&jwk) {
                set.entry(jwk.kid).or_insert(key);
            }
        }
        Some(Self(set))
    }

    /// The key of this name.
    pub fn get(&self, name: &str) -> Option<&Key> {
        self.0.get(name)
    }

    /// Whether nothing can be checked with it.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Key {
    fn of(jwk: &Jwk) -> Option<Self> {
        let decode = |part: &Option<String>| URL_SAFE_NO_PAD.decode(part.as_deref()?).ok();
        if jwk.usage.as_deref().is_some_and(|usage| usage != "sig") {
            return None;
        }
        let (key, algorithm) = match (jwk.kty.as_str(), jwk.crv.as_deref()) {
            ("RSA", _) => (Self::Rsa { n: decode(&jwk.n)?, e: decode(&jwk.e)? }, "RS256"),
            ("EC", Some("P-256")) => {
                let (x, y) = (decode(&jwk.x)?, decode(&jwk.y)?);
                let fits = x.len() == COORDINATE && y.len() == COORDINATE;
                // SEC 1 §2.3.3
                fits.then(|| (Self::P256([&[4], &x[..], &y[..]].concat()), "ES256"))?
            }
            _ => return None,
        };
        jwk.alg.as_deref().is_none_or(|named| named == algorithm).then_some(key)
    }

    /// Whether `signature` is this key's over `message`. A key is good for the algorithm of its own
    /// kind alone.
    pub(super) fn has_signed(&self, with: Algorithm, message: &[u8], signature: &[u8]) -> bool {
        match (self, with) {
            (Self::Rsa { n, e }, Algorithm::Rs256) => RsaPublicKeyComponents { n, e }
                .verify(&RSA_PKCS1_2048_8192_SHA256, message, signature)
                .is_ok(),
            (Self::P256(point), Algorithm::Es256) => {
                UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point)
                    .verify(message, signature)
                    .is_ok()
            }
            _ => false,
        }
    }
}
