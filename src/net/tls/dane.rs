//! Certificates that the DNS names (DANE, RFC 6698), as mail servers use them (RFC 7672).

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, SHA512, digest};
use rustls::RootCertStore;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier as _;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;

use super::{Unproven, provider};

/// One TLSA record (RFC 6698 §2.1).
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Tlsa {
    /// 2: an authority, 3: the server's own certificate; others are not for mail.
    pub usage: u8,
    /// 0: the certificate, 1: its public key.
    pub selector: u8,
    /// 0: whole, 1: its SHA-256, 2: its SHA-512.
    pub matching: u8,
    /// That.
    pub data: Vec<u8>,
}

const AUTHORITY: u8 = 2;
const OWN: u8 = 3;

impl Tlsa {
    /// Whether a certificate can be held against it (RFC 7672 §3.1).
    pub fn is_usable(&self) -> bool {
        let fits = match self.matching {
            0 => !self.data.is_empty(),
            1 => self.data.len() == 32,
            2 => self.data.len() == 64,
            _ => false,
        };
        matches!(self.usage, AUTHORITY | OWN) && self.selector <= 1 && fits
    }

    fn names(&self, certificate: &CertificateDer<'_>) -> bool {
        let key;
        let selected: &[u8] = if self.selector == 0 {
            certificate
        } else {
            let Ok(parsed) = ParsedCertificate::try_from(certificate) else { return false };
            key = parsed.subject_public_key_info();
            &key
        };
        match self.matching {
            0 => selected == self.data,
            1 => digest(&SHA256, selected).as_ref() == self.data,
            _ => digest(&SHA512, selected).as_ref() == self.data,
        }
    }
}

/// As a zone file has it.
impl fmt::Display for Tlsa {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {} ", self.usage, self.selector, self.matching)?;
        self.data.iter().try_for_each(|octet| write!(f, "{octet:02x}"))
    }
}

/// Whether one of `records` names what `chain`, the server's own certificate first, shows: its own
/// one, whatever name and time are in it (RFC 7672 §3.1.1), or an authority that vouches for it as
/// `host` now (§3.1.2).
pub(in crate::net) fn vouch_for(
    records: &[Tlsa],
    chain: &[CertificateDer<'_>],
    host: &str,
) -> Result<(), Unproven> {
    let Some((leaf, between)) = chain.split_first() else { return Err(Unproven::Unusable) };
    let usable = records.iter().filter(|record| record.is_usable());
    let (mut why, mut proven) = (Unproven::NotNamed, false);
    for record in usable {
        if record.usage == OWN {
            proven |= record.names(leaf);
            continue;
        }
        let whole = (record.selector == 0 && record.matching == 0)
            .then(|| CertificateDer::from(record.data.as_slice()));
        for authority in whole.iter().chain(between.iter().filter(|shown| record.names(shown))) {
            match vouches(authority, leaf, between, host) {
                Ok(()) => proven = true,
                Err(unproven) => why = unproven,
            }
        }
    }
    if proven { Ok(()) } else { Err(why) }
}

fn vouches(
    authority: &CertificateDer<'_>,
    leaf: &CertificateDer<'_>,
    between: &[CertificateDer<'_>],
    host: &str,
) -> Result<(), Unproven> {
    let mut roots = RootCertStore::empty();
    roots.add(authority.clone().into_owned()).map_err(|_| Unproven::Unusable)?;
    let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider()).build();
    let verifier = verifier.map_err(|_| Unproven::Unusable)?;
    let name = ServerName::try_from(host).map_err(|_| Unproven::OtherHost)?;
    match verifier.verify_server_cert(leaf, between, &name, &[], UnixTime::now()) {
        Ok(_) => Ok(()),
        Err(error) => Err(Unproven::from(&error)),
    }
}

#[cfg(test)]
mod tests {
    use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};

    use super::*;

    struct Shown {
        authority: CertificateDer<'static>,
        leaf: CertificateDer<'static>,
        key: Vec<u8>,
    }

    fn shown(host: &str) -> Shown {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let key = KeyPair::generate().unwrap();
        let leaf = CertificateParams::new(vec![host.to_owned()]).unwrap();
        let leaf = leaf.signed_by(&key, &authority).unwrap();
        let key = ParsedCertificate::try_from(leaf.der()).unwrap().subject_public_key_info();
        Shown { authority: authority.der().clone(), leaf: leaf.der().clone(), key: key.to_vec() }
    }

    fn tlsa(usage: u8, selector: u8, matching: u8, of: &[u8]) -> Tlsa {
        let data = match matching {
            0 => of.to_vec(),
            1 => digest(&SHA256, of).as_ref().to_vec(),
            _ => digest(&SHA512, of).as_ref().to_vec(),
        };
        Tlsa { usage, selector, matching, data }
    }

    #[test]
    fn a_servers_own_certificate_proves_it_whatever_its_name() {
        let Shown { authority, leaf, key } = shown("mx.example");
        let chain = [leaf.clone(), authority];
        for (selector, of) in [(0, leaf.as_ref()), (1, &key)] {
            for matching in 0..=2 {
                let record = tlsa(3, selector, matching, of);
                assert!(record.is_usable());
                assert_eq!(vouch_for(&[record], &chain, "other.example"), Ok(()));
            }
        }
        let another = tlsa(3, 1, 1, b"another key");
        assert_eq!(
            vouch_for(std::slice::from_ref(&another), &chain, "mx.example"),
            Err(Unproven::NotNamed)
        );
        assert_eq!(vouch_for(&[another, tlsa(3, 1, 1, &key)], &chain, "mx.example"), Ok(()));
    }

    #[test]
    fn an_authority_vouches_for_a_name() {
        let Shown { authority, leaf, .. } = shown("mx.example");
        let whole = [tlsa(2, 0, 0, &authority)];
        let chain = [leaf.clone(), authority.clone()];
        for records in [[tlsa(2, 0, 1, &authority)], [tlsa(2, 0, 2, &authority)], whole.clone()] {
            assert_eq!(vouch_for(&records, &chain, "mx.example"), Ok(()), "{records:?}");
            assert_eq!(vouch_for(&records, &chain, "a.example"), Err(Unproven::OtherHost));
        }
        assert_eq!(vouch_for(&whole, &chain[..1], "mx.example"), Ok(()), "it need not be shown");
        let of_another = shown("mx.example").authority;
        let chain = [leaf, of_another.clone()];
        let records = [tlsa(2, 0, 1, &of_another)];
        assert!(vouch_for(&records, &chain, "mx.example").is_err(), "it signed nothing here");
    }

    #[test]
    fn what_mail_cannot_use_counts_for_nothing() {
        let Shown { authority, leaf, .. } = shown("mx.example");
        let chain = [leaf.clone(), authority];
        let short = Tlsa { usage: 3, selector: 0, matching: 1, data: vec![1; 31] };
        for record in [tlsa(1, 0, 0, &leaf), tlsa(3, 2, 0, &leaf), tlsa(3, 0, 3, &leaf), short] {
            assert!(!record.is_usable());
            assert_eq!(vouch_for(&[record], &chain, "mx.example"), Err(Unproven::NotNamed));
        }
        assert_eq!(tlsa(3, 1, 0, &[0xab, 1]).to_string(), "3 1 0 ab01");
    }
}
