//! `koltrix-mail reports list`

use koltrix_mail::store::db::Db;

use super::{table, views};
use crate::cli::output::Format;

/// List domains that are yet to be told, with what was counted of each day (UTC).
#[derive(clap::Args)]
#[command(after_help = "Example:\n  koltrix-mail reports list --domain example.net --json")]
pub(super) struct Args {
    /// Only this domain.
    #[arg(long)]
    domain: Option<String>,
    #[command(flatten)]
    format: Format,
}

impl Args {
    pub(super) async fn run(self, db: &Db) -> anyhow::Result<()> {
        let days = db.counted_days(None, self.domain.as_deref()).await?;
        self.format.show(&views(days), |views| table(views))
    }
}
