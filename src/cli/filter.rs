//! `koltrix-mail filter`: the filters of a mailbox, and what they do.

use std::fmt::Write as _;
use std::path::PathBuf;

use anyhow::Context as _;
use clap::Subcommand;
use koltrix_mail::domain::address::Address;
use koltrix_mail::mail::filters::{Filters, Listed, Tried};
use koltrix_mail::mail::rules::Explained;

use super::context::Context;
use super::database::with_database;
use super::explain::explain;
use super::output::{Format, Table};

/// See the filters of a mailbox and try them on a message.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    List(List),
    Test(Test),
}

/// List the enabled filters of a mailbox in the order in which they are asked.
#[derive(clap::Args)]
#[command(after_help = "Example:\n  koltrix-mail filter list jo@acme.example")]
struct List {
    /// Which mailbox.
    address: Address,
    #[command(flatten)]
    format: Format,
}

/// Explain what the filters of a mailbox make of a message; nothing is changed.
#[derive(clap::Args)]
#[command(after_help = "Example:\n  koltrix-mail filter test jo@acme.example message.eml")]
struct Test {
    /// Which mailbox.
    address: Address,
    /// The message, as a file with its header.
    message: PathBuf,
    #[command(flatten)]
    format: Format,
}

impl Args {
    pub(crate) async fn run(self, context: &Context) -> anyhow::Result<()> {
        with_database(context, async |db| {
            let filters = Filters::new(db);
            match self.verb {
                Verb::List(args) => args.run(&filters).await,
                Verb::Test(args) => args.run(&filters).await,
            }
        })
        .await
    }
}

impl List {
    async fn run(self, filters: &Filters) -> anyhow::Result<()> {
        let all = filters.list(&self.address).await;
        let all = all.map_err(|e| explain(self.address.as_str(), e))?;
        self.format.show(&all, |all| table(all))
    }
}

impl Test {
    async fn run(self, filters: &Filters) -> anyhow::Result<()> {
        let raw = std::fs::read(&self.message)
            .with_context(|| format!("the message {} cannot be read", self.message.display()))?;
        let tried = filters.test(&self.address, &raw).await;
        let tried = tried.map_err(|e| explain(self.address.as_str(), e))?;
        self.format.show(&tried, |tried| story(tried))
    }
}

fn table(all: &[Listed]) -> String {
    let mut table = Table::new(["NAME", "ACTIONS"]);
    for filter in all {
        let actions = match &filter.error {
            Some(error) => format!("not applied: {error}"),
            None => filter.actions.join("; "),
        };
        table.row([filter.name.clone(), actions]);
    }
    table.to_string()
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

/// What is stored came from outside, and a terminal obeys control characters.
fn plain(text: &str) -> String {
    text.replace(char::is_control, "?")
}
