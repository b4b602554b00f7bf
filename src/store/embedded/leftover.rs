//! PostgreSQL processes that outlived a killed server.

use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use super::EmbeddedError;
use super::cluster::Cluster;

/// How long a leftover may take to end in order, and then to abort.
const PATIENCE: Duration = Duration::from_secs(30);
const POLL: Duration = Duration::from_millis(20);

/// Ends what still runs on the cluster and removes its stale lock file. The caller holds the
/// cluster's lock, so that nothing here can be another server's.
///
/// The lock file goes only when nobody is left: it is PostgreSQL's own guard against a second
/// start beside orphaned processes.
pub(super) fn stop(cluster: &Cluster) -> Result<(), EmbeddedError> {
    let mut signal = Signal::INT;
    let mut deadline = Instant::now() + PATIENCE;
    let mut told = Vec::new();
    loop {
        let left = running_on(cluster);
        let Some(&one) = left.first() else { break };
        if Instant::now() > deadline {
            if signal == Signal::QUIT {
                return Err(EmbeddedError::Leftover(one.as_raw_nonzero().get()));
            }
            (signal, deadline) = (Signal::QUIT, Instant::now() + PATIENCE);
            told.clear();
        }
        for pid in left {
            if !told.contains(&pid) {
                tracing::info!(pid = pid.as_raw_nonzero(), "stopping what an earlier run left");
                // One that ended in the meantime needs no telling.
                let _ = kill_process(pid, signal);
                told.push(pid);
            }
        }
        thread::sleep(POLL);
    }
    let path = cluster.pid_path();
    match fs::remove_file(&path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(EmbeddedError::Io { path, error }),
        _ => Ok(()),
    }
}

/// Processes called postgres whose working directory is the cluster, or the one in the making:
/// every one of PostgreSQL's is, and a process that merely got an old number is not.
fn running_on(cluster: &Cluster) -> Vec<Pid> {
    let identity = |path: &Path| fs::metadata(path).ok().map(|data| (data.dev(), data.ino()));
    let ours = [identity(cluster.dir()), identity(&cluster.draft())];
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries
        .filter_map(|entry| {
            let pid = Pid::from_raw(entry.file_name().to_str()?.parse().ok()?)?;
            let name = fs::read_to_string(entry.path().join("comm")).ok()?;
            if name.trim_end() != "postgres" {
                return None;
            }
            let here = identity(&entry.path().join("cwd"))?;
            ours.contains(&Some(here)).then_some(pid)
        })
        .collect()
}
