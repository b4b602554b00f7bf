//! Certificates of other mail servers: those that somebody vouches for, and those that nobody does.

use std::sync::OnceLock;

use rcgen::{
    BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, PublicKeyData, SignatureAlgorithm,
};
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::support::postgres;

/// A chain and its key.
pub type Pair = (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>);

/// The authority of this run.
struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

fn authority() -> &'static Authority {
    static AUTHORITY: OnceLock<Authority> = OnceLock::new();
    AUTHORITY.get_or_init(|| {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let pem = params.self_signed(&key).unwrap().pem();
        Authority { issuer: Issuer::new(params, key), pem }
    })
}

/// A file with the authority that vouches for [`proven`].
pub fn trusted_roots() -> String {
    static FILE: OnceLock<String> = OnceLock::new();
    let file = FILE.get_or_init(|| {
        let file = postgres::folder().join("roots.pem");
        std::fs::write(&file, &authority().pem).unwrap();
        file.display().to_string()
    });
    file.clone()
}

/// For `host`, and somebody vouches for it.
pub fn proven(host: &str) -> Pair {
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec![host.to_owned()]).unwrap();
    let certificate = params.signed_by(&key, &authority().issuer).unwrap();
    (vec![certificate.der().clone()], PrivateKeyDer::Pkcs8(key.serialize_der().into()))
}

/// For some host, by its own word.
pub fn unknown() -> Pair {
    let made = rcgen::generate_simple_self_signed(vec!["remote.test".to_owned()]).unwrap();
    let key = PrivateKeyDer::Pkcs8(made.signing_key.serialize_der().into());
    (vec![made.cert.der().clone()], key)
}

/// The point of a P-256 key in a certificate signing request.
struct Asked(Vec<u8>);

impl PublicKeyData for Asked {
    fn der_bytes(&self) -> &[u8] {
        &self.0
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        &rcgen::PKCS_ECDSA_P256_SHA256
    }
}

/// A chain for `host` and the key that `csr` asks for, which must be on P-256.
pub fn certify(host: &str, csr: &[u8]) -> String {
    // id-ecPublicKey, prime256v1, and a bit string with an uncompressed point (RFC 5480 §2).
    const BEFORE: &[u8] =
        b"\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07\x03\x42\x00";
    let at = csr.windows(BEFORE.len()).position(|w| w == BEFORE).unwrap() + BEFORE.len();
    let mut params = CertificateParams::new(vec![host.to_owned()]).unwrap();
    params.not_after = rcgen::date_time_ymd(2099, 1, 1);
    let key = Asked(csr[at..at + 65].to_vec());
    params.signed_by(&key, &authority().issuer).unwrap().pem()
}
