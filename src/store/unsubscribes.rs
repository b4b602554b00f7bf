//! `public.newsletter_unsubscribes`: what an unsubscribe URL stands for.

use std::net::IpAddr;

use sqlx::types::Uuid;

use crate::domain::ids::{OutboundId, TenantId};
use crate::domain::token::Token;
use crate::store::db::Db;
use crate::store::error::Error;

/// What bulk mail is marked with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BulkFacts {
    /// Unsubscribes its recipient, where it was asked for.
    pub token: Option<Token>,
    /// The campaign that it is part of.
    pub campaign: Option<Uuid>,
}

/// Whom an unsubscribe URL is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unsubscription {
    /// The row of `newsletter_unsubscribes`.
    pub id: Uuid,
    /// Who sends.
    pub tenant: TenantId,
    /// That organisation's name.
    pub sender: String,
    /// Who unsubscribes.
    pub address: String,
}

/// How somebody unsubscribes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// The mail program did it (RFC 8058).
    OneClick,
    /// The button on the page.
    Page,
}

impl Method {
    fn as_str(self) -> &'static str {
        match self {
            Self::OneClick => "one_click",
            Self::Page => "page",
        }
    }
}

// A token without a list is for all bulk mail of the organisation: it goes on
// the suppression list. What has an effect is audited; asked again, nothing has.
const UNSUBSCRIBE: &str = "
    WITH used AS (
        UPDATE public.newsletter_unsubscribes u
        SET unsubscribed_at = coalesce(u.unsubscribed_at, now()), method = coalesce(u.method, $2)
        WHERE u.id = $1
        RETURNING u.id, u.tenant_id, u.address, u.list_id, u.subscriber_id, u.outbound_message_id
    ), unlisted AS (
        UPDATE newsletter_subscribers s SET status = 'unsubscribed', unsubscribed_at = now()
        FROM used u
        WHERE s.list_id = u.list_id AND s.status IN ('pending', 'active')
            AND (s.id = u.subscriber_id OR u.subscriber_id IS NULL AND s.address = u.address)
        RETURNING s.id
    ), suppressed AS (
        INSERT INTO public.suppression_list (tenant_id, address, reason, detail, outbound_message_id)
        SELECT u.tenant_id, u.address, 'unsubscribe', $2, u.outbound_message_id FROM used u WHERE u.list_id IS NULL
        ON CONFLICT ON CONSTRAINT suppression_list_tenant_id_address_key DO NOTHING
        RETURNING id
    ), changed AS (
        SELECT u.* FROM used u WHERE EXISTS (SELECT FROM unlisted) OR EXISTS (SELECT FROM suppressed)
    ), event AS (
        INSERT INTO public.analytics_events (tenant_id, event, outbound_message_id, properties)
        SELECT c.tenant_id, 'email.unsubscribed', c.outbound_message_id, jsonb_build_object('method', $2) FROM changed c
    )
    INSERT INTO public.audit_logs (tenant_id, actor, action, object_kind, object_id, after, ip_address)
    SELECT c.tenant_id, 'recipient', 'recipient.unsubscribed', 'newsletter_unsubscribes', c.id,
        jsonb_build_object('address', c.address, 'list_id', c.list_id, 'method', $2), $3::inet
    FROM changed c";

impl Db {
    /// What a bulk message is marked with. With `leaves` a token to unsubscribe
    /// by, stored when this returns, and the same one when it is asked again.
    ///
    /// # Errors
    /// [`Error::NotFound`] without such a message.
    pub async fn bulk_facts(
        &self,
        tenant: TenantId,
        outbound: OutboundId,
        leaves: bool,
    ) -> Result<BulkFacts, Error> {
        let fresh =
            Token::random().map_err(|e| Error::Unavailable(format!("no randomness: {e}")))?;
        let (token, campaign): (Option<String>, Option<Uuid>) = sqlx::query_as(
            "WITH made AS (
                INSERT INTO public.newsletter_unsubscribes (tenant_id, token, address, outbound_message_id)
                SELECT m.tenant_id, $3, m.recipient, m.id FROM public.outbound_messages m
                WHERE m.tenant_id = $1 AND m.id = $2 AND $4
                ON CONFLICT ON CONSTRAINT newsletter_unsubscribes_outbound_message_id_key DO NOTHING
                RETURNING token)
             SELECT coalesce((SELECT token FROM made), (SELECT u.token FROM public.newsletter_unsubscribes u
                WHERE u.outbound_message_id = m.id)), m.campaign_id
             FROM public.outbound_messages m WHERE m.tenant_id = $1 AND m.id = $2",
        )
        .bind(tenant.0)
        .bind(outbound.0)
        .bind(fresh.as_str())
        .bind(leaves)
        .fetch_one(self.pool())
        .await?;
        let token = token.filter(|_| leaves).and_then(|token| Token::parse(&token));
        if leaves && token.is_none() {
            // Another node has made it while this statement ran.
            return Err(Error::Unavailable("the token is being made elsewhere".to_owned()));
        }
        Ok(BulkFacts { token, campaign })
    }

    /// Whom `token` is for.
    ///
    /// # Errors
    /// [`Error::NotFound`] for a token that nobody made.
    pub async fn unsubscription(&self, token: &Token) -> Result<Unsubscription, Error> {
        let (id, tenant, sender, address) = sqlx::query_as(
            "SELECT u.id, u.tenant_id, t.name, u.address FROM public.newsletter_unsubscribes u
             JOIN public.tenants t ON t.id = u.tenant_id WHERE u.token = $1",
        )
        .bind(token.as_str())
        .fetch_one(self.pool())
        .await?;
        Ok(Unsubscription { id, tenant: TenantId(tenant), sender, address })
    }

    /// Unsubscribes. Asked again, it changes nothing, unless whoever had left
    /// has come back meanwhile.
    pub async fn unsubscribe(
        &self,
        who: &Unsubscription,
        method: Method,
        from: IpAddr,
    ) -> Result<(), Error> {
        let mut tx = self.tenant(who.tenant).begin().await?;
        sqlx::query("SELECT set_config('koltrix.actor', 'recipient', true)")
            .execute(tx.conn())
            .await?;
        sqlx::query(UNSUBSCRIBE)
            .bind(who.id)
            .bind(method.as_str())
            .bind(from.to_string())
            .execute(tx.conn())
            .await?;
        tx.commit().await
    }
}
