//! The server of this build as a process of its own, and what it uses.

use std::net::SocketAddr;
use std::ops::Sub;
use std::path::Path;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use koltrix_mail::config::Config;
use koltrix_mail::store::embedded::Embedded;
use sqlx::PgPool;

#[path = "rules.rs"]
mod rules;

/// A running server with durable settings, removed with the value.
pub struct Server {
    pub smtp: SocketAddr,
    child: Child,
    pool: PgPool,
    _folder: tempfile::TempDir,
}

/// What was used up to a moment.
#[derive(Clone, Copy, Debug)]
pub struct Usage {
    /// CPU of the server, in milliseconds.
    pub server_ms: f64,
    /// CPU of all Postgres processes, in milliseconds.
    pub database_ms: f64,
    /// Transactions of the database.
    pub commits: f64,
    /// Times the log was made durable.
    pub wal_syncs: f64,
}

impl Sub for Usage {
    type Output = Self;
    fn sub(self, before: Self) -> Self {
        Self {
            server_ms: self.server_ms - before.server_ms,
            database_ms: self.database_ms - before.database_ms,
            commits: self.commits - before.commits,
            wal_syncs: self.wal_syncs - before.wal_syncs,
        }
    }
}

fn free_port() -> SocketAddr {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

impl Server {
    pub async fn start() -> Self {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
        let smtp = free_port();
        let text = configuration(folder.path(), smtp);
        let file = folder.path().join("config.toml");
        std::fs::write(&file, &text).unwrap();
        let child = Command::new(env!("CARGO_BIN_EXE_koltrix-mail"))
            .args(["serve", "--config"])
            .arg(&file)
            .stdout(std::process::Stdio::null())
            .spawn()
            .unwrap();
        let started = Instant::now();
        while tokio::net::TcpStream::connect(smtp).await.is_err() {
            assert!(started.elapsed() < Duration::from_mins(1), "the server does not start");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let config = Config::parse(&text, |name| std::env::var(name).ok()).unwrap();
        let database = Embedded::borrow(&config).await.unwrap();
        let pool = PgPool::connect(database.url()).await.unwrap();
        Self { smtp, child, pool, _folder: folder }
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

    /// See [`rules::add`]; takes effect at once.
    pub async fn add_rules(&self) {
        rules::add(&self.pool).await;
    }

    /// Every message lies where the rules want it, and each mailbox has
    /// answered its one correspondent once.
    pub async fn assert_rules_acted(&self) {
        rules::assert_acted(&self.pool).await;
    }

    pub async fn usage(&self) -> Usage {
        let (commits, wal_syncs): (i64, i64) = sqlx::query_as(
            "SELECT pg_stat_get_db_xact_commit(d.oid), (SELECT wal_sync FROM pg_stat_wal)
             FROM pg_database d WHERE d.datname = current_database()",
        )
        .fetch_one(&self.pool)
        .await
        .unwrap();
        let (server_ms, database_ms) = cpu(self.child.id());
        Usage { server_ms, database_ms, commits: commits as f64, wal_syncs: wal_syncs as f64 }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status();
        let _ = self.child.wait();
    }
}

fn configuration(folder: &Path, smtp: SocketAddr) -> String {
    let others: [SocketAddr; 5] = std::array::from_fn(|_| free_port());
    let [starttls, tls, imap_starttls, imap_tls, http] = others;
    format!(
        "[server]\nhostname = \"bench.test\"\ndata_dir = {:?}\ncerts_dir = {:?}\nlog_filter = \"warn\"\n\
         [smtp]\nlisten = \"{smtp}\"\n[submission]\nlisten_starttls = \"{starttls}\"\nlisten_tls = \"{tls}\"\n\
         [imap]\nlisten_starttls = \"{imap_starttls}\"\nlisten_tls = \"{imap_tls}\"\n[http]\nlisten = \"{http}\"\n\
         [limits]\nconnections_per_address = 1000\n",
        folder.join("data").display().to_string(),
        folder.join("certs").display().to_string(),
    )
}

/// CPU in milliseconds of the server and of the Postgres below it, ended
/// processes included (proc_pid_stat(5): utime, stime, cutime, cstime).
fn cpu(server: u32) -> (f64, f64) {
    let processes: Vec<(u32, u32, f64)> = std::fs::read_dir("/proc")
        .unwrap()
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter_map(|pid: u32| {
            let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
            let fields: Vec<&str> = stat.rsplit_once(") ")?.1.split(' ').collect();
            let number =
                |n: usize| fields.get(n).and_then(|f| f.parse::<f64>().ok()).unwrap_or(0.0);
            Some((pid, number(1) as u32, (number(11) + number(12)) * 10.0))
        })
        .collect();
    let below = |top: u32, parent: u32| {
        let mut pid = parent;
        while pid > 1 && pid != top {
            pid = processes.iter().find(|(p, ..)| *p == pid).map_or(0, |(_, parent, _)| *parent);
        }
        pid == top
    };
    let own = processes.iter().find(|(pid, ..)| *pid == server).map_or(0.0, |(.., ms)| *ms);
    let database =
        processes.iter().filter(|(_, parent, _)| below(server, *parent)).map(|(.., ms)| ms).sum();
    (own, database)
}
