//! The private Postgres of a server without `database.url`.
//!
//! A real cluster of version 16 or newer in the data directory, reached over a
//! Unix socket in a folder that only its owner can enter, run as a child of
//! this process and never as root. A lock file says which process has it.

mod binaries;
mod bootstrap;
mod cluster;
mod error;
mod owner;
mod process;

use std::fs::File;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::watch;

use crate::config::Config;
use cluster::Cluster;
use process::Process;

pub use error::EmbeddedError;

/// Whether commits survive a power cut.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Durability {
    /// They do.
    Full,
    /// They do not: for tests, which throw the cluster away.
    None,
}

/// A running private Postgres.
pub struct Embedded {
    url: String,
    running: Option<Supervised>,
}

/// The child of this process, and the right to have it.
struct Supervised {
    stopping: Arc<AtomicBool>,
    process: watch::Receiver<Process>,
    _lock: File,
}

impl Embedded {
    /// Starts the cluster, making it on the first start.
    ///
    /// # Errors
    /// Says what to install or to change; [`EmbeddedError::Taken`] when another
    /// process has it.
    pub async fn start(config: &Config, durability: Durability) -> Result<Self, EmbeddedError> {
        let bin_dir = binaries::find(&config.database.embedded.bin_dir)?;
        let cluster = Cluster::locate(&config.server.data_dir, bin_dir, durability)?;
        let lock = cluster.lock()?;
        cluster.stop_leftover().await?;
        cluster.create_if_missing().await?;
        let process = cluster.spawn()?;
        let url = cluster.url("koltrix", "koltrix");
        bootstrap::until_ready(&cluster, &process).await?;
        bootstrap::role_and_database(&cluster).await?;
        Ok(Self { url, running: Some(supervise(cluster, process, lock)) })
    }

    /// The cluster for one command: that of the server that runs on this data
    /// directory, else started for as long as the value lives.
    pub async fn borrow(config: &Config) -> Result<Self, EmbeddedError> {
        match Self::start(config, Durability::Full).await {
            Err(EmbeddedError::Taken { url, .. }) => Ok(Self { url, running: None }),
            other => other,
        }
    }

    /// How to connect, as the role that owns everything of ours.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Stops the cluster, if this process started it; close the pools first.
    pub async fn stop(self) {
        if let Some(running) = self.running {
            running.stopping.store(true, Ordering::SeqCst);
            let process = running.process.borrow().clone();
            process.stop().await;
        }
    }
}

/// Starts the postmaster again should it end by itself.
fn supervise(cluster: Cluster, process: Process, lock: File) -> Supervised {
    let stopping = Arc::new(AtomicBool::new(false));
    let (current, process) = watch::channel(process);
    let stop = Arc::clone(&stopping);
    tokio::spawn(async move {
        loop {
            let process = current.borrow().clone();
            process.exited().await;
            if stop.load(Ordering::SeqCst) {
                return;
            }
            tracing::error!("the private Postgres ended; starting it again");
            tokio::time::sleep(std::time::Duration::from_millis(500)).await;
            match cluster.spawn() {
                Ok(process) => current.send_replace(process),
                Err(error) => {
                    tracing::error!(%error, "the private Postgres does not start");
                    continue;
                }
            };
        }
    });
    Supervised { stopping, process, _lock: lock }
}
