//! A server that is measured.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use rustls::ClientConfig;
use rustls::pki_types::{CertificateDer, pem::PemObject as _};

use super::dns;
use super::sink::Sink;
use crate::process;
use crate::server::Server;

/// A running server that delivers to the sink.
#[derive(Clone)]
pub struct Peer {
    pub name: &'static str,
    pub submission: SocketAddr,
    /// For who wants TLS and a login.
    pub tls: Option<Arc<ClientConfig>>,
    /// Its first process.
    pid: u32,
    /// Stops it when nobody needs it any more.
    _running: Arc<dyn Send + Sync>,
}

impl Peer {
    pub fn new(
        name: &'static str,
        submission: SocketAddr,
        root: Option<PathBuf>,
        pid: u32,
        running: impl Send + Sync + 'static,
    ) -> Self {
        let tls = root.map(|root| {
            let mut roots = rustls::RootCertStore::empty();
            roots.add(CertificateDer::from_pem_file(root).unwrap()).unwrap();
            Arc::new(ClientConfig::builder().with_root_certificates(roots).with_no_client_auth())
        });
        Self { name, submission, tls, pid, _running: Arc::new(running) }
    }

    /// CPU of all its processes.
    pub fn cpu_ms(&self) -> f64 {
        let (own, below) = process::cpu_ms(self.pid);
        own + below
    }
}

/// This server.
pub async fn this(sink: &Sink) -> Peer {
    let resolver = dns::start().await;
    let more = format!("[queue]\nsmtp_port = {}\n[dns]\nservers = [\"{resolver}\"]\n", sink.port);
    let server = Server::start_with(&more).await;
    server.add_mailboxes(1).await;
    let hash = koltrix_mail::mail::password::hash(super::client::PASSWORD).unwrap();
    let set = "UPDATE email_addresses SET password_hash = $1, save_sent = false";
    sqlx::query(set).bind(hash).execute(&server.pool).await.unwrap();
    let set = "UPDATE tenant_domains SET verified_at = now()";
    sqlx::query(set).execute(&server.pool).await.unwrap();
    let keys = "SELECT count(*) FROM domain_keys";
    while sqlx::query_scalar::<_, i64>(keys).fetch_one(&server.pool).await.unwrap() < 2 {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let (at, root, pid) = (server.submission, server.root(), server.pid());
    Peer::new("this server", at, Some(root), pid, server)
}
