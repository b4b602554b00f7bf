//! `koltrix-mail queue show`

use std::fmt::Write as _;

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
use crate::cli::output::{Format, Table, moment};

/// Show a message to one recipient, with every attempt and the remote's own words.
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

#[derive(Serialize)]
struct Try {
    attempt: i32,
    #[serde(with = "time::serde::rfc3339")]
    started_at: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339")]
    finished_at: OffsetDateTime,
    outcome: String,
    /// A word of `domain::fault`.
    fault: Option<&'static str>,
    /// The same in a sentence.
    means: Option<&'static str>,
    reply: String,
    host: Option<String>,
    ip: Option<String>,
    tls: Option<String>,
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
    let mut table = Table::new(["TRY", "WHEN", "OUTCOME", "HOST", "TLS", "REPLY"]);
    for one in &detail.tries {
        table.row([
            one.attempt.to_string(),
            moment(one.started_at),
            one.outcome.clone(),
            one.host.clone().or_else(|| one.ip.clone()).unwrap_or_default(),
            one.tls.clone().unwrap_or_else(|| "no".to_owned()),
            one.reply.clone(),
        ]);
    }
    if !detail.tries.is_empty() {
        text.push('\n');
        text.push_str(&table.to_string());
    }
    // Each meaning once, where it is first met.
    let mut told = Vec::new();
    for (attempt, means) in detail.tries.iter().filter_map(|t| Some((t.attempt, t.means?))) {
        if !told.contains(&means) {
            told.push(means);
            // Writing to a String cannot fail.
            let _ = write!(text, "\nTry {attempt}: {means}.");
        }
    }
    if !told.is_empty() {
        text.push('\n');
    }
    text
}
