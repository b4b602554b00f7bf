//! `koltrix-mail route remove`

use anyhow::bail;
use koltrix_mail::store::db::Db;
use serde_json::json;

use super::Whose;
use crate::cli::output::Format;

/// Remove a route; mail that waits takes the next one there is.
#[derive(clap::Args)]
#[command(after_help = "Example:\n  koltrix-mail route remove acme --domain news.acme.example")]
pub(super) struct Args {
    #[command(flatten)]
    whose: Whose,
    #[command(flatten)]
    format: Format,
}

impl Args {
    pub(super) async fn run(self, db: &Db) -> anyhow::Result<()> {
        let (tenant, domain) = self.whose.find(db).await?;
        let whose = self.whose.text();
        if !db.remove_route(tenant, domain).await? {
            bail!("{whose} has no route of its own: `koltrix-mail route list` shows what there is");
        }
        self.format.show(&json!({ "removed": whose }), |_| format!("Removed the route of {whose}."))
    }
}
