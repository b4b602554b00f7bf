//! A server that is measured.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use rustls::ClientConfig;
use rustls::client::Resumption;
use rustls::pki_types::{CertificateDer, pem::PemObject as _};

use super::load;
use crate::process;
use crate::server::Server;

/// A running server whose mailboxes are full.
#[derive(Clone)]
pub struct Peer {
    pub name: &'static str,
    pub imap: SocketAddr,
    /// Trusts the certificate that it shows, or the one that signed it. Every handshake is whole.
    pub tls: Arc<ClientConfig>,
    /// Its first process.
    pub pid: u32,
    /// Where it takes mail, if it does.
    pub smtp: Option<SocketAddr>,
    /// Stops it when nobody needs it any more.
    _running: Running,
}

type Running = Arc<dyn Send + Sync>;

impl Peer {
    /// A server that listens, with its mailboxes filled.
    pub async fn filled(
        name: &'static str,
        (imap, smtp): (SocketAddr, Option<SocketAddr>),
        root: PathBuf,
        pid: u32,
        running: impl Send + Sync + 'static,
    ) -> Self {
        let mut roots = rustls::RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(root).unwrap()).unwrap();
        let mut tls = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
        tls.resumption = Resumption::disabled();
        let tls = Arc::new(tls);
        let peer = Self { name, imap, tls, pid, smtp, _running: Arc::new(running) };
        load::fill(&peer).await;
        peer
    }

    /// CPU of all its processes.
    pub fn cpu_ms(&self) -> f64 {
        let (own, below) = process::cpu_ms(self.pid);
        own + below
    }

    /// Memory of all its processes that it shares with nobody.
    pub fn memory_kib(&self) -> f64 {
        process::memory_kib(self.pid)
    }
}

/// This server.
pub async fn this() -> Peer {
    let server = Server::start().await;
    server.add_mailboxes(load::MAILBOXES).await;
    let hash = koltrix_mail::mail::password::hash(super::client::PASSWORD).unwrap();
    let set = "UPDATE email_addresses SET password_hash = $1 WHERE address LIKE '%@bench.test'";
    sqlx::query(set).bind(hash).execute(&server.pool).await.unwrap();
    let (at, root, pid) = ((server.imap, Some(server.smtp)), server.root(), server.pid());
    Peer::filled("this server", at, root, pid, server).await
}
