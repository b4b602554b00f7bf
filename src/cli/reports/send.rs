//! `koltrix-mail reports send`

use anyhow::{Context as _, ensure};
use koltrix_mail::config::Config;
use koltrix_mail::store::db::Db;
use time::Date;
use time::macros::format_description;

use super::{table, views};
use crate::cli::output::Format;

/// Send the reports of a day now, also of one that is not over: a running server does it within
/// seconds. A domain that does not ask for reports, or no longer, gets none.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  koltrix-mail reports send --day 2026-11-22\n  \
                  koltrix-mail reports send --day 2026-11-22 --domain example.net --json")]
pub(super) struct Args {
    /// The day (UTC), YYYY-MM-DD.
    #[arg(long, value_parser = day)]
    day: Date,
    /// Only to this domain.
    #[arg(long)]
    domain: Option<String>,
    #[command(flatten)]
    format: Format,
}

impl Args {
    pub(super) async fn run(self, db: &Db, config: &Config) -> anyhow::Result<()> {
        ensure!(config.reports.from.is_some(), "no reports are sent: reports.from is empty");
        let days = db.hasten_reports(self.day, self.domain.as_deref()).await?;
        self.format.show(&views(days), |views| match views.len() {
            0 => format!("Nothing is counted for {}.", self.day),
            _ => table(views),
        })
    }
}

fn day(text: &str) -> anyhow::Result<Date> {
    Date::parse(text, format_description!("[year]-[month]-[day]"))
        .with_context(|| format!("{text:?} is no day such as 2026-11-22"))
}
