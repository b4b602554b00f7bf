//! `koltrix-mail filter apply`.

use std::fmt::Write as _;
use std::io::{IsTerminal as _, Write as _};
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use koltrix_mail::domain::address::Address;
use koltrix_mail::mail::filters::Filters;
use koltrix_mail::mail::filters::apply::{Applied, Request};

use super::plain;
use crate::cli::explain::explain;
use crate::cli::output::Format;

/// Apply the enabled filters of a mailbox to the messages that a folder holds.
///
/// Messages are moved, labelled, flagged and marked as read; discarded ones go
/// to Trash. Nothing is forwarded, answered, rejected or told to a webhook: that
/// is for new mail, and only counted here. It may be stopped at any time (Ctrl-C)
/// and begun anew; clients that are connected see what changes.
#[derive(clap::Args)]
#[command(
    after_help = "Example:\n  koltrix-mail filter apply --mailbox jo@acme.example --folder Archive/2025 --dry-run"
)]
pub(super) struct Apply {
    /// Whose filters, and whose mail.
    #[arg(long)]
    mailbox: Address,
    /// The folder, by its full name.
    #[arg(long, default_value = "INBOX")]
    folder: String,
    /// Only the filters of this name, or the one with this id.
    #[arg(long)]
    filter: Option<String>,
    /// Change nothing, and say what would be done.
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    format: Format,
}

impl Apply {
    pub(super) async fn run(self, filters: &Filters) -> anyhow::Result<()> {
        let request = Request {
            address: self.mailbox,
            folder: self.folder,
            filter: self.filter,
            dry_run: self.dry_run,
        };
        let stop = Arc::new(AtomicBool::new(false));
        let on_interrupt = tokio::spawn(interrupted(Arc::clone(&stop)));
        let terminal = std::io::stderr().is_terminal();
        let applied = filters.apply(&request, |applied| {
            if terminal {
                let (done, all) = (applied.examined, applied.messages);
                let _ = write!(std::io::stderr(), "\r{done} of {all} messages");
            }
            match stop.load(Ordering::Relaxed) {
                true => ControlFlow::Break(()),
                false => ControlFlow::Continue(()),
            }
        });
        let applied = applied.await;
        on_interrupt.abort();
        if terminal {
            // The line of the progress, made empty again.
            let _ = write!(std::io::stderr(), "\r\x1b[K");
        }
        let subject = |error: &koltrix_mail::mail::Error| match error {
            koltrix_mail::mail::Error::NotFound("folder") => request.folder.clone(),
            koltrix_mail::mail::Error::NotFound("filter") => {
                request.filter.clone().unwrap_or_default()
            }
            _ => request.address.to_string(),
        };
        let applied = applied.map_err(|error| explain(&plain(&subject(&error)), error))?;
        self.format.show(&applied, report)
    }
}

/// The batch at hand is brought to its end.
async fn interrupted(stop: Arc<AtomicBool>) {
    if tokio::signal::ctrl_c().await.is_ok() {
        stop.store(true, Ordering::Relaxed);
    }
}

fn report(applied: &Applied) -> String {
    let mut out = String::new();
    for filter in &applied.filters {
        let _ = writeln!(out, "{}: matches {}", plain(&filter.name), filter.matched);
    }
    for name in &applied.unreadable {
        let _ = writeln!(out, "{}: cannot be read, not applied", plain(name));
    }
    let would = if applied.dry_run { "would be " } else { "" };
    for (count, what) in [
        (applied.moved, "moved"),
        (applied.discarded, "put into Trash"),
        (applied.labelled, "labelled"),
        (applied.flagged, "flagged"),
        (applied.read, "marked as read"),
    ] {
        if count > 0 {
            let _ = writeln!(out, "{count} {would}{what}");
        }
    }
    let left_out = applied.left_out;
    for (count, what) in [
        (left_out.forward, "forwarded"),
        (left_out.reply, "answered"),
        (left_out.reject, "rejected"),
        (left_out.webhook, "told to a webhook"),
    ] {
        if count > 0 {
            let _ = writeln!(out, "{count} not {what}: that is for new mail");
        }
    }
    let end = if applied.finished { "" } else { "; stopped, the rest is as it was" };
    let _ = writeln!(out, "{} of {} messages looked at{end}", applied.examined, applied.messages);
    out
}
