//! `koltrix-mail queue show`

use anyhow::bail;
use koltrix_mail::domain::fault::Fault;
use koltrix_mail::domain::ids::OutboundId;
use koltrix_mail::mail::outcome::fault;
use koltrix_mail::store::db::Db;
use koltrix_mail::store::outbound::{PastAttempt, Selection};
use serde::Serialize;
use time::OffsetDateTime;
use uuid::Uuid;

use super::list::View;
use super::story::story;
use crate::cli::output::Format;

/// Show a message to one recipient, and tell its story: every attempt with the remote's own
/// words, and what is next.
#[derive(clap::Args)]
#[command(after_help = "Example:\n  koltrix-mail queue show 3f0c0f4e-8f6c-4a44-9c0b-0f5d2f6f3a10")]
pub(super) struct Args {
    /// Which one, as `queue list` shows it.
    id: Uuid,
    #[command(flatten)]
    format: Format,
}

#[derive(Serialize)]
struct Detail {
    #[serde(flatten)]
    message: View,
    tries: Vec<Try>,
}

/// One attempt, as `--json` has it.
#[derive(Serialize)]
pub(super) struct Try {
    pub(super) attempt: i32,
    #[serde(with = "time::serde::rfc3339")]
    pub(super) started_at: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339")]
    pub(super) finished_at: OffsetDateTime,
    pub(super) outcome: String,
    /// A word of `domain::fault`.
    pub(super) fault: Option<&'static str>,
    /// The same in a sentence.
    pub(super) means: Option<&'static str>,
    pub(super) reply: String,
    pub(super) host: Option<String>,
    pub(super) ip: Option<String>,
    pub(super) tls: Option<String>,
    /// The smarthost or the source address that was chosen.
    pub(super) route: Option<String>,
}

impl From<PastAttempt> for Try {
    fn from(attempt: PastAttempt) -> Self {
        let refused = attempt.outcome != "delivered";
        let fault = refused.then(|| fault(&attempt.reply, attempt.ip.is_some()));
        Self {
            attempt: attempt.attempt,
            started_at: attempt.started_at,
            finished_at: attempt.finished_at,
            outcome: attempt.outcome,
            fault: fault.map(Fault::as_str),
            means: fault.map(Fault::words),
            reply: attempt.reply.to_string(),
            host: attempt.host,
            ip: attempt.ip,
            tls: attempt.tls,
            route: attempt.route,
        }
    }
}

impl Args {
    pub(super) async fn run(self, db: &Db) -> anyhow::Result<()> {
        let selection = Selection { ids: Some(vec![self.id]), ..Selection::default() };
        let mut rows = db.list_outbound(&selection, 2).await?;
        let (row, more) = (rows.pop(), !rows.is_empty());
        let Some(row) = row else {
            bail!("there is no message {}: `koltrix-mail queue list` shows what there is", self.id)
        };
        if more {
            bail!("{0} went to several: `koltrix-mail queue list {0}` shows them", self.id)
        }
        let attempts = db.attempts(OutboundId(row.id.0)).await?;
        let tries = attempts.into_iter().map(Try::from).collect();
        self.format.show(&Detail { message: row.into(), tries }, text)
    }
}

fn text(detail: &Detail) -> String {
    let line = |(name, value): (&str, String)| {
        format!("{name:<13} {}\n", value.replace(char::is_control, "?"))
    };
    let mut text: String = detail.message.lines().into_iter().map(line).collect();
    text.push('\n');
    for sentence in story(&detail.message, &detail.tries) {
        text.push_str(&sentence.replace(char::is_control, "?"));
        text.push('\n');
    }
    text
}
