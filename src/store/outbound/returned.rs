//! What others report about messages that have left.

use sqlx::Row as _;
use sqlx::postgres::PgRow;
use sqlx::types::Json;

use crate::domain::envelope::Notify;
use crate::domain::ids::{OutboundId, TenantId};
use crate::domain::outcome::Reply;
use crate::domain::queue::State;
use crate::store::db::Db;
use crate::store::error::Error;
use crate::store::outbound::notify_from;
use crate::store::tenant::TenantTx;

/// A row that a report may be about.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Sent {
    /// The row.
    pub id: OutboundId,
    /// Whose.
    pub tenant: TenantId,
    /// To whom it was.
    pub recipient: String,
    /// Who is told of reports.
    pub reverse_path: String,
    /// Of which reports (RFC 3461 NOTIFY).
    pub notify: Notify,
    /// A worker has it: what became of it is not written down yet.
    pub in_hand: bool,
}

/// A bounce that came later.
#[derive(Clone, Copy, Debug)]
pub struct Returned<'a> {
    /// What the report says: code, words.
    pub reply: &'a Reply,
    /// Who said so.
    pub host: Option<&'a str>,
    /// For the event.
    pub properties: &'a serde_json::Value,
    /// The recipient goes on the suppression list.
    pub suppress: bool,
}

const BOUNCE: &str = "
    WITH ended AS (
        UPDATE public.outbound_messages o
        SET state = 'bounced', finished_at = now(), last_code = $3, last_enhanced = $4, last_text = $5, last_host = $6
        WHERE o.id = $1 AND o.tenant_id = $2 AND o.state IN ('sent', 'delivered')
        RETURNING o.id, o.tenant_id, o.attempts, o.recipient, o.email_id, o.address_id
    ), attempt AS (
        INSERT INTO public.delivery_attempts (tenant_id, outbound_message_id, attempt, started_at, outcome, code, enhanced,
            reply, host)
        SELECT e.tenant_id, e.id, greatest(e.attempts, 1), now(), 'failed', $3, $4, $5, $6 FROM ended e
    ), event AS (
        INSERT INTO public.analytics_events (tenant_id, event, outbound_message_id, email_id, address_id, properties)
        SELECT e.tenant_id, 'email.bounced', e.id, e.email_id, e.address_id, $7 FROM ended e
    ), suppression AS (
        INSERT INTO public.suppression_list (tenant_id, address, reason, detail, outbound_message_id)
        SELECT e.tenant_id, e.recipient, 'hard_bounce', $5, e.id FROM ended e WHERE $8
        ON CONFLICT ON CONSTRAINT suppression_list_tenant_id_address_key DO NOTHING
    )
    SELECT EXISTS (SELECT 1 FROM ended)";

const COMPLAINT: &str = "
    WITH ended AS (
        UPDATE public.outbound_messages o SET state = 'complained'
        WHERE o.id = $1 AND o.tenant_id = $2 AND o.state IN ('sent', 'delivered')
        RETURNING o.id, o.tenant_id, o.recipient, o.from_address, o.email_id, o.address_id
    ), event AS (
        INSERT INTO public.analytics_events (tenant_id, event, outbound_message_id, email_id, address_id, properties)
        SELECT e.tenant_id, 'email.complained', e.id, e.email_id, e.address_id, $3 FROM ended e
    ), suppression AS (
        INSERT INTO public.suppression_list (tenant_id, address, reason, detail, outbound_message_id)
        SELECT e.tenant_id, e.recipient, 'complaint', $4, e.id FROM ended e
        ON CONFLICT ON CONSTRAINT suppression_list_tenant_id_address_key DO NOTHING
    ), warmup AS (
        UPDATE public.domain_warmup w SET complained_count = w.complained_count + 1
        FROM ended e JOIN public.tenant_domains d ON d.tenant_id = e.tenant_id AND d.domain = split_part(e.from_address, '@', 2)
        WHERE w.domain_id = d.id AND w.provider = '*'
    )
    SELECT EXISTS (SELECT 1 FROM ended)";

// The id is the same for the same news, however often it comes.
const NEWS: &str = "
    INSERT INTO public.analytics_events (id, tenant_id, event, outbound_message_id, email_id, address_id, properties)
    SELECT md5(o.id || ' ' || $3)::uuid, o.tenant_id, $3, o.id, o.email_id, o.address_id, $4
    FROM public.outbound_messages o WHERE o.id = $1 AND o.tenant_id = $2
    ON CONFLICT ON CONSTRAINT analytics_events_pkey DO NOTHING";

const COLUMNS: &str = "o.id, o.tenant_id, o.recipient, o.reverse_path, o.dsn_notify, o.state";

impl Db {
    /// The row of this id.
    pub async fn sent_row(&self, id: OutboundId) -> Result<Option<Sent>, Error> {
        let sql = format!("SELECT {COLUMNS} FROM public.outbound_messages o WHERE o.id = $1");
        let row = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(id.0).fetch_optional(self.pool());
        row.await?.as_ref().map(sent).transpose()
    }

    /// A message that was handed over has come back: once. Whether this is news.
    pub async fn note_bounce(&self, sent: &Sent, what: &Returned<'_>) -> Result<bool, Error> {
        Ok(sqlx::query_scalar(BOUNCE)
            .bind(sent.id.0)
            .bind(sent.tenant.0)
            .bind(i32::from(what.reply.code))
            .bind(what.reply.enhanced_text())
            .bind(&what.reply.text)
            .bind(what.host)
            .bind(Json(what.properties))
            .bind(what.suppress)
            .fetch_one(self.pool())
            .await?)
    }

    /// Whoever got a message does not want it: once. Whether this is news.
    pub async fn note_complaint(
        &self,
        sent: &Sent,
        kind: &str,
        properties: &serde_json::Value,
    ) -> Result<bool, Error> {
        Ok(sqlx::query_scalar(COMPLAINT)
            .bind(sent.id.0)
            .bind(sent.tenant.0)
            .bind(Json(properties))
            .bind(kind)
            .fetch_one(self.pool())
            .await?)
    }

    /// What is told of a message without being its end: an event, once.
    pub async fn note_news(
        &self,
        sent: &Sent,
        event: &str,
        properties: &serde_json::Value,
    ) -> Result<(), Error> {
        sqlx::query(NEWS)
            .bind(sent.id.0)
            .bind(sent.tenant.0)
            .bind(event)
            .bind(Json(properties))
            .execute(self.pool())
            .await?;
        Ok(())
    }
}

impl TenantTx {
    /// Rows of a message of this organisation, by its Message-ID or the envelope identifier that it
    /// was sent with; of these recipients, or of all where none is named.
    pub async fn sent_rows(
        &mut self,
        message_id: Option<&str>,
        envelope_id: Option<&str>,
        recipients: &[String],
    ) -> Result<Vec<Sent>, Error> {
        let tenant = self.id().0;
        let sql = format!(
            "SELECT {COLUMNS} FROM emails m
             JOIN public.outbound_messages o ON o.tenant_id = $1 AND o.email_id = m.id
             WHERE m.message_id = $2 AND (cardinality($4::text[]) = 0 OR o.recipient = ANY ($4))
                 AND o.source NOT IN ('forward', 'bounce', 'report')
             UNION
             SELECT {COLUMNS} FROM public.outbound_messages o
             WHERE o.tenant_id = $1 AND o.dsn_envid = $3 AND o.recipient = ANY ($4)
                 AND o.source NOT IN ('forward', 'bounce', 'report')
             LIMIT 100"
        );
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(tenant)
            .bind(message_id)
            .bind(envelope_id)
            .bind(recipients)
            .fetch_all(self.conn())
            .await?;
        rows.iter().map(sent).collect()
    }
}

fn sent(row: &PgRow) -> Result<Sent, Error> {
    let words: Vec<String> = row.try_get("dsn_notify")?;
    Ok(Sent {
        id: OutboundId(row.try_get("id")?),
        tenant: TenantId(row.try_get("tenant_id")?),
        recipient: row.try_get("recipient")?,
        reverse_path: row.try_get("reverse_path")?,
        notify: notify_from(&words),
        in_hand: row.try_get::<&str, _>("state")? == State::Sending.as_str(),
    })
}
