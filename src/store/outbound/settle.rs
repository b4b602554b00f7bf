//! What became of an attempt.

use sqlx::postgres::PgConnection;
use sqlx::types::Json;
use sqlx::types::time::OffsetDateTime;

use crate::domain::ids::{EmailId, NodeId, OutboundId};
use crate::domain::outcome::{Outcome, Reply, Via};
use crate::domain::queue::State;
use crate::store::db::Db;
use crate::store::error::Error;
use crate::store::tenant::TenantTx;

/// Where a leased row goes from here.
#[derive(Clone, Debug)]
pub struct Settlement<'a> {
    /// The row.
    pub id: OutboundId,
    /// Whose lease it is.
    pub node: NodeId,
    /// The next state.
    pub state: State,
    /// When it is due again, for [`State::Queued`].
    pub next_attempt_at: Option<OffsetDateTime>,
    /// The event's name in `analytics_events`.
    pub event: &'static str,
    /// Why: the reply that decided it.
    pub reply: &'a Reply,
    /// The attempt, where one was made.
    pub attempt: Option<Attempt<'a>>,
    /// The recipient goes on the suppression list.
    pub suppress: bool,
}

/// One row of `delivery_attempts`.
#[derive(Clone, Copy, Debug)]
pub struct Attempt<'a> {
    /// When it began.
    pub started_at: OffsetDateTime,
    /// How it ended.
    pub outcome: &'a Outcome,
    /// Where and how it was made.
    pub via: &'a Via,
}

// Whoever finds the lease gone leaves the row to its new holder, except for a
// delivery: that is a fact, and knowing it keeps the message from going twice.
const SETTLE: &str = "
    WITH settled AS (
        UPDATE public.outbound_messages o
        SET state = $3, next_attempt_at = coalesce($4, o.next_attempt_at), leased_until = NULL, leased_by = NULL,
            held_reason = NULL, finished_at = CASE WHEN $3 = 'queued' THEN NULL ELSE now() END,
            last_code = $5, last_enhanced = $6, last_text = $7, last_host = $8
        WHERE o.id = $1 AND (o.state = 'sending' AND o.leased_by = $2
            OR $3 = 'delivered' AND o.state IN ('queued', 'held', 'sending', 'expired', 'cancelled'))
        RETURNING o.id, o.tenant_id, o.attempts, o.recipient, o.email_id, o.address_id
    ), attempt AS (
        INSERT INTO public.delivery_attempts (tenant_id, outbound_message_id, attempt, started_at, outcome, code, enhanced,
            reply, host, ip, tls)
        SELECT s.tenant_id, s.id, s.attempts, $10, $9, $5, $6, $7, $8, $11::inet, $12 FROM settled s WHERE $9 IS NOT NULL
    ), event AS (
        INSERT INTO public.analytics_events (tenant_id, event, outbound_message_id, email_id, address_id, properties)
        SELECT s.tenant_id, $13, s.id, s.email_id, s.address_id, $14 || jsonb_build_object('attempt', s.attempts)
        FROM settled s
    ), suppression AS (
        INSERT INTO public.suppression_list (tenant_id, address, reason, detail, outbound_message_id)
        SELECT s.tenant_id, s.recipient, 'hard_bounce', $7, s.id FROM settled s WHERE $15
        ON CONFLICT ON CONSTRAINT suppression_list_tenant_id_address_key DO NOTHING
    )
    SELECT CASE WHEN $3 = 'delivered' THEN public.note_first_sent(s.tenant_id) END IS NULL FROM settled s";

impl TenantTx {
    /// The sender was told that a row is late.
    pub async fn note_delay(&mut self, id: OutboundId) -> Result<(), Error> {
        sqlx::query("UPDATE public.outbound_messages SET delay_notified_at = now() WHERE id = $1")
            .bind(id.0)
            .execute(self.conn())
            .await?;
        Ok(())
    }
}

impl Db {
    /// Settles one recipient in a transaction of its own: one round trip.
    /// Whether the row was still this node's.
    pub async fn settle(&self, settlement: &Settlement<'_>) -> Result<bool, Error> {
        let mut conn = self.pool().acquire().await?;
        settle(&mut conn, settlement).await
    }
}

impl TenantTx {
    /// Settles one recipient as part of this transaction.
    pub async fn settle(&mut self, settlement: &Settlement<'_>) -> Result<bool, Error> {
        settle(self.conn(), settlement).await
    }

    /// The content that was composed for a row that another program wrote.
    pub async fn set_composed(
        &mut self,
        row: OutboundId,
        email: EmailId,
        message_id: Option<&str>,
    ) -> Result<(), Error> {
        sqlx::query(
            "UPDATE public.outbound_messages SET email_id = $2, message_id = coalesce(message_id, $3)
             WHERE id = $1 AND email_id IS NULL",
        )
        .bind(row.0)
        .bind(email.0)
        .bind(message_id)
        .execute(self.conn())
        .await?;
        Ok(())
    }
}

async fn settle(conn: &mut PgConnection, settlement: &Settlement<'_>) -> Result<bool, Error> {
    let Settlement { reply, attempt, .. } = settlement;
    let via = attempt.map(|attempt| attempt.via);
    let host = via.and_then(|via| via.host.as_deref());
    let tls = via.and_then(|via| via.tls.as_deref());
    let enhanced = reply.enhanced_text();
    let properties = serde_json::json!({
        "code": reply.code, "enhanced": &enhanced, "host": host, "tls": tls,
    });
    let done = sqlx::query(SETTLE)
        .bind(settlement.id.0)
        .bind(settlement.node.0)
        .bind(settlement.state.as_str())
        .bind(settlement.next_attempt_at)
        .bind(i32::from(reply.code))
        .bind(&enhanced)
        .bind(&reply.text)
        .bind(host)
        .bind(attempt.map(|attempt| outcome_word(attempt.outcome)))
        .bind(attempt.map(|attempt| attempt.started_at))
        .bind(via.and_then(|via| via.ip).map(|ip| ip.to_string()))
        .bind(tls)
        .bind(settlement.event)
        .bind(Json(properties))
        .bind(settlement.suppress)
        .fetch_optional(conn)
        .await?;
    Ok(done.is_some())
}

fn outcome_word(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Delivered(_) => "delivered",
        Outcome::Deferred(_) => "deferred",
        Outcome::Failed(_) => "failed",
    }
}
