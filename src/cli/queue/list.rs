//! `koltrix-mail queue list`

use koltrix_mail::store::db::Db;
use koltrix_mail::store::outbound::Listed;
use serde::Serialize;
use time::OffsetDateTime;

use super::selection::Which;
use crate::cli::output::{Format, Table, moment};

/// List outgoing messages, newest first: one line for each recipient.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  koltrix-mail queue list --state queued\n  \
                  koltrix-mail queue list --tenant acme --domain example.net --json")]
pub(super) struct Args {
    #[command(flatten)]
    which: Which,
    /// At most so many.
    #[arg(long, default_value_t = 100)]
    limit: u32,
    #[command(flatten)]
    format: Format,
}

/// A message to one recipient, as `--json` has it.
#[derive(Serialize)]
pub(super) struct View {
    pub(super) id: String,
    queue_id: String,
    tenant: String,
    pub(super) state: &'static str,
    pub(super) held_reason: Option<String>,
    pub(super) source: &'static str,
    pub(super) class: &'static str,
    pub(super) sender: String,
    pub(super) recipient: String,
    subject: String,
    message_id: Option<String>,
    attempts: i32,
    #[serde(with = "time::serde::rfc3339")]
    pub(super) queued_at: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339")]
    pub(super) next_attempt_at: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339::option")]
    pub(super) finished_at: Option<OffsetDateTime>,
    last_reply: Option<String>,
    last_host: Option<String>,
}

impl From<Listed> for View {
    fn from(row: Listed) -> Self {
        Self {
            id: row.id.to_string(),
            queue_id: row.queue_id.to_string(),
            tenant: row.tenant_slug,
            state: row.state.as_str(),
            held_reason: row.held_reason,
            source: row.source.as_str(),
            class: row.class.as_str(),
            sender: row.reverse_path,
            recipient: row.recipient,
            subject: row.subject,
            message_id: row.message_id,
            attempts: row.attempts,
            queued_at: row.queued_at,
            next_attempt_at: row.next_attempt_at,
            finished_at: row.finished_at,
            last_reply: row.last_reply,
            last_host: row.last_host,
        }
    }
}

impl View {
    /// Every field with its name, for people.
    pub(super) fn lines(&self) -> Vec<(&'static str, String)> {
        let optional = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
        vec![
            ("id", self.id.clone()),
            ("queue id", self.queue_id.clone()),
            ("tenant", self.tenant.clone()),
            ("state", self.state.to_owned()),
            ("held because", optional(&self.held_reason)),
            ("source", format!("{}, {}", self.source, self.class)),
            ("sender", format!("<{}>", self.sender)),
            ("recipient", format!("<{}>", self.recipient)),
            ("subject", self.subject.clone()),
            ("message id", optional(&self.message_id)),
            ("queued", moment(self.queued_at)),
            ("next attempt", self.due()),
            ("ended", moment(self.finished_at)),
            ("last reply", optional(&self.last_reply)),
            ("from host", optional(&self.last_host)),
        ]
    }

    /// When it is tried next, if it is to be tried.
    fn due(&self) -> String {
        moment((self.state == "queued").then_some(self.next_attempt_at))
    }
}

impl Args {
    pub(super) async fn run(self, db: &Db) -> anyhow::Result<()> {
        let rows = db.list_outbound(&self.which.selection(), self.limit).await?;
        let views: Vec<View> = rows.into_iter().map(View::from).collect();
        self.format.show(&views, |views| table(views))
    }
}

fn table(views: &[View]) -> String {
    let mut table =
        Table::new(["ID", "TENANT", "STATE", "RECIPIENT", "TRIES", "QUEUED", "NEXT", "LAST REPLY"]);
    for view in views {
        table.row([
            view.id.clone(),
            view.tenant.clone(),
            view.state.to_owned(),
            view.recipient.clone(),
            view.attempts.to_string(),
            moment(view.queued_at),
            view.due(),
            view.held_reason.as_ref().or(view.last_reply.as_ref()).cloned().unwrap_or_default(),
        ]);
    }
    table.to_string()
}
