//! `koltrix-mail filter test`.

use std::fmt::Write as _;
use std::path::PathBuf;

use anyhow::Context as _;
use koltrix_mail::domain::address::Address;
use koltrix_mail::domain::ids::EmailId;
use koltrix_mail::mail::Error;
use koltrix_mail::mail::filters::{Filters, Tried};
use koltrix_mail::mail::rules::Explained;
use uuid::Uuid;

use super::plain;
use crate::cli::explain::explain;
use crate::cli::output::Format;

/// Explain what the filters of a mailbox make of a message; nothing is changed.
#[derive(clap::Args)]
#[command(after_help = "Example:\n  koltrix-mail filter test jo@acme.example message.eml\n  \
    koltrix-mail filter test jo@acme.example --email 0b7a1c52-0d64-4c5e-9a43-1f5d2f0f3d6e")]
pub(super) struct Test {
    /// Which mailbox.
    address: Address,
    /// The message, as a file with its header.
    #[arg(required_unless_present = "email")]
    message: Option<PathBuf>,
    /// A stored message instead, by the id of its row in `emails`: with what was
    /// found out about it when it came.
    #[arg(long, value_name = "ID", conflicts_with = "message")]
    email: Option<Uuid>,
    #[command(flatten)]
    format: Format,
}

impl Test {
    pub(super) async fn run(self, filters: &Filters) -> anyhow::Result<()> {
        let tried = match (self.email, &self.message) {
            (Some(email), _) => filters.test_stored(&self.address, EmailId(email)).await,
            (None, Some(path)) => {
                let raw = std::fs::read(path)
                    .with_context(|| format!("the message {} cannot be read", path.display()))?;
                filters.test(&self.address, &raw).await
            }
            (None, None) => anyhow::bail!("a message or --email is needed"),
        };
        let tried = tried.map_err(|error| match (&error, self.email) {
            (Error::NotFound("email"), Some(email)) => explain(&email.to_string(), error),
            _ => explain(self.address.as_str(), error),
        })?;
        self.format.show(&tried, |tried| story(tried))
    }
}

fn story(tried: &[Tried]) -> String {
    if tried.is_empty() {
        return "There are no filters: the message goes to the INBOX.".to_owned();
    }
    let mut out = String::new();
    for filter in tried {
        let outcome = match (filter.asked, filter.matched) {
            (false, _) => "not asked, one before it stopped",
            (true, false) => "does not match",
            (true, true) => "matches",
        };
        let _ = writeln!(out, "{}: {outcome}", plain(&filter.name));
        conditions(&filter.because, 1, &mut out);
        for action in &filter.actions {
            let _ = writeln!(out, "  => {}", plain(action));
        }
    }
    out
}

fn conditions(explained: &Explained, level: usize, out: &mut String) {
    let answer = if explained.holds { "yes" } else { "no" };
    let _ = writeln!(out, "{}{}: {answer}", "  ".repeat(level), plain(&explained.condition));
    for part in &explained.parts {
        conditions(part, level + 1, out);
    }
}
