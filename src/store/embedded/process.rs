//! A child that ends with us.

use std::process::{Child, Command};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tokio::sync::watch;

/// A running postmaster. Clones are the same one.
#[derive(Clone)]
pub(super) struct Process {
    pid: Pid,
    ended: watch::Receiver<bool>,
}

/// A fast shutdown that takes longer than this becomes an immediate one: the
/// log is replayed at the next start.
const FAST: Duration = Duration::from_secs(30);

impl Process {
    /// Starts `command`.
    ///
    /// The child is told by the kernel when the *thread* that started it ends
    /// (PR_SET_PDEATHSIG, prctl(2)), so one thread starts it and waits for it.
    pub(super) fn start(mut command: Command) -> std::io::Result<Self> {
        let (started, start) = std::sync::mpsc::channel();
        let (end, ended) = watch::channel(false);
        std::thread::Builder::new().name("postgres".into()).spawn(move || {
            let child = command.spawn();
            let child = child.and_then(|child| {
                let pid = pid(&child);
                Ok((child, pid?))
            });
            match child {
                Ok((mut child, pid)) => {
                    let _ = started.send(Ok(pid));
                    let _ = child.wait();
                    end.send_replace(true);
                }
                Err(error) => {
                    let _ = started.send(Err(error));
                }
            }
        })?;
        let pid = start.recv().map_err(std::io::Error::other)??;
        Ok(Self { pid, ended })
    }

    /// Whether it has ended.
    pub(super) fn has_ended(&self) -> bool {
        *self.ended.borrow()
    }

    /// Returns when it has ended.
    pub(super) async fn exited(&self) {
        // An error is the thread's end, which is the child's too.
        let _ = self.ended.clone().wait_for(|ended| *ended).await;
    }

    /// Fast shutdown, then an immediate one.
    pub(super) async fn stop(&self) {
        for signal in [Signal::INT, Signal::QUIT] {
            if self.has_ended() {
                return;
            }
            let _ = kill_process(self.pid, signal);
            if tokio::time::timeout(FAST, self.exited()).await.is_ok() {
                return;
            }
        }
        tracing::error!("the private Postgres does not stop");
    }
}

fn pid(child: &Child) -> std::io::Result<Pid> {
    let raw = i32::try_from(child.id()).map_err(std::io::Error::other)?;
    Pid::from_raw(raw).ok_or_else(|| std::io::Error::other("a child without a pid"))
}

/// Signals a process that is not our child.
pub(super) fn signal(pid: i32, signal: Signal) {
    if let Some(pid) = Pid::from_raw(pid) {
        let _ = kill_process(pid, signal);
    }
}
