//! `koltrix-mail queue retry`, `hold`, `release` and `cancel`: one change each to a selection.

use anyhow::ensure;
use koltrix_mail::domain::ids::OutboundId;
use koltrix_mail::store::Error;
use koltrix_mail::store::db::Db;
use koltrix_mail::store::notify::Channel;
use koltrix_mail::store::outbound::Selection;
use serde_json::json;

use super::selection::Which;
use crate::cli::output::Format;

/// What all four take.
#[derive(clap::Args)]
struct Change {
    #[command(flatten)]
    which: Which,
    /// Every message that it can be done to.
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    format: Format,
}

impl Change {
    async fn run(
        self,
        db: &Db,
        done: &str,
        change: impl AsyncFnOnce(&Selection) -> Result<Vec<OutboundId>, Error>,
    ) -> anyhow::Result<()> {
        ensure!(
            self.all || !self.which.is_all(),
            "say which messages: ids, --tenant, --domain, --state, --older-than, or --all"
        );
        let changed = change(&self.which.selection()).await?;
        if !changed.is_empty() {
            db.notify(Channel::Queue, "").await?;
        }
        let ids: Vec<String> = changed.iter().map(ToString::to_string).collect();
        self.format.show(&json!({ "changed": ids }), |_| match ids.len() {
            1 => format!("{done} 1 message."),
            many => format!("{done} {many} messages."),
        })
    }
}

/// Try queued messages again now.
#[derive(clap::Args)]
#[command(after_help = "Example:\n  koltrix-mail queue retry --domain example.net")]
pub(super) struct Retry {
    #[command(flatten)]
    change: Change,
}

impl Retry {
    pub(super) async fn run(self, db: &Db) -> anyhow::Result<()> {
        self.change.run(db, "Now due:", async |which| db.retry_outbound(which).await).await
    }
}

/// Keep queued messages back until they are released.
#[derive(clap::Args)]
#[command(
    after_help = "Example:\n  koltrix-mail queue hold --tenant acme --reason 'asked by their admin'"
)]
pub(super) struct Hold {
    #[command(flatten)]
    change: Change,
    /// Why, for whoever finds them.
    #[arg(long, default_value = "by hand")]
    reason: String,
}

impl Hold {
    pub(super) async fn run(self, db: &Db) -> anyhow::Result<()> {
        let reason = self.reason;
        let hold = async |which: &Selection| db.hold_outbound(which, &reason).await;
        self.change.run(db, "Held", hold).await
    }
}

/// Let held messages go, now.
#[derive(clap::Args)]
#[command(after_help = "Example:\n  koltrix-mail queue release --tenant acme")]
pub(super) struct Release {
    #[command(flatten)]
    change: Change,
}

impl Release {
    pub(super) async fn run(self, db: &Db) -> anyhow::Result<()> {
        self.change.run(db, "Released", async |which| db.release_outbound(which).await).await
    }
}

/// Drop queued and held messages for good; their senders are not told.
#[derive(clap::Args)]
#[command(
    after_help = "Example:\n  koltrix-mail queue cancel 3f0c0f4e-8f6c-4a44-9c0b-0f5d2f6f3a10"
)]
pub(super) struct Cancel {
    #[command(flatten)]
    change: Change,
}

impl Cancel {
    pub(super) async fn run(self, db: &Db) -> anyhow::Result<()> {
        self.change.run(db, "Cancelled", async |which| db.cancel_outbound(which).await).await
    }
}
