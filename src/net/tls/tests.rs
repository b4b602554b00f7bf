use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use rustls::RootCertStore;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};

use super::*;

/// A handshake in memory with a client that trusts `ca.pem` only, for one name.
fn handshake(tls: &ServerTls, ca: &Path, name: &str) -> Result<(), rustls::Error> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(ca).unwrap()).unwrap();
    let config = ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from(name.to_owned()).unwrap();
    let mut client = rustls::ClientConnection::new(Arc::new(config), name).unwrap();
    let mut server = rustls::ServerConnection::new(tls.acceptor().config().clone()).unwrap();
    while client.is_handshaking() || server.is_handshaking() {
        let mut wire = Vec::new();
        while client.wants_write() {
            client.write_tls(&mut wire).unwrap();
        }
        let mut rest = wire.as_slice();
        while !rest.is_empty() {
            server.read_tls(&mut rest).unwrap();
            server.process_new_packets()?;
        }
        let mut wire = Vec::new();
        while server.wants_write() {
            server.write_tls(&mut wire).unwrap();
        }
        let mut rest = wire.as_slice();
        while !rest.is_empty() {
            client.read_tls(&mut rest).unwrap();
            client.process_new_packets()?;
        }
    }
    Ok(())
}

#[test]
fn a_first_start_makes_a_pair_that_its_own_ca_vouches_for() {
    let dir = tempfile::tempdir().unwrap();
    let certs = dir.path().join("certs");
    let tls = ServerTls::open(certs.clone(), "mail.example.org").unwrap();
    for name in ["mail.example.org", "localhost", "127.0.0.1", "::1"] {
        handshake(&tls, &certs.join(issue::CA), name).unwrap();
    }
    assert!(handshake(&tls, &certs.join(issue::CA), "other.example.org").is_err());
    let mode = |name| fs::metadata(certs.join(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(load::KEY), 0o600);
}

#[test]
fn a_certificate_tells_its_end_and_its_names() {
    let dir = tempfile::tempdir().unwrap();
    assert!(matches!(inspect(dir.path(), "localhost"), Err(TlsError::Io(..))));
    ServerTls::open(dir.path().to_owned(), "mail.example.org").unwrap();
    let facts = inspect(dir.path(), "mail.example.org").unwrap();
    let years = (facts.not_after.unwrap() - time::OffsetDateTime::now_utc()).whole_days() / 365;
    assert!(facts.names_host && years == 9, "{facts:?}");
    assert!(!inspect(dir.path(), "other.example.org").unwrap().names_host);
}

#[test]
fn a_pair_that_exists_is_kept() {
    let dir = tempfile::tempdir().unwrap();
    ServerTls::open(dir.path().into(), "a.example").unwrap();
    let before = fs::read(dir.path().join(load::CHAIN)).unwrap();
    ServerTls::open(dir.path().into(), "b.example").unwrap();
    assert_eq!(fs::read(dir.path().join(load::CHAIN)).unwrap(), before);
}

#[test]
fn a_new_pair_is_taken_while_running_and_a_bad_one_is_not() {
    let (first, second) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let tls = ServerTls::open(first.path().into(), "a.example").unwrap();
    ServerTls::open(second.path().into(), "b.example").unwrap();
    let ca = second.path().join(issue::CA);
    assert!(handshake(&tls, &ca, "b.example").is_err());
    for file in [load::CHAIN, load::KEY] {
        fs::copy(second.path().join(file), first.path().join(file)).unwrap();
    }
    tls.reload().unwrap();
    handshake(&tls, &ca, "b.example").unwrap();
    fs::write(first.path().join(load::CHAIN), "no certificate").unwrap();
    assert!(tls.reload().is_err());
    handshake(&tls, &ca, "b.example").unwrap();
}

#[test]
fn what_is_wrong_is_said_in_one_sentence() {
    let dir = tempfile::tempdir().unwrap();
    let open = || ServerTls::open(dir.path().into(), "a.example").err().unwrap().to_string();
    ServerTls::open(dir.path().into(), "a.example").unwrap();
    let (chain, key) = (dir.path().join(load::CHAIN), dir.path().join(load::KEY));

    let other = tempfile::tempdir().unwrap();
    ServerTls::open(other.path().into(), "a.example").unwrap();
    fs::copy(other.path().join(load::KEY), &key).unwrap();
    assert!(open().contains("privkey.pem is not usable"), "{}", open());
    fs::write(&chain, "").unwrap();
    assert!(open().contains("fullchain.pem is not usable: it holds no certificate"), "{}", open());
    fs::remove_file(&chain).unwrap();
    assert!(open().contains("fullchain.pem is missing beside its other half"), "{}", open());
}

/// Puts a pair for `name` into a folder of that name; returns the path of the CA.
fn host(certs: &Path, name: &str) -> std::path::PathBuf {
    let folder = certs.join(name);
    let _ = fs::remove_dir_all(&folder);
    ServerTls::open(folder.clone(), name).unwrap();
    folder.join(issue::CA)
}

#[test]
fn each_name_gets_its_own_certificate() {
    let dir = tempfile::tempdir().unwrap();
    let own = dir.path().join(issue::CA);
    let first = ServerTls::open(dir.path().into(), "mx.example").unwrap();
    let (acme, shop) = (host(dir.path(), "mail.acme.example"), host(dir.path(), "shop.example"));
    fs::create_dir(dir.path().join("Not a host")).unwrap();
    fs::create_dir(dir.path().join("empty.example")).unwrap();
    assert!(first.certificates.is_stale());
    first.reload().unwrap();
    for tls in [first, ServerTls::open(dir.path().into(), "mx.example").unwrap()] {
        handshake(&tls, &acme, "mail.acme.example").unwrap();
        handshake(&tls, &shop, "shop.example").unwrap();
        handshake(&tls, &own, "mx.example").unwrap();
        // A pair is not shown to whom it would not convince: the server's own is no worse.
        assert!(handshake(&tls, &shop, "www.shop.example").is_err());
        assert!(handshake(&tls, &own, "empty.example").is_err());
        assert!(!tls.certificates.is_stale());
    }
}

#[test]
fn a_domains_certificate_serves_the_hosts_that_it_names() {
    let dir = tempfile::tempdir().unwrap();
    ServerTls::open(dir.path().into(), "mx.example").unwrap();
    let folder = dir.path().join("acme.example");
    let ca = host(dir.path(), "mail.acme.example");
    fs::rename(ca.parent().unwrap(), &folder).unwrap();
    let tls = ServerTls::open(dir.path().into(), "mx.example").unwrap();
    handshake(&tls, &folder.join(issue::CA), "mail.acme.example").unwrap();
}

#[test]
fn what_is_half_renewed_waits_for_its_other_half() {
    let dir = tempfile::tempdir().unwrap();
    let tls = ServerTls::open(dir.path().into(), "mx.example").unwrap();
    let old = host(dir.path(), "acme.example");
    tls.reload().unwrap();
    let old_ca = dir.path().join("old.pem");
    fs::copy(&old, &old_ca).unwrap();
    fs::remove_file(dir.path().join("acme.example").join(load::KEY)).unwrap();
    assert!(tls.certificates.is_stale());
    tls.reload().unwrap();
    handshake(&tls, &old_ca, "acme.example").unwrap();
    let new = host(dir.path(), "acme.example");
    assert!(tls.certificates.is_stale());
    tls.reload().unwrap();
    handshake(&tls, &new, "acme.example").unwrap();
    // The server's own pair, half of it new: looked at again until it fits.
    fs::copy(dir.path().join("acme.example").join(load::CHAIN), dir.path().join(load::CHAIN))
        .unwrap();
    assert!(tls.reload().is_err() && tls.certificates.is_stale());
}
