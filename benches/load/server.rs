//! The server of this build as a process of its own, and what it uses.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use koltrix_mail::config::Config;
use koltrix_mail::store::embedded::Embedded;
use sqlx::PgPool;

/// A running server with durable settings, removed with the value.
pub struct Server {
    pub smtp: SocketAddr,
    /// With TLS from the begin.
    pub submission: SocketAddr,
    pub imap: SocketAddr,
    child: Child,
    pub pool: PgPool,
    folder: tempfile::TempDir,
}

pub fn free_port() -> SocketAddr {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

/// Waits until somebody listens there.
pub async fn until_listening(who: &str, at: SocketAddr) {
    let started = Instant::now();
    while tokio::net::TcpStream::connect(at).await.is_err() {
        assert!(started.elapsed() < Duration::from_mins(1), "{who} does not start");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

impl Server {
    pub async fn start() -> Self {
        Self::start_with("").await
    }

    /// With more configuration.
    pub async fn start_with(more: &str) -> Self {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
        let [smtp, submission, imap] = std::array::from_fn(|_| free_port());
        let text = configuration(folder.path(), smtp, submission, imap) + more;
        let file = folder.path().join("config.toml");
        std::fs::write(&file, &text).unwrap();
        let child = Command::new(env!("CARGO_BIN_EXE_koltrix-mail"))
            .args(["serve", "--config"])
            .arg(&file)
            .stdout(std::process::Stdio::null())
            .spawn()
            .unwrap();
        until_listening("this server", smtp).await;
        let config = Config::parse(&text, |name| std::env::var(name).ok()).unwrap();
        let database = Embedded::borrow(&config).await.unwrap();
        let pool = PgPool::connect(database.url()).await.unwrap();
        Self { smtp, submission, imap, child, pool, folder }
    }

    pub async fn add_mailboxes(&self, count: usize) {
        sqlx::query("INSERT INTO tenants (slug, name) VALUES ('bench', 'Bench')")
            .execute(&self.pool)
            .await
            .unwrap();
        for n in 0..count {
            sqlx::query("INSERT INTO email_addresses (tenant_id, address) SELECT id, $1 FROM tenants WHERE slug = 'bench'")
                .bind(format!("user{n}@bench.test"))
                .execute(&self.pool)
                .await
                .unwrap();
        }
    }

    /// Its first process; Postgres is below it.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The certificate that signed its own.
    pub fn root(&self) -> PathBuf {
        self.folder.path().join("certs/ca.pem")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status();
        let _ = self.child.wait();
    }
}

fn configuration(
    folder: &Path,
    smtp: SocketAddr,
    submission: SocketAddr,
    imap: SocketAddr,
) -> String {
    let others: [SocketAddr; 3] = std::array::from_fn(|_| free_port());
    let [starttls, imap_starttls, http] = others;
    format!(
        "[server]\nhostname = \"bench.test\"\ndata_dir = {:?}\ncerts_dir = {:?}\nlog_filter = \"warn\"\n\
         [smtp]\nlisten = \"{smtp}\"\n[submission]\nlisten_starttls = \"{starttls}\"\nlisten_tls = \"{submission}\"\n\
         [imap]\nlisten_starttls = \"{imap_starttls}\"\nlisten_tls = \"{imap}\"\n[http]\nlisten = \"{http}\"\nlisten_tls = \"127.0.0.1:0\"\n\
         [metrics]\nlisten = \"\"\n\
         [limits]\nconnections = 20000\nconnections_per_address = 20000\n",
        folder.join("data").display().to_string(),
        folder.join("certs").display().to_string(),
    )
}
