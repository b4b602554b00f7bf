//! Makes the certificate of a first start: a CA that signs once, and the server's own.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyPair, KeyUsagePurpose,
};
use time::{Duration, OffsetDateTime};

use super::TlsError;
use super::load::{CHAIN, KEY};

/// What a client may be told to trust.
pub(super) const CA: &str = "ca.pem";
/// Nothing renews it, so it outlives the installation it is for.
const VALID_DAYS: i64 = 3650;

/// Makes the pair when neither of its files exists; files that exist are never touched.
pub(super) fn unless_present(dir: &Path, hostname: &str) -> Result<(), TlsError> {
    let (chain, key) = (dir.join(CHAIN), dir.join(KEY));
    match (chain.exists(), key.exists()) {
        (true, true) => Ok(()),
        (true, false) => Err(TlsError::Half(key)),
        (false, true) => Err(TlsError::Half(chain)),
        (false, false) => {
            fs::create_dir_all(dir).map_err(|error| TlsError::Io(dir.into(), error))?;
            let made = make(hostname).map_err(|error| TlsError::Setup(error.to_string()))?;
            // The key last but one: a crash in between leaves no pair that looks whole.
            for (name, mode, text) in
                [(CA, 0o644, &made.ca), (KEY, 0o600, &made.key), (CHAIN, 0o644, &made.chain)]
            {
                let path = dir.join(name);
                write(dir, &path, mode, text).map_err(|error| TlsError::Io(path, error))?;
            }
            Ok(())
        }
    }
}

/// Keeps a pair in a folder, which is made when it is not there: the key first, so that a crash in
/// between leaves no pair that looks whole.
pub(in crate::net) fn save_pair(dir: &Path, chain: &str, key: &str) -> io::Result<()> {
    fs::create_dir_all(dir)?;
    write(dir, &dir.join(KEY), 0o600, key)?;
    write(dir, &dir.join(CHAIN), 0o644, chain)
}

struct Made {
    ca: String,
    chain: String,
    key: String,
}

/// The CA's key is forgotten here: nothing else can ever be signed with it.
fn make(hostname: &str) -> Result<Made, rcgen::Error> {
    let now = OffsetDateTime::now_utc();
    let params = |name: &str, names: Vec<String>| -> Result<CertificateParams, rcgen::Error> {
        let mut params = CertificateParams::new(names)?;
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, name);
        // A day back, for clients whose clock is slow.
        params.not_before = now - Duration::DAY;
        params.not_after = now + Duration::days(VALID_DAYS);
        Ok(params)
    };

    let mut ca = params("koltrix-mail first-start CA", Vec::new())?;
    ca.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    ca.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    let ca_key = KeyPair::generate()?;
    let ca_certificate = ca.self_signed(&ca_key)?;

    let mut names = vec!["localhost".to_owned(), "127.0.0.1".to_owned(), "::1".to_owned()];
    if !names.iter().any(|name| name == hostname) {
        names.push(hostname.to_owned());
    }
    let mut server = params(hostname, names)?;
    server.use_authority_key_identifier_extension = true;
    server.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    server.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let server_key = KeyPair::generate()?;
    let certificate = server.signed_by(&server_key, &Issuer::new(ca, ca_key))?;

    Ok(Made {
        chain: certificate.pem() + &ca_certificate.pem(),
        ca: ca_certificate.pem(),
        key: server_key.serialize_pem(),
    })
}

fn write(dir: &Path, path: &Path, mode: u32, text: &str) -> io::Result<()> {
    let draft = path.with_extension("new");
    let _ = fs::remove_file(&draft);
    let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(&draft)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&draft, path)?;
    fs::File::open(dir)?.sync_all()
}
