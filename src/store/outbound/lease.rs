//! Out of the queue, for a while.

use std::time::Duration;

use sqlx::Row as _;
use sqlx::postgres::PgRow;
use sqlx::postgres::types::PgInterval;
use sqlx::types::Uuid;
use sqlx::types::time::OffsetDateTime;

use crate::domain::deliver_by::DeliverBy;
use crate::domain::envelope::{DsnReturn, Notify};
use crate::domain::ids::{AddressId, EmailId, NodeId, OutboundId, QueueId, RouteId, TenantId};
use crate::domain::queue::{Class, Source};
use crate::store::db::Db;
use crate::store::error::Error;
use crate::store::outbound::{deliver_by_from, notify_from, ret_from, word};

/// A row that is this node's until its lease runs out.
#[derive(Clone, Debug)]
pub struct Leased {
    /// The row.
    pub id: OutboundId,
    /// Whose.
    pub tenant: TenantId,
    /// The send that it is part of.
    pub queue_id: QueueId,
    /// The content; `None` until it is composed.
    pub email: Option<EmailId>,
    /// The mailbox that sends.
    pub address: Option<AddressId>,
    /// What put it here.
    pub source: Source,
    /// How urgent it is.
    pub class: Class,
    /// Empty for the null reverse-path.
    pub reverse_path: String,
    /// To whom.
    pub recipient: String,
    /// The part of it that says where to.
    pub recipient_domain: String,
    /// The address in From.
    pub from_address: String,
    /// Attempts begun, this one included.
    pub attempts: u32,
    /// When it was queued, or was first to be sent.
    pub queued_at: OffsetDateTime,
    /// Its own end, where it has one.
    pub expires_at: Option<OffsetDateTime>,
    /// RFC 3461 NOTIFY.
    pub notify: Notify,
    /// RFC 3461 RET.
    pub ret: DsnReturn,
    /// RFC 3461 ENVID, decoded.
    pub envid: Option<String>,
    /// RFC 3461 ORCPT as given.
    pub orcpt: Option<String>,
    /// RFC 2852
    pub deliver_by: Option<DeliverBy>,
    /// The sender has been told that it is late.
    pub delay_told: bool,
    /// RFC 8689
    pub require_tls: bool,
    /// RFC 6531
    pub smtputf8: bool,
    /// A pixel of its own.
    pub track_opens: bool,
    /// Links of its own.
    pub track_clicks: bool,
    /// The recipient is on the suppression list by now.
    pub suppressed: bool,
    /// The domain in From, where it is proven to be the organisation's.
    pub author: Option<Author>,
    /// How it leaves, where its domain or its organisation says so.
    pub route: Option<RouteId>,
}

/// A proven domain that mail is from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Author {
    /// The name in its tracking URLs; `None` for the server's own.
    pub tracking_host: Option<String>,
}

/// What a row by another program gives instead of a stored email.
#[derive(Clone, Debug)]
pub struct Draft {
    /// Display name in From.
    pub from_name: Option<String>,
    /// Subject.
    pub subject: String,
    /// Plain text.
    pub text: Option<String>,
    /// HTML.
    pub html: Option<String>,
    /// Message-ID without `<>`, where one is given.
    pub message_id: Option<String>,
    /// Message-IDs of the conversation that it answers, oldest first.
    pub answers: Vec<String>,
}

/// Who leases how much.
#[derive(Clone, Copy, Debug)]
pub struct LeaseRequest<'a> {
    /// For whom.
    pub node: NodeId,
    /// Rows at most.
    pub limit: usize,
    /// Rows at most for one destination domain.
    pub per_domain: usize,
    /// For how long.
    pub time: Duration,
    /// Destination domains for which enough is in hand.
    pub domains: &'a [String],
    /// Organisations of which enough is in hand.
    pub tenants: &'a [TenantId],
}

// Organisations take turns, within one the destinations take turns, and bulk
// comes after all else. Looks at no more than the first 1,000 due rows of each
// organisation, past at most 20,000 for destinations that are busy, so that one
// that queues a million slows nobody down.
//
// More candidates than needed are chosen: another node may be locking the same.
// An attempt counts from here: `attempts` on disk is the record that one began.
const LEASE: &str = "
    WITH RECURSIVE waiting (tenant_id) AS (
        (SELECT o.tenant_id FROM public.outbound_messages o WHERE o.state = 'queued' ORDER BY o.tenant_id LIMIT 1)
        UNION ALL
        SELECT (SELECT o.tenant_id FROM public.outbound_messages o
                WHERE o.state = 'queued' AND o.tenant_id > w.tenant_id ORDER BY o.tenant_id LIMIT 1)
        FROM waiting w WHERE w.tenant_id IS NOT NULL
    ), due AS (
        SELECT d.id, t.id AS tenant_id, b.bulk, d.recipient_domain, d.next_attempt_at,
            row_number() OVER (PARTITION BY t.id, b.bulk, d.recipient_domain ORDER BY d.next_attempt_at) AS in_domain
        FROM waiting w
        JOIN public.tenants t ON t.id = w.tenant_id AND t.status = 'active' AND t.id <> ALL ($6)
        CROSS JOIN (VALUES (false), (true)) AS b (bulk)
        CROSS JOIN LATERAL (
            SELECT n.* FROM (
                SELECT o.id, o.recipient_domain, o.next_attempt_at FROM public.outbound_messages o
                WHERE o.state = 'queued' AND o.tenant_id = w.tenant_id AND (o.class = 'bulk') = b.bulk
                    AND o.next_attempt_at <= now()
                ORDER BY o.next_attempt_at LIMIT 20000) n
            WHERE n.recipient_domain <> ALL ($5) LIMIT 1000) d
    ), turns AS (
        SELECT d.*, row_number() OVER (PARTITION BY d.recipient_domain ORDER BY d.bulk, d.in_domain) AS to_domain,
            row_number() OVER (PARTITION BY d.tenant_id, d.bulk ORDER BY d.in_domain, d.next_attempt_at) AS turn
        FROM due d
    ), chosen AS (
        SELECT t.id, t.bulk, t.turn, t.next_attempt_at FROM turns t WHERE t.to_domain <= $3
        ORDER BY t.bulk, t.turn, t.next_attempt_at LIMIT $2 * 4
    ), locked AS (
        SELECT o.id FROM chosen c JOIN public.outbound_messages o ON o.id = c.id
        WHERE o.state = 'queued' AND o.next_attempt_at <= now()
        ORDER BY c.bulk, c.turn, c.next_attempt_at LIMIT $2
        FOR UPDATE OF o SKIP LOCKED
    )
    UPDATE public.outbound_messages o
    SET state = 'sending', attempts = o.attempts + 1, leased_by = $1, leased_until = now() + $4
    FROM locked l WHERE o.id = l.id
    RETURNING o.id, o.tenant_id, o.queue_id, o.email_id, o.address_id, o.source, o.class, o.reverse_path, o.recipient,
        o.recipient_domain, o.from_address, o.attempts, greatest(o.queued_at, o.send_at) AS queued_at, o.expires_at, o.dsn_notify, o.dsn_ret,
        o.dsn_envid, o.dsn_orcpt, o.require_tls, o.smtputf8, o.track_opens, o.track_clicks,
        o.deliver_by, o.deliver_by_mode, o.delay_notified_at IS NOT NULL AS delay_told,
        EXISTS (SELECT 1 FROM public.suppression_list s
                WHERE s.tenant_id = o.tenant_id AND s.address = o.recipient
                    AND (s.reason <> 'unsubscribe' OR o.class = 'bulk')) AS suppressed,
        ARRAY(SELECT d.tracking_host FROM public.tenant_domains d
              WHERE d.tenant_id = o.tenant_id AND d.domain = lower(substring(o.from_address FROM '[^@]*$'))
                AND d.verified_at IS NOT NULL) AS author,
        (SELECT r.id FROM public.delivery_routes r LEFT JOIN public.tenant_domains d ON d.id = r.domain_id
         WHERE r.tenant_id = o.tenant_id
            AND (r.domain_id IS NULL OR d.domain = lower(substring(o.from_address FROM '[^@]*$')))
         ORDER BY r.domain_id IS NULL LIMIT 1) AS route";

// What a node that stopped was sending may have arrived or not; the attempt is
// on record as one that was cut off.
const RECLAIM: &str = "
    WITH free AS (
        SELECT o.id FROM public.outbound_messages o
        WHERE o.state = 'sending' AND (o.leased_until < now() OR ($2 AND o.leased_by = $1))
        FOR UPDATE SKIP LOCKED
    ), freed AS (
        UPDATE public.outbound_messages o
        SET state = 'queued', next_attempt_at = now(), leased_until = NULL, leased_by = NULL
        FROM free f WHERE o.id = f.id RETURNING o.id, o.tenant_id, o.attempts
    )
    INSERT INTO public.delivery_attempts (tenant_id, outbound_message_id, attempt, started_at, outcome, code, enhanced, reply)
    SELECT f.tenant_id, f.id, f.attempts, now(), 'deferred', 451, '4.3.0',
        'the server stopped during this attempt; whether the message arrived is not known'
    FROM freed f";

impl Db {
    /// Takes due rows for a node, in one statement.
    pub async fn lease(&self, request: LeaseRequest<'_>) -> Result<Vec<Leased>, Error> {
        let rows = sqlx::query(LEASE)
            .bind(request.node.0)
            .bind(i64::try_from(request.limit).unwrap_or(i64::MAX))
            .bind(i64::try_from(request.per_domain).unwrap_or(i64::MAX))
            .bind(interval(request.time)?)
            .bind(request.domains)
            .bind(request.tenants.iter().map(|tenant| tenant.0).collect::<Vec<_>>())
            .fetch_all(self.pool())
            .await?;
        rows.iter().map(leased).collect()
    }

    /// When the next queued row of any organisation is due.
    pub async fn next_due(&self) -> Result<Option<OffsetDateTime>, Error> {
        Ok(sqlx::query_scalar(
            "SELECT min(next_attempt_at) FROM public.outbound_messages WHERE state = 'queued'",
        )
        .fetch_one(self.pool())
        .await?)
    }

    /// Prolongs the leases of rows that a node has in hand, and says which it
    /// still had; not of those that are being settled at this moment.
    pub async fn renew_leases(
        &self,
        node: NodeId,
        rows: &[OutboundId],
        time: Duration,
    ) -> Result<Vec<OutboundId>, Error> {
        let renewed: Vec<Uuid> = sqlx::query_scalar(
            "UPDATE public.outbound_messages SET leased_until = now() + $3
             WHERE id IN (SELECT o.id FROM public.outbound_messages o
                WHERE o.id = ANY ($2) AND o.state = 'sending' AND o.leased_by = $1
                FOR UPDATE SKIP LOCKED)
             RETURNING id",
        )
        .bind(node.0)
        .bind(rows.iter().map(|id| id.0).collect::<Vec<_>>())
        .bind(interval(time)?)
        .fetch_all(self.pool())
        .await?;
        Ok(renewed.into_iter().map(OutboundId).collect())
    }

    /// Queues again what dead nodes had in hand, and at its own start
    /// (`restarted`) what this node had. Says how many rows.
    pub async fn reclaim(&self, node: NodeId, restarted: bool) -> Result<u64, Error> {
        let done = sqlx::query(RECLAIM).bind(node.0).bind(restarted).execute(self.pool()).await?;
        Ok(done.rows_affected())
    }

    /// Gives back rows whose attempt never began.
    pub async fn give_back(&self, node: NodeId, rows: &[OutboundId]) -> Result<(), Error> {
        sqlx::query(
            "UPDATE public.outbound_messages
             SET state = 'queued', attempts = attempts - 1, leased_until = NULL, leased_by = NULL
             WHERE id = ANY ($2) AND state = 'sending' AND leased_by = $1",
        )
        .bind(node.0)
        .bind(rows.iter().map(|id| id.0).collect::<Vec<_>>())
        .execute(self.pool())
        .await?;
        Ok(())
    }

    /// What another program wrote instead of a stored email.
    pub async fn outbound_draft(&self, id: OutboundId) -> Result<Draft, Error> {
        let (from_name, subject, text, html, message_id, answers) = sqlx::query_as(
            "SELECT from_name, subject, text_body, html_body, message_id,
                ARRAY(SELECT a FROM jsonb_array_elements_text(CASE jsonb_typeof(metadata -> 'answers')
                    WHEN 'array' THEN metadata -> 'answers' ELSE '[]' END) a) FROM public.outbound_messages WHERE id = $1",
        )
        .bind(id.0)
        .fetch_one(self.pool())
        .await?;
        Ok(Draft { from_name, subject, text, html, message_id, answers })
    }
}

fn leased(row: &PgRow) -> Result<Leased, Error> {
    let id = |name: &str| row.try_get::<Option<Uuid>, _>(name);
    let words: Vec<String> = row.try_get("dsn_notify")?;
    let mut author: Vec<Option<String>> = row.try_get("author")?;
    Ok(Leased {
        id: OutboundId(row.try_get("id")?),
        tenant: TenantId(row.try_get("tenant_id")?),
        queue_id: QueueId(row.try_get("queue_id")?),
        email: id("email_id")?.map(EmailId),
        address: id("address_id")?.map(AddressId),
        source: word(row.try_get("source")?)?,
        class: word(row.try_get("class")?)?,
        reverse_path: row.try_get("reverse_path")?,
        recipient: row.try_get("recipient")?,
        recipient_domain: row.try_get("recipient_domain")?,
        from_address: row.try_get("from_address")?,
        attempts: u32::try_from(row.try_get::<i32, _>("attempts")?).unwrap_or(u32::MAX),
        queued_at: row.try_get("queued_at")?,
        expires_at: row.try_get("expires_at")?,
        notify: notify_from(&words),
        ret: ret_from(row.try_get("dsn_ret")?),
        envid: row.try_get("dsn_envid")?,
        orcpt: row.try_get("dsn_orcpt")?,
        deliver_by: deliver_by_from(row.try_get("deliver_by")?, row.try_get("deliver_by_mode")?),
        delay_told: row.try_get("delay_told")?,
        require_tls: row.try_get("require_tls")?,
        smtputf8: row.try_get("smtputf8")?,
        track_opens: row.try_get("track_opens")?,
        track_clicks: row.try_get("track_clicks")?,
        suppressed: row.try_get("suppressed")?,
        author: author.pop().map(|tracking_host| Author { tracking_host }),
        route: id("route")?.map(RouteId),
    })
}

pub(in crate::store) fn interval(time: Duration) -> Result<PgInterval, Error> {
    PgInterval::try_from(time).map_err(|e| Error::Internal(format!("interval: {e}")))
}
