//! Certificates that are renewed while the server runs.

use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};

use super::ServerTls;

/// How often the files are looked at.
const PERIOD: Duration = Duration::from_mins(1);

impl ServerTls {
    /// Takes new certificates: when the files have changed, looked at every minute, and at SIGHUP.
    /// Runs until it is dropped.
    pub async fn watch(self, mut hangup: Signal) {
        loop {
            let asked = tokio::select! {
                _ = hangup.recv() => true,
                () = tokio::time::sleep(PERIOD) => false,
            };
            let tls = self.clone();
            let _ = tokio::task::spawn_blocking(move || tls.refresh(asked)).await;
        }
    }

    fn refresh(&self, asked: bool) {
        if !asked && !self.certificates.is_stale() {
            return;
        }
        match self.reload() {
            Ok(()) => tracing::info!("certificates were read again"),
            Err(error) => tracing::warn!(%error, "new certificates cannot be used; the old stay"),
        }
    }
}

/// SIGHUP, from now on; must be called in a runtime.
pub fn hangup() -> std::io::Result<Signal> {
    signal(SignalKind::hangup())
}
