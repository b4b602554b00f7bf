//! Hits on tracking tokens, written in groups.

use std::net::IpAddr;

use serde::Serialize;
use sqlx::types::time::OffsetDateTime;
use sqlx::types::{Json, Uuid};

use crate::domain::hit::{Fetch, Grade, HitKind};
use crate::store::db::Db;
use crate::store::error::Error;

/// One hit, graded.
#[derive(Clone, Debug)]
pub struct Hit {
    /// Its own: a hit that is written twice is there once.
    pub id: Uuid,
    /// The token that was hit.
    pub token_id: Uuid,
    /// Pixel or link.
    pub kind: HitKind,
    /// Who caused it, as far as can be told.
    pub grade: Grade,
    /// When.
    pub at: OffsetDateTime,
    /// From where.
    pub ip: IpAddr,
    /// The User-Agent as sent, bounded by the caller and without NUL.
    pub user_agent: String,
    /// How it was asked for.
    pub fetch: Fetch,
    /// From the delivery to the hit.
    pub seconds_since_delivery: Option<i64>,
}

impl Db {
    /// Writes a group of hits in one transaction, which is one statement: the
    /// event store, the legacy log, and the counts and first times of the
    /// messages. Hits on messages that are gone by now are left out, and so are
    /// hits that were written before: a group may be tried again.
    pub async fn record_hits(&self, hits: &[Hit]) -> Result<(), Error> {
        let rows: Vec<HitRow<'_>> = hits.iter().map(HitRow::from).collect();
        sqlx::query(RECORD_HITS).bind(Json(rows)).execute(self.pool()).await?;
        Ok(())
    }
}

/// A message's row is locked before its event is written, lowest id first, so
/// that two nodes that write about the same messages wait and do not deadlock.
const RECORD_HITS: &str = "
WITH given AS (
    SELECT * FROM jsonb_to_recordset($1) AS h (id uuid, token_id uuid, event text, class text, at_micros bigint, ip inet,
        user_agent text, legacy boolean, evidence jsonb)
), alive AS MATERIALIZED (
    SELECT m.id, m.tenant_id, m.email_id, m.address_id FROM public.outbound_messages m
    WHERE m.id IN (SELECT k.outbound_message_id FROM public.tracking_tokens k WHERE k.id IN (SELECT g.token_id FROM given g))
    ORDER BY m.id FOR NO KEY UPDATE
), hit AS (
    SELECT g.id, m.id AS message_id, m.tenant_id, m.email_id, m.address_id, k.id AS token_id, k.kind, k.link_index, k.target_url,
        g.event, g.class, timestamptz 'epoch' + g.at_micros * interval '1 microsecond' AS at, g.ip, g.user_agent, g.legacy, g.evidence
    FROM given g JOIN public.tracking_tokens k ON k.id = g.token_id JOIN alive m ON m.id = k.outbound_message_id AND m.tenant_id = k.tenant_id
), event AS (
    INSERT INTO public.analytics_events (id, tenant_id, event, class, outbound_message_id, email_id, address_id, occurred_at, properties)
    SELECT h.id, h.tenant_id, h.event, h.class, h.message_id, h.email_id, h.address_id, h.at,
        h.evidence || jsonb_strip_nulls(jsonb_build_object('ip', host(h.ip), 'user_agent', h.user_agent,
            'link_index', CASE h.kind WHEN 'click' THEN h.link_index END, 'url', h.target_url))
    FROM hit h
    ON CONFLICT ON CONSTRAINT analytics_events_pkey DO NOTHING
    RETURNING id
), fresh AS (
    SELECT h.* FROM hit h JOIN event e USING (id)
), legacy AS (
    INSERT INTO public.email_tracking_events (id, tenant_id, outbound_message_id, token_id, event_type, url, ip_address, user_agent, occurred_at)
    SELECT h.id, h.tenant_id, h.message_id, h.token_id, h.kind, h.target_url, h.ip, h.user_agent, h.at
    FROM fresh h WHERE h.legacy
)
UPDATE public.outbound_messages m SET
    open_count = m.open_count + s.opens, click_count = m.click_count + s.clicks,
    first_opened_at = least(m.first_opened_at, s.first_open), first_clicked_at = least(m.first_clicked_at, s.first_click)
FROM (
    SELECT h.message_id,
        count(*) FILTER (WHERE h.kind = 'open') AS opens, count(*) FILTER (WHERE h.kind = 'click') AS clicks,
        min(h.at) FILTER (WHERE h.kind = 'open') AS first_open, min(h.at) FILTER (WHERE h.kind = 'click') AS first_click
    FROM fresh h WHERE h.class = 'human' GROUP BY h.message_id
) s
WHERE m.id = s.message_id";

/// A hit as the statement above reads it.
#[derive(Serialize)]
struct HitRow<'a> {
    id: Uuid,
    token_id: Uuid,
    event: &'static str,
    class: &'static str,
    at_micros: i64,
    ip: IpAddr,
    user_agent: &'a str,
    /// The old log knows what was fetched, not what was only asked about.
    legacy: bool,
    evidence: Evidence<'a>,
}

/// What a grade was made of, so that SQL can grade again.
#[derive(Serialize)]
struct Evidence<'a> {
    rule: &'a str,
    fetch: &'static str,
    seconds_since_delivery: Option<i64>,
}

impl<'a> From<&'a Hit> for HitRow<'a> {
    fn from(hit: &'a Hit) -> Self {
        Self {
            id: hit.id,
            token_id: hit.token_id,
            event: hit.kind.event(),
            class: hit.grade.class.as_str(),
            at_micros: hit.at.unix_timestamp() * 1_000_000 + i64::from(hit.at.microsecond()),
            ip: hit.ip,
            user_agent: &hit.user_agent,
            legacy: hit.fetch != Fetch::Head,
            evidence: Evidence {
                rule: &hit.grade.rule,
                fetch: hit.fetch.as_str(),
                seconds_since_delivery: hit.seconds_since_delivery,
            },
        }
    }
}
