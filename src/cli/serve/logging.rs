//! Log lines on standard error, for people or for collectors.

use std::io::{self, IsTerminal as _};

use koltrix_mail::config::{LogFormat, Server};
use tracing_subscriber::EnvFilter;

/// Starts logging, once for the process.
pub(super) fn start(settings: &Server) -> anyhow::Result<()> {
    let filter = EnvFilter::try_new(&settings.log_filter)
        .map_err(|error| anyhow::anyhow!("server.log_filter is refused: {error}"))?;
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr);
    let started = match settings.log_format {
        LogFormat::Json => log.json().flatten_event(true).try_init(),
        LogFormat::Text => log.with_ansi(io::stderr().is_terminal()).with_target(false).try_init(),
    };
    started.map_err(|error| anyhow::anyhow!("logging cannot be started: {error}"))
}
