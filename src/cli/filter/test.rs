//! `koltrix-mail filter test`.

use std::fmt::Write as _;
use std::path::PathBuf;

use anyhow::Context as _;
use koltrix_mail::domain::address::Address;
use koltrix_mail::mail::filters::{Filters, Tried};
use koltrix_mail::mail::rules::Explained;

use super::plain;
use crate::cli::explain::explain;
use crate::cli::output::Format;

/// Explain what the filters of a mailbox make of a message; nothing is changed.
#[derive(clap::Args)]
#[command(after_help = "Example:\n  koltrix-mail filter test jo@acme.example message.eml")]
pub(super) struct Test {
    /// Which mailbox.
    address: Address,
    /// The message, as a file with its header.
    message: PathBuf,
    #[command(flatten)]
    format: Format,
}

impl Test {
    pub(super) async fn run(self, filters: &Filters) -> anyhow::Result<()> {
        let raw = std::fs::read(&self.message)
            .with_context(|| format!("the message {} cannot be read", self.message.display()))?;
        let tried = filters.test(&self.address, &raw).await;
        let tried = tried.map_err(|e| explain(self.address.as_str(), e))?;
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
