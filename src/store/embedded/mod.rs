//! A private PostgreSQL in the data directory: found, made, started, watched and stopped.
//!
//! ```text
//! data_dir/postgres       the cluster, with its Unix socket; mode 0700, no TCP
//! data_dir/postgres.lock  held while a server uses the cluster
//! data_dir/postgres.log   what PostgreSQL says (and .log.1, what it said before)
//! ```
//!
//! PostgreSQL refuses to run as root. Under root its processes belong to another account, which is
//! given the cluster's folder and nothing else.

mod account;
mod binaries;
mod bootstrap;
mod cluster;
mod error;
mod launch;
mod leftover;
mod log;
mod supervisor;

use std::fs::File;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use crate::config::Config;
use cluster::Cluster;
pub use error::EmbeddedError;
use launch::Launch;
use supervisor::Supervisor;

/// How often a start looks whether the cluster is ready.
const POLL: Duration = Duration::from_millis(20);
/// How long a command waits for the cluster of a server that is starting.
const PATIENCE: Duration = Duration::from_secs(30);
/// Connections for commands, backups and whoever looks, beside the server's pool; and the least in
/// all.
const BESIDE_POOL: u32 = 20;
const FEWEST_CONNECTIONS: u32 = 100;

/// What a crash of the machine may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// Nothing that was committed.
    Full,
    /// The whole cluster: for tests, which throw it away.
    None,
}

/// What to start.
#[derive(Debug, Clone)]
struct Settings {
    /// The node's data directory, which exists.
    data_dir: PathBuf,
    /// The folder of `postgres` and `initdb`; empty means looking for it.
    bin_dir: PathBuf,
    max_connections: u32,
    durability: Durability,
}

impl Settings {
    fn of(config: &Config, durability: Durability) -> Self {
        let pool = config.database.max_connections.get();
        Self {
            data_dir: config.server.data_dir.clone(),
            bin_dir: config.database.embedded.bin_dir.clone(),
            max_connections: pool.saturating_add(BESIDE_POOL).max(FEWEST_CONNECTIONS),
            durability,
        }
    }
}

/// A private cluster that runs, here or in another process. Stop it with [`Embedded::stop`] after the last connection is closed;
/// dropped without that, it is told to stop and not waited for.
pub struct Embedded {
    url: String,
    /// None when another process runs it.
    running: Option<Running>,
    /// Names the socket where its path is too long for one; see [`cluster::Cluster::socket_dir`].
    _socket_dir: Option<File>,
}

struct Running {
    supervisor: Supervisor,
    _lock: File,
}

impl Embedded {
    /// Starts the cluster, which is made first when there is none, and what a killed server left
    /// behind is stopped. Returns when it takes connections; should it end by itself later, it is
    /// started again.
    ///
    /// # Errors
    /// Each says what to install or to change; [`EmbeddedError::Taken`] when another process has
    /// the data directory.
    pub async fn start(config: &Config, durability: Durability) -> Result<Self, EmbeddedError> {
        Self::start_with(Settings::of(config, durability)).await
    }

    async fn start_with(settings: Settings) -> Result<Self, EmbeddedError> {
        let task = tokio::task::spawn_blocking(move || prepare(&settings));
        let (cluster, lock, launch) =
            task.await.map_err(|error| EmbeddedError::Setup(error.to_string()))??;
        let running = Running { supervisor: Supervisor::spawn(launch)?, _lock: lock };
        match Self::connected(&cluster, &running.supervisor).await {
            Ok((url, socket_dir)) => {
                Ok(Self { url, running: Some(running), _socket_dir: socket_dir })
            }
            Err(error) => {
                running.supervisor.stop().await;
                Err(error)
            }
        }
    }

    async fn connected(
        cluster: &Cluster,
        supervisor: &Supervisor,
    ) -> Result<(String, Option<File>), EmbeddedError> {
        wait_until_ready(cluster, supervisor).await?;
        supervisor.keep_alive();
        let (host, socket_dir) = cluster.socket_dir()?;
        bootstrap::run(&host).await.map_err(|error| EmbeddedError::Setup(error.to_string()))?;
        Ok((bootstrap::url(&host, bootstrap::ROLE, bootstrap::DATABASE), socket_dir))
    }

    /// The cluster for one command: that of the server that runs on this data directory, else
    /// started for as long as the value lives.
    ///
    /// # Errors
    /// As [`Embedded::start`]; [`EmbeddedError::Taken`] when the other process does not get its
    /// cluster to work within half a minute.
    pub async fn borrow(config: &Config) -> Result<Self, EmbeddedError> {
        Self::borrow_with(Settings::of(config, Durability::Full)).await
    }

    async fn borrow_with(settings: Settings) -> Result<Self, EmbeddedError> {
        let cluster = Cluster::at(&settings.data_dir)?;
        let deadline = Instant::now() + PATIENCE;
        loop {
            // The other process may just be starting or stopping it.
            match Self::start_with(settings.clone()).await {
                Err(EmbeddedError::Taken { .. }) if cluster.is_ready() => {
                    let (host, socket_dir) = cluster.socket_dir()?;
                    let url = bootstrap::url(&host, bootstrap::ROLE, bootstrap::DATABASE);
                    return Ok(Self { url, running: None, _socket_dir: socket_dir });
                }
                Err(EmbeddedError::Taken { .. }) if Instant::now() < deadline => {
                    tokio::time::sleep(POLL).await;
                }
                other => return other,
            }
        }
    }

    /// Where to connect, as the server's own role: no superuser, owner of its database.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Stops the cluster, if this process runs it: sessions are ended, a checkpoint is written.
    /// After half a minute it is aborted instead, which costs a recovery at the next start and no
    /// data.
    pub async fn stop(self) {
        if let Some(running) = self.running {
            running.supervisor.stop().await;
        }
    }
}

/// All that blocks: the lock, leftovers, the search for binaries, initdb.
fn prepare(settings: &Settings) -> Result<(Cluster, File, Launch), EmbeddedError> {
    let cluster = Cluster::at(&settings.data_dir)?;
    let lock = cluster.lock()?;
    leftover::stop(&cluster)?;
    let account = account::for_cluster(&cluster)?;
    let binaries = binaries::find(&settings.bin_dir, account.as_ref(), cluster.version()?)?;
    let launch = Launch::new(cluster.clone(), binaries, account, settings);
    if !cluster.exists() {
        tracing::info!(dir = %cluster.dir().display(), "making the private database cluster");
        launch.initdb()?;
    }
    Ok((cluster, lock, launch))
}

async fn wait_until_ready(cluster: &Cluster, supervisor: &Supervisor) -> Result<(), EmbeddedError> {
    // No deadline: recovery after a crash takes what it takes, and a start that failed ends.
    while !cluster.is_ready() {
        tokio::select! {
            why = supervisor.ended() => {
                return Err(EmbeddedError::Ended { log: cluster.log_path(), why });
            }
            () = tokio::time::sleep(POLL) => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
