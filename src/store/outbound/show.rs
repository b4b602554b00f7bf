//! The queue as an operator sees it.

use sqlx::Row as _;
use sqlx::postgres::PgRow;
use sqlx::types::Uuid;
use sqlx::types::time::OffsetDateTime;

use crate::domain::ids::{EmailId, OutboundId, QueueId, TenantId};
use crate::domain::outcome::Reply;
use crate::domain::queue::{Class, Source, State};
use crate::store::db::Db;
use crate::store::error::Error;
use crate::store::outbound::{Selection, word};

/// One row of the queue.
#[derive(Clone, Debug)]
pub struct Listed {
    /// The row.
    pub id: OutboundId,
    /// The send that it is part of.
    pub queue_id: QueueId,
    /// Whose.
    pub tenant: TenantId,
    /// And its name.
    pub tenant_slug: String,
    /// The content.
    pub email: Option<EmailId>,
    /// What put it here.
    pub source: Source,
    /// How urgent it is.
    pub class: Class,
    /// Where it stands.
    pub state: State,
    /// Why it is held.
    pub held_reason: Option<String>,
    /// Empty for the null reverse-path.
    pub reverse_path: String,
    /// To whom.
    pub recipient: String,
    /// Subject.
    pub subject: String,
    /// Message-ID without `<>`.
    pub message_id: Option<String>,
    /// Attempts begun.
    pub attempts: i32,
    /// When it was queued.
    pub queued_at: OffsetDateTime,
    /// When it is due, while it is queued.
    pub next_attempt_at: OffsetDateTime,
    /// When it came to its end.
    pub finished_at: Option<OffsetDateTime>,
    /// The last reply: code, enhanced code, words.
    pub last_reply: Option<String>,
    /// Who gave it.
    pub last_host: Option<String>,
}

/// One attempt that was made.
#[derive(Clone, Debug)]
pub struct PastAttempt {
    /// Counted from 1.
    pub attempt: i32,
    /// When it began.
    pub started_at: OffsetDateTime,
    /// When it ended.
    pub finished_at: OffsetDateTime,
    /// `delivered`, `deferred` or `failed`.
    pub outcome: String,
    /// What was said.
    pub reply: Reply,
    /// The host.
    pub host: Option<String>,
    /// Its address.
    pub ip: Option<String>,
    /// Protocol and cipher.
    pub tls: Option<String>,
    /// The route that led there.
    pub route: Option<String>,
}

/// Columns of [`Listed`]; `$1` to `$5` are a [`Selection`].
const LIST: &str = "
    SELECT o.id, o.queue_id, o.tenant_id, t.slug, o.email_id, o.source, o.class, o.state, o.held_reason, o.reverse_path,
        o.recipient, o.subject, o.message_id, o.attempts, o.queued_at, o.next_attempt_at, o.finished_at,
        o.last_code || coalesce(' ' || o.last_enhanced, '') || ' ' || o.last_text AS last_reply, o.last_host
    FROM public.outbound_messages o JOIN public.tenants t ON t.id = o.tenant_id
    WHERE ($1::uuid[] IS NULL OR o.id = ANY ($1) OR o.queue_id = ANY ($1))
        AND ($2::text IS NULL OR t.slug = $2) AND ($3::text IS NULL OR o.recipient_domain = $3)
        AND o.state = ANY ($4) AND ($5::interval IS NULL OR o.queued_at < now() - $5)
    ORDER BY o.queued_at DESC, o.recipient LIMIT $6";

impl Db {
    /// The rows of a selection, newest first.
    pub async fn list_outbound(
        &self,
        selection: &Selection,
        limit: u32,
    ) -> Result<Vec<Listed>, Error> {
        let rows = selection
            .bind(sqlx::query(LIST))?
            .bind(i64::from(limit))
            .fetch_all(self.pool())
            .await?;
        rows.iter().map(listed).collect()
    }

    /// Every attempt of one row, oldest first.
    pub async fn attempts(&self, id: OutboundId) -> Result<Vec<PastAttempt>, Error> {
        let rows = sqlx::query(
            "SELECT a.attempt, a.started_at, a.finished_at, a.outcome, host(a.ip) AS ip, a.host, a.tls,
                a.code, a.enhanced, a.reply, a.route
             FROM public.delivery_attempts a WHERE a.outbound_message_id = $1 ORDER BY a.attempt, a.finished_at",
        )
        .bind(id.0)
        .fetch_all(self.pool())
        .await?;
        rows.iter().map(past_attempt).collect()
    }
}

fn listed(row: &PgRow) -> Result<Listed, Error> {
    Ok(Listed {
        id: OutboundId(row.try_get("id")?),
        queue_id: QueueId(row.try_get("queue_id")?),
        tenant: TenantId(row.try_get("tenant_id")?),
        tenant_slug: row.try_get("slug")?,
        email: row.try_get::<Option<Uuid>, _>("email_id")?.map(EmailId),
        source: word(row.try_get("source")?)?,
        class: word(row.try_get("class")?)?,
        state: word(row.try_get("state")?)?,
        held_reason: row.try_get("held_reason")?,
        reverse_path: row.try_get("reverse_path")?,
        recipient: row.try_get("recipient")?,
        subject: row.try_get("subject")?,
        message_id: row.try_get("message_id")?,
        attempts: row.try_get("attempts")?,
        queued_at: row.try_get("queued_at")?,
        next_attempt_at: row.try_get("next_attempt_at")?,
        finished_at: row.try_get("finished_at")?,
        last_reply: row.try_get("last_reply")?,
        last_host: row.try_get("last_host")?,
    })
}

fn past_attempt(row: &PgRow) -> Result<PastAttempt, Error> {
    Ok(PastAttempt {
        attempt: row.try_get("attempt")?,
        started_at: row.try_get("started_at")?,
        finished_at: row.try_get("finished_at")?,
        outcome: row.try_get("outcome")?,
        reply: reply(row)?,
        host: row.try_get("host")?,
        ip: row.try_get("ip")?,
        tls: row.try_get("tls")?,
        route: row.try_get("route")?,
    })
}

fn reply(row: &PgRow) -> Result<Reply, Error> {
    let enhanced: Option<&str> = row.try_get("enhanced")?;
    Ok(Reply {
        code: u16::try_from(row.try_get::<i32, _>("code")?).unwrap_or_default(),
        enhanced: enhanced.and_then(Reply::read_enhanced),
        text: row.try_get("reply")?,
    })
}
