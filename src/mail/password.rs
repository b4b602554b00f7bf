//! Passwords: hashing, checking, and making those for one client.

use std::num::NonZeroU32;

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use rand::TryRng as _;

use crate::mail::Error;
use crate::wire::scram::Keys;

/// A chosen password in octets: the shortest that is taken (NIST SP 800-63B §5.1.1.1).
pub const MIN_LENGTH: usize = 8;
/// Longer passwords are refused before any work is done.
pub const MAX_LENGTH: usize = 1024;

/// Argon2id with the library's parameters (19 MiB, 2 passes, 1 lane: the first
/// choice of the OWASP password storage sheet) and a random salt.
///
/// Takes some 20 ms of CPU: call it on a blocking thread.
pub fn hash(password: &str) -> Result<String, Error> {
    let hash = Argon2::default().hash_password(password.as_bytes());
    hash.map(|h| h.to_string()).map_err(|e| Error::Internal(format!("argon2: {e}")))
}

/// Whether `password` is the one behind `phc`. As slow as [`hash`].
pub fn verify(password: &str, phc: &str) -> bool {
    PasswordHash::new(phc)
        .is_ok_and(|hash| Argon2::default().verify_password(password.as_bytes(), &hash).is_ok())
}

/// SHA-256, for app passwords.
pub fn digest(secret: &str) -> Vec<u8> {
    aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, secret.as_bytes()).as_ref().to_vec()
}

/// What SCRAM keys are derived with: the most that clients with Cyrus SASL compute.
pub const SCRAM_ITERATIONS: NonZeroU32 = NonZeroU32::new(0x1_0000).unwrap();

/// StoredKey and ServerKey of SCRAM-SHA-256, one behind the other. The password is prepared as
/// clients do it (RFC 4013), or taken as it is where that is not possible.
///
/// Takes some 20 ms of CPU: call it on a blocking thread.
pub fn scram_keys(password: &str, salt: &[u8]) -> Vec<u8> {
    let prepared = stringprep::saslprep(password).unwrap_or(password.into());
    let keys = Keys::derive(prepared.as_bytes(), salt, SCRAM_ITERATIONS);
    [keys.stored, keys.server].concat()
}

/// A new app password: 24 letters and digits in groups of four, 120 bits.
///
/// The alphabet is Crockford's: nothing that can be misread or misspells.
pub fn generate() -> Result<String, Error> {
    const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
    let mut bytes = [0u8; 24];
    rand::rngs::SysRng
        .try_fill_bytes(&mut bytes)
        .map_err(|e| Error::Internal(format!("no randomness: {e}")))?;
    let symbols: Vec<char> =
        bytes.iter().map(|b| char::from(ALPHABET[usize::from(b % 32)])).collect();
    let groups: Vec<String> = symbols.chunks(4).map(|group| group.iter().collect()).collect();
    Ok(groups.join("-"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_is_argon2id_and_opens_to_its_password_only() {
        let phc = hash("correct horse").unwrap();
        assert!(phc.starts_with("$argon2id$"), "{phc}");
        assert!(verify("correct horse", &phc));
        assert!(!verify("wrong horse", &phc));
        assert!(!verify("correct horse", "$argon2id$rubbish"));
    }

    #[test]
    fn app_passwords_have_their_form_and_differ() {
        let (a, b) = (generate().unwrap(), generate().unwrap());
        assert_ne!(a, b);
        assert_eq!(a.len(), 29);
        assert_eq!(a.matches('-').count(), 5);
    }
}
