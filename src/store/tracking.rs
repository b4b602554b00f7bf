//! Tracking tokens: made with a message, looked up by a visitor.

use sqlx::types::Uuid;
use sqlx::types::time::OffsetDateTime;

use crate::domain::hit::HitKind;
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
             SELECT t.token, t.kind, t.link_index, t.target_url FROM public.tracking_tokens t
             WHERE t.tenant_id = $1 AND t.outbound_message_id = $2",
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
