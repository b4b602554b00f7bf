//! The end of the process: asked for once, finished in order.

use std::future::Future;
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Tells every task that the end was asked for, and waits for those it was given. Clones share both.
#[derive(Clone, Default)]
pub struct Shutdown {
    token: CancellationToken,
    tasks: TaskTracker,
}

impl Shutdown {
    /// Nothing was asked for yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Runs a task that [`Shutdown::finish`] waits for. It has to watch [`Shutdown::requested`]
    /// wherever it may wait for long.
    pub fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.tasks.spawn(task);
    }

    /// Asks for the end.
    pub fn request(&self) {
        self.token.cancel();
    }

    /// Returns when the end was asked for. Can be cancelled without loss.
    pub async fn requested(&self) {
        self.token.cancelled().await;
    }

    /// Whether the end was asked for.
    pub fn is_requested(&self) -> bool {
        self.token.is_cancelled()
    }

    /// Asks for the end at the first SIGINT or SIGTERM; must be called in a runtime.
    pub fn on_signals(&self) -> std::io::Result<()> {
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut terminate = signal(SignalKind::terminate())?;
        let shutdown = self.clone();
        tokio::spawn(async move {
            let name = tokio::select! {
                _ = interrupt.recv() => "SIGINT",
                _ = terminate.recv() => "SIGTERM",
            };
            tracing::info!(signal = name, "stopping");
            shutdown.request();
        });
        Ok(())
    }

    /// Waits for the tasks to end after the end was asked for; false when some had not within the
    /// grace.
    pub async fn finish(&self, grace: Duration) -> bool {
        self.tasks.close();
        timeout(grace, self.tasks.wait()).await.is_ok()
    }
}

#[cfg(test)]
mod tests {
    use rustix::process::{Signal, getpid, kill_process};

    use super::*;

    #[tokio::test]
    async fn the_end_is_told_to_all_and_waits_for_all() {
        let shutdown = Shutdown::new();
        let (told, heard) = tokio::sync::oneshot::channel();
        let watcher = shutdown.clone();
        shutdown.spawn(async move {
            watcher.requested().await;
            told.send(()).unwrap();
        });
        assert!(!shutdown.is_requested());
        assert!(!shutdown.finish(Duration::from_millis(20)).await);
        shutdown.request();
        assert!(shutdown.finish(Duration::from_secs(10)).await);
        heard.await.unwrap();
    }

    #[tokio::test]
    async fn a_signal_asks_for_the_end() {
        let shutdown = Shutdown::new();
        shutdown.on_signals().unwrap();
        kill_process(getpid(), Signal::TERM).unwrap();
        timeout(Duration::from_secs(10), shutdown.requested()).await.unwrap();
    }
}
