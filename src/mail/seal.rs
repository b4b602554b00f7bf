//! Sealing of what is secret at rest: AES-256-GCM (NIST SP 800-38D) under the server's master key.
//!
//! A sealed value is its random nonce of 12 octets, the ciphertext and the tag of 16. It is bound to
//! the row it was made for: the row's id is authenticated with it, so that a value moved to another
//! row opens no more.

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use uuid::Uuid;

use crate::mail::Error;
use crate::store::master_key::MasterKey;

/// Seals and opens.
pub struct Seal(RandomizedNonceKey);

/// The master key is another one, or the value or its row was tampered with.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("a sealed value does not open: is this the master key it was sealed with?")]
pub struct Unsealable;

impl Seal {
    /// Under `key`.
    ///
    /// # Errors
    /// [`Error::Internal`] when the cipher cannot be set up.
    pub fn new(key: &MasterKey) -> Result<Self, Error> {
        RandomizedNonceKey::new(&AES_256_GCM, key.bytes())
            .map(Self)
            .map_err(|_| Error::Internal("AES-256-GCM could not be set up".to_owned()))
    }

    /// Seals `secret` for the row `id`.
    ///
    /// # Errors
    /// [`Error::Internal`] when the system gives no random numbers.
    pub fn seal(&self, id: Uuid, secret: &[u8]) -> Result<Vec<u8>, Error> {
        let mut text = secret.to_vec();
        let nonce = self
            .0
            .seal_in_place_append_tag(Aad::from(id.as_bytes()), &mut text)
            .map_err(|_| Error::Internal("AES-256-GCM could not seal".to_owned()))?;
        Ok([nonce.as_ref().as_slice(), &text].concat())
    }

    /// Opens what [`Seal::seal`] made for the same row.
    pub fn open(&self, id: Uuid, sealed: &[u8]) -> Result<Vec<u8>, Unsealable> {
        let (nonce, text) = sealed.split_at_checked(NONCE_LEN).ok_or(Unsealable)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| Unsealable)?;
        let mut text = text.to_vec();
        let secret = self
            .0
            .open_in_place(nonce, Aad::from(id.as_bytes()), &mut text)
            .map_err(|_| Unsealable)?
            .len();
        text.truncate(secret);
        Ok(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seal(digit: char) -> Seal {
        let dir = tempfile::tempdir().unwrap();
        let key = String::from(digit).repeat(64);
        Seal::new(&MasterKey::load(dir.path(), Some(&key)).unwrap()).unwrap()
    }

    #[test]
    fn what_was_sealed_opens() {
        let (seal, id) = (seal('1'), Uuid::new_v4());
        for secret in [&b""[..], b"secret", &[7; 5000]] {
            let sealed = seal.seal(id, secret).unwrap();
            assert_eq!(sealed.len(), secret.len() + 28);
            assert_eq!(seal.open(id, &sealed).unwrap(), secret);
        }
    }

    #[test]
    fn the_same_secret_never_looks_the_same() {
        let (seal, id) = (seal('1'), Uuid::new_v4());
        assert_ne!(seal.seal(id, b"secret").unwrap(), seal.seal(id, b"secret").unwrap());
    }

    #[test]
    fn another_row_another_key_or_another_octet_opens_nothing() {
        let (ours, id) = (seal('1'), Uuid::new_v4());
        let sealed = ours.seal(id, b"secret").unwrap();
        assert_eq!(ours.open(Uuid::new_v4(), &sealed), Err(Unsealable));
        assert_eq!(seal('2').open(id, &sealed), Err(Unsealable));
        for at in 0..sealed.len() {
            let mut tampered = sealed.clone();
            tampered[at] ^= 1;
            assert_eq!(ours.open(id, &tampered), Err(Unsealable), "octet {at}");
            assert_eq!(ours.open(id, &sealed[..at]), Err(Unsealable), "cut at {at}");
        }
    }
}
