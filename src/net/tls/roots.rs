//! Whom we believe about the name of another server.

use std::path::Path;
use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier as _;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, Error, RootCertStore};

use super::{TlsError, provider};

/// Where systems keep the authorities that they trust.
const USUAL: [&str; 3] =
    ["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem"];

/// Authorities. Cheap to clone.
#[derive(Clone)]
pub struct Roots(Option<Arc<WebPkiServerVerifier>>);

impl Roots {
    /// Those in a PEM file; with an empty path the system's, or none where it has none.
    pub fn load(file: &Path) -> Result<Self, TlsError> {
        let usual = || USUAL.iter().map(Path::new).find(|path| path.exists());
        let given = (!file.as_os_str().is_empty()).then_some(file);
        let Some(file) = given.or_else(usual) else {
            tracing::warn!("no trusted authorities were found: no other server can be verified");
            return Ok(Self(None));
        };
        let pem = std::fs::read(file).map_err(|error| TlsError::Io(file.into(), error))?;
        let mut store = RootCertStore::empty();
        // One that cannot be used says nothing about the others.
        store.add_parsable_certificates(CertificateDer::pem_slice_iter(&pem).flatten());
        let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(store), provider())
            .build()
            .map_err(|error| TlsError::Content(file.into(), error.to_string()))?;
        Ok(Self(Some(verifier)))
    }

    pub(super) fn verifier(&self) -> Option<Arc<WebPkiServerVerifier>> {
        self.0.clone()
    }

    /// Whether `chain`, the server's own certificate first, proves that it is `host` now.
    pub(in crate::net) fn vouch_for(
        &self,
        chain: &[CertificateDer<'_>],
        host: &str,
    ) -> Result<(), Unproven> {
        let (Some(verifier), Some((leaf, between))) = (&self.0, chain.split_first()) else {
            return Err(Unproven::Untrusted);
        };
        let name = ServerName::try_from(host).map_err(|_| Unproven::OtherHost)?;
        match verifier.verify_server_cert(leaf, between, &name, &[], UnixTime::now()) {
            Ok(_) => Ok(()),
            Err(error) => Err(Unproven::from(&error)),
        }
    }
}

/// Why a server has not proven its name.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Unproven {
    /// The certificate is another host's.
    #[error("the certificate is for another host")]
    OtherHost,
    /// Its time is over, or has not come.
    #[error("the certificate has expired or is not valid yet")]
    Expired,
    /// Nobody that we believe vouches for it.
    #[error("the certificate is not from a trusted authority")]
    Untrusted,
    /// The server's TLSA records (DANE) name another one.
    #[error("the certificate is not what the TLSA records (DANE) name")]
    NotNamed,
    /// It cannot be used for some other reason.
    #[error("the certificate cannot be verified")]
    Unusable,
}

impl From<&Error> for Unproven {
    fn from(error: &Error) -> Self {
        match error {
            Error::InvalidCertificate(error) => unproven(error),
            _ => Self::Unusable,
        }
    }
}

fn unproven(error: &CertificateError) -> Unproven {
    use CertificateError as E;
    match error {
        E::NotValidForName | E::NotValidForNameContext { .. } => Unproven::OtherHost,
        E::Expired | E::ExpiredContext { .. } | E::NotValidYet | E::NotValidYetContext { .. } => {
            Unproven::Expired
        }
        E::UnknownIssuer => Unproven::Untrusted,
        // Such as a certificate of an authority that is shown as a server's own.
        _ => Unproven::Unusable,
    }
}
