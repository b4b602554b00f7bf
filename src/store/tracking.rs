//! Tracking tokens and the hits on them.

use std::net::IpAddr;

use serde::Serialize;
use sqlx::types::time::OffsetDateTime;
use sqlx::types::{Json, Uuid};

use crate::domain::hit::{Fetch, Grade, HitKind};
use crate::domain::ids::{OutboundId, TenantId};
use crate::domain::token::Token;
use crate::store::db::Db;
use crate::store::error::Error;

/// The tokens of one message to one recipient.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tokens {
    /// The pixel's, where one was asked for.
    pub open: Option<Token>,
    /// One for each link, in the order given.
    pub clicks: Vec<Token>,
}

/// What a token stands for, and what grading a hit on it needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tracked {
    /// The row of `tracking_tokens`.
    pub token_id: Uuid,
    /// Whose message.
    pub tenant: TenantId,
    /// The message.
    pub outbound: OutboundId,
    /// Pixel or link.
    pub kind: HitKind,
    /// The only place that a click goes to; a pixel has none.
    pub target: Option<String>,
    /// The recipient is the sender.
    pub to_self: bool,
    /// When the recipient's server took the message; `None` before that.
    pub delivered_at: Option<OffsetDateTime>,
    /// The message is being delivered at this moment.
    pub sending: bool,
}

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

type TokenRow = (String, String, i32, Option<String>);
type TrackedRow = (Uuid, Uuid, Uuid, String, Option<String>, bool, Option<OffsetDateTime>, bool);

impl Db {
    /// The tokens of a message, made where they are missing. They are stored
    /// when this returns; asked again, it returns the same ones.
    ///
    /// # Errors
    /// [`Error::NotFound`] without such a message; [`Error::Corrupt`] when a
    /// link's target is not the one it was first asked with.
    pub async fn ensure_tracking_tokens(
        &self,
        tenant: TenantId,
        outbound: OutboundId,
        open: bool,
        links: &[String],
    ) -> Result<Tokens, Error> {
        let mut wanted: Vec<(HitKind, Option<&String>)> = Vec::with_capacity(links.len() + 1);
        wanted.extend(open.then_some((HitKind::Open, None)));
        wanted.extend(links.iter().map(|link| (HitKind::Click, Some(link))));
        let fresh = wanted
            .iter()
            .map(|_| Token::random().map(|token| token.as_str().to_owned()))
            .collect::<Result<Vec<_>, _>>()
            .map_err(|e| Error::Unavailable(format!("no randomness: {e}")))?;
        let kinds: Vec<&str> = wanted.iter().map(|(kind, _)| kind.as_str()).collect();
        let targets: Vec<Option<&String>> = wanted.iter().map(|(_, target)| *target).collect();
        // The link's index is its place among the links: the pixel stands first.
        let rows: Vec<TokenRow> = sqlx::query_as(
            "WITH made AS (
                INSERT INTO public.tracking_tokens (tenant_id, outbound_message_id, token, kind, link_index, target_url)
                SELECT m.tenant_id, m.id, t.token, t.kind,
                    CASE t.kind WHEN 'click' THEN t.place - 1 - $6 ELSE 0 END, t.target
                FROM public.outbound_messages m,
                    unnest($3::text[], $4::text[], $5::text[]) WITH ORDINALITY AS t (token, kind, target, place)
                WHERE m.tenant_id = $1 AND m.id = $2
                ON CONFLICT ON CONSTRAINT tracking_tokens_message_kind_link_key DO NOTHING
                RETURNING token, kind, link_index, target_url)
             SELECT token, kind, link_index, target_url FROM made
             UNION ALL
             SELECT k.token, k.kind, k.link_index, k.target_url FROM public.tracking_tokens k
             WHERE k.tenant_id = $1 AND k.outbound_message_id = $2",
        )
        .bind(tenant.0)
        .bind(outbound.0)
        .bind(fresh)
        .bind(kinds)
        .bind(targets)
        .bind(i32::from(open))
        .fetch_all(self.pool())
        .await?;
        arrange(rows, open, links)
    }

    /// What `token` stands for.
    ///
    /// # Errors
    /// [`Error::NotFound`] for a token that nobody made.
    pub async fn tracked(&self, token: &Token) -> Result<Tracked, Error> {
        let (token_id, tenant, outbound, kind, target, to_self, delivered_at, sending): TrackedRow =
            sqlx::query_as(
                "SELECT k.id, k.tenant_id, m.id, k.kind, k.target_url, m.recipient = lower(m.from_address),
                    CASE WHEN m.state IN ('sent', 'delivered', 'complained') THEN m.finished_at END,
                    m.state = 'sending'
                 FROM public.tracking_tokens k
                 JOIN public.outbound_messages m ON m.id = k.outbound_message_id AND m.tenant_id = k.tenant_id
                 WHERE k.token = $1",
            )
            .bind(token.as_str())
            .fetch_one(self.pool())
            .await?;
        let kind = HitKind::parse(&kind)
            .ok_or_else(|| Error::Corrupt(format!("{kind} is no kind of hit")))?;
        Ok(Tracked {
            token_id,
            tenant: TenantId(tenant),
            outbound: OutboundId(outbound),
            kind,
            target,
            to_self,
            delivered_at,
            sending,
        })
    }

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

fn arrange(rows: Vec<TokenRow>, open: bool, links: &[String]) -> Result<Tokens, Error> {
    if rows.is_empty() && (open || !links.is_empty()) {
        return Err(Error::NotFound);
    }
    let mut pixel = None;
    let mut clicks: Vec<Option<Token>> = vec![None; links.len()];
    for (token, kind, index, target) in rows {
        let token = Token::parse(&token)
            .ok_or_else(|| Error::Corrupt("a stored tracking token is none".to_owned()))?;
        match HitKind::parse(&kind) {
            Some(HitKind::Open) => pixel = Some(token),
            Some(HitKind::Click) => {
                let index = usize::try_from(index).unwrap_or(usize::MAX);
                // A link beyond the ones asked for belongs to another rendering.
                let Some((slot, link)) = clicks.get_mut(index).zip(links.get(index)) else {
                    continue;
                };
                if target.as_ref() != Some(link) {
                    return Err(Error::Corrupt(format!("link {index} has another target")));
                }
                *slot = Some(token);
            }
            None => return Err(Error::Corrupt(format!("{kind} is no kind of hit"))),
        }
    }
    if pixel.is_none() && open || clicks.iter().any(Option::is_none) {
        // Another node has made them while this statement ran; the next one
        // sees them.
        return Err(Error::Unavailable("tokens are being made elsewhere".to_owned()));
    }
    Ok(Tokens { open: pixel.filter(|_| open), clicks: clicks.into_iter().flatten().collect() })
}
