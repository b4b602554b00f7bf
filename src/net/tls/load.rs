//! Reads a certificate chain and its key from a folder.

use std::path::Path;

use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;

use super::TlsError;

/// The chain, the server's own certificate first.
pub(super) const CHAIN: &str = "fullchain.pem";
/// Its private key.
pub(super) const KEY: &str = "privkey.pem";

/// The pair in a folder, checked to belong together.
pub(super) fn pair(dir: &Path) -> Result<CertifiedKey, TlsError> {
    let (chain_path, key_path) = (dir.join(CHAIN), dir.join(KEY));
    let read = |path: &Path| std::fs::read(path).map_err(|error| TlsError::Io(path.into(), error));
    let unusable = |path: &Path, why: String| TlsError::Content(path.into(), why);

    let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_slice_iter(&read(&chain_path)?)
        .collect::<Result<_, _>>()
        .map_err(|error| unusable(&chain_path, error.to_string()))?;
    if chain.is_empty() {
        return Err(unusable(&chain_path, "it holds no certificate".to_owned()));
    }
    let key = PrivateKeyDer::from_pem_slice(&read(&key_path)?)
        .map_err(|error| unusable(&key_path, error.to_string()))?;
    let key = aws_lc_rs::sign::any_supported_type(&key)
        .map_err(|error| unusable(&key_path, error.to_string()))?;
    let pair = CertifiedKey::new(chain, key);
    pair.keys_match().map_err(|error| unusable(&key_path, error.to_string()))?;
    Ok(pair)
}
