//! Rows that another program wrote with a text instead of a stored message.

use crate::domain::ids::EmailId;
use crate::domain::outcome::Outcome;
use crate::domain::queue::Source;
use crate::mail::ingest::{Ingest, Origin};
use crate::mail::{Error, outcome, render};
use crate::store::db::Db;
use crate::store::outbound::Leased;
use crate::wire::mime::{self, ComposeError, Person};

/// Composes them. Cheap to clone.
#[derive(Clone)]
pub struct Drafts {
    db: Db,
    ingest: Ingest,
}

impl Drafts {
    /// Over the stores.
    pub fn new(db: Db, ingest: Ingest) -> Self {
        Self { db, ingest }
    }

    /// Makes a message of what the row says, stores it and ties it to the row,
    /// in one transaction.
    ///
    /// # Errors
    /// What becomes of the row.
    pub async fn compose(&self, row: &Leased) -> Result<EmailId, Outcome> {
        if row.author.is_none() {
            return Err(Outcome::Failed(outcome::refused((5, 7, 1), render::NOT_VERIFIED)));
        }
        let draft =
            self.db.outbound_draft(row.id).await.map_err(|e| render::trouble(row, &e.into()))?;
        let own_id = format!("{}@{}", row.id, render::author_domain(row));
        let raw = mime::compose(&mime::Draft {
            from: Person { name: draft.from_name.as_deref(), address: &row.from_address },
            to: &[Person { name: None, address: &row.recipient }],
            subject: &draft.subject,
            text: draft.text.as_deref(),
            html: draft.html.as_deref(),
            message_id: draft.message_id.as_deref().unwrap_or(&own_id),
            date: row.queued_at.unix_timestamp(),
        });
        let raw = raw.map_err(|ComposeError(field)| {
            let why = format!("the row's {field} cannot be written into a message");
            Outcome::Failed(outcome::refused((5, 6, 0), why))
        })?;
        let raw = match row.source {
            Source::AutoReply => [automatic(&draft.answers).into_bytes(), raw].concat(),
            _ => raw,
        };
        self.keep(row, raw).await.map_err(|error| render::trouble(row, &error))
    }

    async fn keep(&self, row: &Leased, raw: Vec<u8>) -> Result<EmailId, Error> {
        let origin = Origin {
            source: "api",
            queue_id: Some(row.queue_id),
            reverse_path: Some(row.reverse_path.clone()),
            dedup_key: None,
            internal_date: None,
        };
        let email = self.ingest.prepare(row.tenant, raw.into(), origin, Vec::new()).await?;
        let mut tx = self.db.tenant(row.tenant).begin().await?;
        let stored = tx.store_email(&email).await?;
        tx.set_composed(row.id, stored.email, email.fields.message_id.as_deref()).await?;
        tx.commit().await?;
        Ok(stored.email)
    }
}

/// The fields that tell programs not to answer, and people what is answered
/// (RFC 3834 §3.1.5, §3.1.6, §5). What cannot be written is left out.
fn automatic(answers: &[String]) -> String {
    let id = |id: &String| format!("<{id}>");
    let all: Vec<String> = answers.iter().map(id).collect();
    let lines = [
        mime::field("Auto-Submitted", "auto-replied"),
        mime::field("In-Reply-To", all.last().map_or("", String::as_str)),
        mime::field("References", &all.join(" ")),
    ];
    let wanted = if answers.is_empty() { 1 } else { lines.len() };
    lines.into_iter().take(wanted).filter_map(Result::ok).collect()
}
