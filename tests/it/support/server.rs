//! The real server, once for all tests of a run, on free ports.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};

use koltrix_mail::app::{self, Addresses, Roles};
use koltrix_mail::config::Config;
use koltrix_mail::store::embedded::Durability;
use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;
use tokio::sync::OnceCell;

use super::dns::Dns;
use super::postgres::{self, RUNTIME};
use super::remote_mx::{self, RemoteMx};
use super::{log, policy_server};

/// The server of this run and what it talks to.
pub struct Server {
    /// Where it listens.
    pub at: Addresses,
    /// The name service it asks.
    pub dns: Dns,
    /// Its database.
    pub pool: PgPool,
    /// Where its objects lie.
    pub objects: PathBuf,
    /// The port it finds other mail servers on.
    pub mx_port: u16,
}

/// An organisation with a domain that is proven, and its mailboxes.
pub struct Tenant {
    /// Its id.
    pub id: uuid::Uuid,
    /// Its schema.
    pub schema: String,
    /// Its domain.
    pub domain: String,
}

/// The password of every mailbox that [`Tenant::mailbox`] makes.
pub const PASSWORD: &str = "correct horse battery staple";

/// Whose ARC seals the server believes.
pub const TRUSTED_SEALER: &str = "trusted-lists.test";

/// Who the server's reports are from: of a domain that [`crate::reports`] gives to somebody.
pub const REPORTS_FROM: &str = "dmarc@reports.koltrix.test";

/// Starts the server, the first time.
pub async fn server() -> &'static Server {
    static SERVER: OnceCell<Server> = OnceCell::const_new();
    SERVER.get_or_init(|| async { RUNTIME.spawn(start()).await.unwrap() }).await
}

async fn start() -> Server {
    log::keep();
    let dns = Dns::start().await;
    let mx_port = free_port();
    let folder = postgres::folder().join("server");
    let config = configuration(&folder, &postgres::url().await, dns.addr(), mx_port);
    let running = app::start(Arc::new(config), Roles::ALL, Durability::None).await.unwrap();
    let at = running.addresses;
    // It ends with the process.
    std::mem::forget(running);
    // Every test has a runtime of its own, and a connection dies with the one
    // it was opened in: none may outlast the query it was opened for.
    let pool = PgPoolOptions::new()
        .after_release(|_, _| Box::pin(async { Ok(false) }))
        .connect_lazy(&postgres::url().await)
        .unwrap();
    Server { at, dns, pool, objects: folder.join("objects"), mx_port }
}

/// Settings for a server under test: free ports, quick retries.
pub fn configuration(
    folder: &std::path::Path,
    database: &str,
    dns: SocketAddr,
    mx_port: u16,
) -> Config {
    let text = format!(
        r#"
        [server]
        hostname = "mx.koltrix.test"
        data_dir = {:?}
        certs_dir = {:?}
        [database]
        url = {database:?}
        [smtp]
        listen = "127.0.0.1:0"
        [submission]
        scram = true
        listen_starttls = "127.0.0.1:0"
        listen_tls = "127.0.0.1:0"
        [imap]
        listen_starttls = "127.0.0.1:0"
        listen_tls = "127.0.0.1:0"
        [http]
        listen = "127.0.0.1:0"
        listen_tls = "127.0.0.1:0"
        public_url = "http://track.koltrix.test"
        [metrics]
        listen = "127.0.0.1:0"
        [limits]
        connections_per_address = 1000
        [queue]
        retry = ["1s"]
        smtp_port = {mx_port}
        mta_sts_port = {}
        trusted_roots = {:?}
        [dns]
        servers = [{:?}]
        trusted = true
        [reports]
        from = "{REPORTS_FROM}"
        organization = "Koltrix Test"
        [authenticity]
        trusted_arc_sealers = ["{TRUSTED_SEALER}"]
        "#,
        folder.display().to_string(),
        folder.join("certs").display().to_string(),
        policy_server::port(),
        remote_mx::trusted_roots(),
        dns.to_string(),
    );
    Config::parse(&text, |name| std::env::var(name).ok()).unwrap()
}

fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

impl Server {
    /// Somebody else's mail server for a domain of its own: on an address of
    /// its own, on the port that this run uses for all of them.
    pub async fn remote(&self, tls: bool) -> (RemoteMx, String) {
        let (at, _, domain) = self.elsewhere();
        (RemoteMx::start(at, tls).await, domain)
    }

    /// As [`Self::remote`] under TLS, with a certificate that proves its name.
    pub async fn proven_remote(&self) -> (RemoteMx, String) {
        let (at, host, domain) = self.elsewhere();
        (RemoteMx::start_proven(at, &host).await, domain)
    }

    /// An address that is free, and the host and the domain that lead to it.
    fn elsewhere(&self) -> (SocketAddr, String, String) {
        static NEXT: AtomicU16 = AtomicU16::new(1);
        let n = NEXT.fetch_add(1, Ordering::Relaxed);
        let [high, low] = n.to_be_bytes();
        let ip = IpAddr::V4(Ipv4Addr::new(127, 77, high, low.max(1)));
        let domain = format!("remote{n}-{}.test", uuid::Uuid::new_v4().simple());
        let host = format!("mx.{domain}");
        self.dns.mx(&domain, 10, &host).ip(&host, ip);
        (SocketAddr::new(ip, self.mx_port), host, domain)
    }

    /// A fresh organisation with a proven domain.
    pub async fn tenant(&self) -> Tenant {
        let organisation = postgres::organisation(&self.pool).await;
        let domain = format!("{}.test", organisation.slug);
        sqlx::query(
            "INSERT INTO tenant_domains (tenant_id, domain, verified_at) VALUES ($1, $2, now())",
        )
        .bind(organisation.id)
        .bind(&domain)
        .execute(&self.pool)
        .await
        .unwrap();
        Tenant { id: organisation.id, schema: organisation.schema(), domain }
    }
}

impl Tenant {
    /// Makes a mailbox with [`PASSWORD`]; returns its address.
    pub async fn mailbox(&self, name: &str) -> String {
        static HASH: OnceCell<String> = OnceCell::const_new();
        let hash = || async {
            tokio::task::spawn_blocking(|| koltrix_mail::mail::password::hash(PASSWORD).unwrap())
                .await
                .unwrap()
        };
        let address = format!("{name}@{}", self.domain);
        sqlx::query(
            "INSERT INTO email_addresses (tenant_id, address, password_hash) VALUES ($1, $2, $3)",
        )
        .bind(self.id)
        .bind(&address)
        .bind(HASH.get_or_init(hash).await)
        .execute(&server().await.pool)
        .await
        .unwrap();
        address
    }
}
