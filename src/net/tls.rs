//! TLS for both sides: the server's certificates, which can be replaced while running, and the
//! client's opportunistic use.

mod certificates;
mod dane;
mod inspect;
mod issue;
mod load;
mod opportunistic;
mod roots;
mod watch;

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::server::ResolvesServerCert;
use rustls::sign::CertifiedKey;
use rustls::{ClientConfig, ServerConfig};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::server::TlsStream;
use tokio_rustls::{TlsAcceptor, TlsConnector};

use crate::config::is_host_name;
use certificates::Certificates;

pub use dane::Tlsa;
pub(super) use dane::vouch_for;
pub use inspect::{Facts, inspect};
pub(super) use issue::save_pair;
pub use roots::{Roots, Unproven};
pub use watch::hangup;

/// Why TLS cannot be offered; each says what to do.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// The folder or a file in it cannot be used.
    #[error("cannot use {}: {}", .0.display(), .1)]
    Io(PathBuf, std::io::Error),
    /// One file of the pair is missing.
    #[error("{} is missing beside its other half: put it back, or remove both to have a new pair made", .0.display())]
    Half(PathBuf),
    /// A file does not hold what its name says.
    #[error("{} is not usable: {}", .0.display(), .1)]
    Content(PathBuf, String),
    /// There is no list of authorities.
    #[error(
        "no trusted authorities were found: install the system's (ca-certificates), or name a file of them"
    )]
    NobodyTrusted,
    /// The library refused.
    #[error("TLS could not be set up: {0}")]
    Setup(String),
}

/// The server's side; cheap to clone, clones share the certificates.
#[derive(Clone)]
pub struct ServerTls {
    acceptor: TlsAcceptor,
    certificates: Arc<Certificates>,
}

impl ServerTls {
    /// Reads `fullchain.pem` and `privkey.pem` from a folder, which are made (with a CA of their own
    /// in `ca.pem`) when neither exists, for `hostname`, `localhost` and the loopback addresses. A
    /// client that asks for the name of a folder in there gets the pair in it (RFC 6066 §3).
    pub fn open(dir: PathBuf, hostname: &str) -> Result<Self, TlsError> {
        issue::unless_present(&dir, hostname)?;
        let certificates = Arc::new(Certificates::open(dir, hostname)?);
        let resolver: Arc<dyn ResolvesServerCert> = certificates.clone();
        let mut config = ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .map_err(|error| TlsError::Setup(error.to_string()))?
            .with_no_client_auth()
            .with_cert_resolver(resolver);
        // Tickets cost no memory here, and a client that comes back saves a full handshake.
        config.ticketer =
            aws_lc_rs::Ticketer::new().map_err(|error| TlsError::Setup(error.to_string()))?;
        Ok(Self { acceptor: TlsAcceptor::from(Arc::new(config)), certificates })
    }

    /// Reads the folder again; new connections get what is there now. What is unusable stays as it
    /// was; the error is about the server's own pair.
    pub fn reload(&self) -> Result<(), TlsError> {
        self.certificates.reload()
    }

    /// What a client that asked for `name` was shown, unless the folder was read again meanwhile.
    pub(super) fn shown(&self, name: Option<&str>) -> Arc<CertifiedKey> {
        self.certificates.for_name(name)
    }

    /// The server's handshake on a connection that is nothing but TLS, within `limit`.
    pub async fn accept(
        &self,
        socket: TcpStream,
        limit: Duration,
    ) -> io::Result<TlsStream<TcpStream>> {
        timeout(limit, self.acceptor.accept(socket)).await?
    }

    pub(super) fn acceptor(&self) -> &TlsAcceptor {
        &self.acceptor
    }
}

/// The client's side; cheap to clone.
#[derive(Clone)]
pub struct ClientTls(TlsConnector);

impl ClientTls {
    /// Encrypts towards whoever answers, without asking who it is (RFC 7435): for mail to servers
    /// that publish no policy, where the alternative is plain text.
    pub fn opportunistic() -> Result<Self, TlsError> {
        let config = ClientConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .map_err(|error| TlsError::Setup(error.to_string()))?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(opportunistic::AnyCertificate::new(
                provider(),
            )))
            .with_no_client_auth();
        Ok(Self(TlsConnector::from(Arc::new(config))))
    }

    /// Encrypts towards whoever proves to `roots` to have the name that is asked for.
    ///
    /// # Errors
    /// Where there are no authorities to be believed.
    pub fn verified(roots: &Roots) -> Result<Self, TlsError> {
        let verifier = roots.verifier().ok_or(TlsError::NobodyTrusted)?;
        let config = ClientConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .map_err(|error| TlsError::Setup(error.to_string()))?
            .with_webpki_verifier(verifier)
            .with_no_client_auth();
        Ok(Self(TlsConnector::from(Arc::new(config))))
    }

    pub(super) fn connector(&self) -> &TlsConnector {
        &self.0
    }
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(aws_lc_rs::default_provider())
}

#[cfg(test)]
mod tests;
