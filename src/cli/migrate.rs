//! `koltrix-mail migrate`

use koltrix_mail::store::migrate::{self, MIGRATIONS};
use serde_json::json;

use super::context::Context;
use super::database::with_any_database;
use super::output::Format;

/// Bring the database's schema up to date (`serve` does it too, when it starts).
#[derive(clap::Args)]
#[command(after_help = "Example:\n  koltrix-mail migrate --config /etc/koltrix-mail.toml")]
pub(crate) struct Args {
    #[command(flatten)]
    format: Format,
}

impl Args {
    pub(crate) async fn run(self, context: &Context) -> anyhow::Result<()> {
        let applied =
            with_any_database(context, async |db| Ok(migrate::migrate(&db, MIGRATIONS).await?))
                .await?;
        self.format.show(&json!({ "applied": applied }), |_| match applied.as_slice() {
            [] => "The database is up to date.".to_owned(),
            names => format!("Applied: {}", names.join(", ")),
        })
    }
}
