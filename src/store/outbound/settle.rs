//! What became of an attempt.

use std::collections::HashSet;

use sqlx::Row as _;
use sqlx::postgres::PgConnection;
use sqlx::types::time::OffsetDateTime;
use sqlx::types::{Json, Uuid};

use crate::domain::fault::Fault;
use crate::domain::ids::{EmailId, NodeId, OutboundId};
use crate::domain::outcome::{Outcome, Reply, Via};
use crate::domain::queue::State;
use crate::store::db::Db;
use crate::store::error::Error;
use crate::store::tenant::TenantTx;

/// Where a leased row goes from here.
#[derive(Clone, Debug)]
pub struct Settlement {
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
    pub reply: Reply,
    /// The attempt, where one was made.
    pub attempt: Option<Attempt>,
    /// What a refusal is about; for the event.
    pub fault: Option<Fault>,
    /// The recipient goes on the suppression list.
    pub suppress: bool,
}

/// One row of `delivery_attempts`.
#[derive(Clone, Debug)]
pub struct Attempt {
    /// When it began.
    pub started_at: OffsetDateTime,
    /// How it ended.
    pub outcome: Outcome,
    /// Where and how it was made.
    pub via: Via,
}

// Whoever finds the lease gone leaves the row to its new holder, except for a
// delivery: that is a fact, and knowing it keeps the message from going twice.
const SETTLE: &str = "
    WITH ended AS (
        SELECT * FROM unnest($2::uuid[], $3::text[], $4::timestamptz[], $5::integer[], $6::text[], $7::text[], $8::text[],
            $9::text[], $10::timestamptz[], $11::text[], $12::text[], $13::text[], $14::jsonb[], $15::boolean[], $16::text[])
            AS e (id, state, due, code, enhanced, reply, host, outcome, started_at, ip, tls, event, properties, suppress, route)
    ), settled AS (
        UPDATE public.outbound_messages o
        SET state = e.state, next_attempt_at = coalesce(e.due, o.next_attempt_at), leased_until = NULL, leased_by = NULL,
            held_reason = NULL, finished_at = CASE WHEN e.state = 'queued' THEN NULL ELSE now() END,
            last_code = e.code, last_enhanced = e.enhanced, last_text = e.reply, last_host = e.host
        FROM ended e
        WHERE o.id = e.id AND (o.state = 'sending' AND o.leased_by = $1
            OR e.state IN ('delivered', 'sent') AND o.state IN ('queued', 'held', 'sending', 'expired', 'cancelled'))
        RETURNING o.id, o.tenant_id, o.attempts, o.recipient, o.email_id, o.address_id,
            e.state, e.code, e.enhanced, e.reply, e.host, e.outcome, e.started_at, e.ip, e.tls, e.event, e.properties, e.suppress, e.route
    ), attempt AS (
        INSERT INTO public.delivery_attempts (tenant_id, outbound_message_id, attempt, started_at, outcome, code, enhanced,
            reply, host, ip, tls, route)
        SELECT s.tenant_id, s.id, s.attempts, s.started_at, s.outcome, s.code, s.enhanced, s.reply, s.host, s.ip::inet, s.tls, s.route
        FROM settled s WHERE s.outcome IS NOT NULL
    ), event AS (
        INSERT INTO public.analytics_events (tenant_id, event, outbound_message_id, email_id, address_id, properties)
        SELECT s.tenant_id, s.event, s.id, s.email_id, s.address_id, s.properties || jsonb_build_object('attempt', s.attempts)
        FROM settled s
    ), suppression AS (
        INSERT INTO public.suppression_list (tenant_id, address, reason, detail, outbound_message_id)
        SELECT s.tenant_id, s.recipient, 'hard_bounce', s.reply, s.id FROM settled s WHERE s.suppress
        ON CONFLICT ON CONSTRAINT suppression_list_tenant_id_address_key DO NOTHING
    ), recovered AS (
        DELETE FROM public.recipient_troubles r USING settled s
        WHERE s.state = 'delivered' AND r.tenant_id = s.tenant_id AND r.address = s.recipient
    ), first AS (
        SELECT public.note_first_sent(t.id) AS noted FROM public.tenants t
        WHERE t.first_sent_at IS NULL AND t.id IN (SELECT s.tenant_id FROM settled s WHERE s.state IN ('delivered', 'sent'))
    )
    SELECT s.id, (SELECT count(f.noted) FROM first f) AS firsts FROM settled s";

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
    /// Settles rows of one node in a transaction of their own: one round trip.
    /// Which of them were still that node's.
    pub async fn settle(&self, all: &[&Settlement]) -> Result<HashSet<OutboundId>, Error> {
        let mut conn = self.pool().acquire().await?;
        settle(&mut conn, all).await
    }
}

impl TenantTx {
    /// Settles one recipient as part of this transaction. Whether the row was
    /// still its node's.
    pub async fn settle(&mut self, settlement: &Settlement) -> Result<bool, Error> {
        Ok(!settle(self.conn(), &[settlement]).await?.is_empty())
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

async fn settle(
    conn: &mut PgConnection,
    all: &[&Settlement],
) -> Result<HashSet<OutboundId>, Error> {
    let Some(first) = all.first() else { return Ok(HashSet::new()) };
    let via = |one: &Settlement| one.attempt.as_ref().map(|attempt| attempt.via.clone());
    let vias: Vec<Via> = all.iter().map(|one| via(one).unwrap_or_default()).collect();
    let attempts: Vec<Option<&Attempt>> = all.iter().map(|one| one.attempt.as_ref()).collect();
    let rows = sqlx::query(SETTLE)
        .bind(first.node.0)
        .bind(all.iter().map(|one| one.id.0).collect::<Vec<_>>())
        .bind(all.iter().map(|one| one.state.as_str()).collect::<Vec<_>>())
        .bind(all.iter().map(|one| one.next_attempt_at).collect::<Vec<_>>())
        .bind(all.iter().map(|one| i32::from(one.reply.code)).collect::<Vec<_>>())
        .bind(all.iter().map(|one| one.reply.enhanced_text()).collect::<Vec<_>>())
        .bind(all.iter().map(|one| one.reply.text.as_str()).collect::<Vec<_>>())
        .bind(vias.iter().map(|via| via.host.as_deref()).collect::<Vec<_>>())
        .bind(attempts.iter().map(|one| one.map(|a| outcome_word(&a.outcome))).collect::<Vec<_>>())
        .bind(attempts.iter().map(|one| one.map(|a| a.started_at)).collect::<Vec<_>>())
        .bind(vias.iter().map(|via| via.ip.map(|ip| ip.to_string())).collect::<Vec<_>>())
        .bind(vias.iter().map(|via| via.tls.as_deref()).collect::<Vec<_>>())
        .bind(all.iter().map(|one| one.event).collect::<Vec<_>>())
        .bind(all.iter().map(|one| Json(properties(one))).collect::<Vec<_>>())
        .bind(all.iter().map(|one| one.suppress).collect::<Vec<_>>())
        .bind(vias.iter().map(|via| via.route.as_deref()).collect::<Vec<_>>())
        .fetch_all(conn)
        .await?;
    rows.iter().map(|row| Ok(OutboundId(row.try_get::<Uuid, _>("id")?))).collect()
}

/// What the event says beside the number of the attempt.
fn properties(one: &Settlement) -> serde_json::Value {
    let via = one.attempt.as_ref().map(|attempt| &attempt.via);
    serde_json::json!({
        "code": one.reply.code,
        "enhanced": one.reply.enhanced_text(),
        "host": via.and_then(|via| via.host.as_deref()),
        "tls": via.and_then(|via| via.tls.as_deref()),
        "fault": one.fault.map(Fault::as_str),
    })
}

fn outcome_word(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Delivered(_) => "delivered",
        Outcome::Deferred(_) => "deferred",
        Outcome::Failed(_) => "failed",
    }
}
