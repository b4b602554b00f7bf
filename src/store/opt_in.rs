//! `public.newsletter_confirm_tokens`: who has yet to say that they want a newsletter.

use std::net::IpAddr;

use sqlx::types::Uuid;

use crate::domain::ids::TenantId;
use crate::domain::token::Token;
use crate::store::db::Db;
use crate::store::error::Error;

/// Somebody who is to be asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unasked {
    /// The row of `newsletter_confirm_tokens`.
    pub id: Uuid,
    /// Whose list it is.
    pub tenant: TenantId,
}

/// What asking somebody takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asking {
    /// What confirms.
    pub token: String,
    /// Who is asked.
    pub address: String,
    /// The list.
    pub list: String,
    /// The organisation.
    pub sender: String,
    /// Who asks: the list's sender, else a name of the domain that was proven first. `None` where
    /// nobody may.
    pub from: Option<String>,
    /// The list's sender's name.
    pub from_name: Option<String>,
    /// The sender's mailbox.
    pub mailbox: Option<Uuid>,
    /// The host of links in the sender's domain.
    pub link_host: Option<String>,
}

/// What a link to confirm stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OptIn {
    /// The row of `newsletter_confirm_tokens`.
    pub id: Uuid,
    /// Whose list it is.
    pub tenant: TenantId,
    /// That organisation's name.
    pub sender: String,
    /// The list.
    pub list: String,
    /// Who confirms.
    pub address: String,
    /// It was used.
    pub confirmed: bool,
    /// It is too late to use it.
    pub expired: bool,
}

/// Who confirmed: the proof of consent.
pub struct Proof<'a> {
    /// The address they came from.
    pub from: IpAddr,
    /// What their browser called itself.
    pub agent: &'a str,
}

const ASKING: &str = "
    SELECT c.token, s.address, l.name, t.name, coalesce(a.address, 'newsletter@' || d.domain), l.from_name, a.id,
        (SELECT o.tracking_host FROM public.tenant_domains o WHERE o.tenant_id = c.tenant_id
            AND o.verified_at IS NOT NULL AND o.domain = split_part(coalesce(a.address, '@' || d.domain), '@', 2))
    FROM public.newsletter_confirm_tokens c
    JOIN public.tenants t ON t.id = c.tenant_id
    JOIN newsletter_subscribers s ON s.id = c.subscriber_id AND s.list_id = c.list_id AND s.status = 'pending'
    JOIN newsletter_lists l ON l.id = c.list_id
    LEFT JOIN public.email_addresses a ON a.id = l.from_address_id
    LEFT JOIN LATERAL (SELECT domain FROM public.tenant_domains WHERE tenant_id = c.tenant_id
        AND verified_at IS NOT NULL ORDER BY verified_at LIMIT 1) d ON true
    WHERE c.id = $1 AND c.asked_at IS NULL AND c.confirmed_at IS NULL
    FOR UPDATE OF c SKIP LOCKED";

// Whoever comes back by their own will is written to again; no other reason not to is lifted.
const CONFIRM: &str = "
    WITH used AS (
        UPDATE public.newsletter_confirm_tokens SET confirmed_at = now(), confirmed_ip = $2::inet, confirmed_user_agent = $3
        WHERE id = $1 AND confirmed_at IS NULL AND expires_at > now()
        RETURNING id, tenant_id, list_id, subscriber_id
    ), active AS (
        UPDATE newsletter_subscribers s SET status = 'active', confirmed_at = now()
        FROM used u WHERE s.id = u.subscriber_id AND s.list_id = u.list_id AND s.status = 'pending'
        RETURNING s.id, s.address, u.tenant_id, u.list_id, u.id AS token_id
    ), wanted AS (
        DELETE FROM public.suppression_list p USING active a
        WHERE p.tenant_id = a.tenant_id AND p.address = a.address AND p.reason = 'unsubscribe'
    ), event AS (
        INSERT INTO public.analytics_events (tenant_id, event, properties)
        SELECT a.tenant_id, 'subscriber.confirmed', jsonb_build_object('subscriber_id', a.id, 'list_id', a.list_id)
        FROM active a
    )
    INSERT INTO public.audit_logs (tenant_id, actor, action, object_kind, object_id, after, ip_address)
    SELECT a.tenant_id, 'recipient', 'subscriber.confirmed', 'newsletter_confirm_tokens', a.token_id,
        jsonb_build_object('address', a.address, 'list_id', a.list_id), $2::inet
    FROM active a";

impl Db {
    /// Who is to be asked, those who wait longest first.
    pub async fn unasked(&self, most: i64) -> Result<Vec<Unasked>, Error> {
        let rows: Vec<(Uuid, Uuid)> = sqlx::query_as(
            "SELECT c.id, c.tenant_id FROM public.newsletter_confirm_tokens c
             JOIN public.tenants t ON t.id = c.tenant_id AND t.status = 'active'
             WHERE c.asked_at IS NULL AND c.confirmed_at IS NULL AND c.expires_at > now()
             ORDER BY c.created_at LIMIT $1",
        )
        .bind(most)
        .fetch_all(self.pool())
        .await?;
        Ok(rows.into_iter().map(|(id, tenant)| Unasked { id, tenant: TenantId(tenant) }).collect())
    }

    /// Queues what `compose` makes of the facts, or, where that is nothing, takes it that nobody is
    /// to be asked; in one transaction. Several nodes may do so at once: somebody is asked once.
    pub async fn ask(
        &self,
        whom: &Unasked,
        compose: impl FnOnce(&Asking) -> Option<(String, String)>,
    ) -> Result<(), Error> {
        let mut tx = self.tenant(whom.tenant).begin().await?;
        let facts = sqlx::query_as(ASKING).bind(whom.id).fetch_optional(tx.conn()).await?;
        let facts =
            facts.map(|(token, address, list, sender, from, from_name, mailbox, link_host)| {
                Asking { token, address, list, sender, from, from_name, mailbox, link_host }
            });
        if let Some((facts, (subject, text))) =
            facts.and_then(|facts| compose(&facts).map(|mail| (facts, mail)))
        {
            sqlx::query(
                "INSERT INTO public.outbound_messages
                    (tenant_id, address_id, from_address, from_name, recipient, subject, text_body, tags)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, '{confirm}')",
            )
            .bind(whom.tenant.0)
            .bind(facts.mailbox)
            .bind(facts.from)
            .bind(facts.from_name)
            .bind(facts.address)
            .bind(subject)
            .bind(text)
            .execute(tx.conn())
            .await?;
        }
        sqlx::query("UPDATE public.newsletter_confirm_tokens SET asked_at = now() WHERE id = $1")
            .bind(whom.id)
            .execute(tx.conn())
            .await?;
        tx.commit().await
    }

    /// What `token` stands for.
    ///
    /// # Errors
    /// [`Error::NotFound`] for a token that nobody made, and once the subscriber or the list is gone.
    pub async fn opt_in(&self, token: &Token) -> Result<OptIn, Error> {
        let (id, tenant): (Uuid, Uuid) = sqlx::query_as(
            "SELECT id, tenant_id FROM public.newsletter_confirm_tokens WHERE token = $1",
        )
        .bind(token.as_str())
        .fetch_one(self.pool())
        .await?;
        let tenant = TenantId(tenant);
        let mut tx = self.tenant(tenant).snapshot().await?;
        let (sender, list, address, confirmed, expired) = sqlx::query_as(
            "SELECT t.name, l.name, s.address, c.confirmed_at IS NOT NULL, c.expires_at <= now()
             FROM public.newsletter_confirm_tokens c
             JOIN public.tenants t ON t.id = c.tenant_id
             JOIN newsletter_subscribers s ON s.id = c.subscriber_id AND s.list_id = c.list_id
             JOIN newsletter_lists l ON l.id = c.list_id
             WHERE c.id = $1",
        )
        .bind(id)
        .fetch_one(tx.conn())
        .await?;
        Ok(OptIn { id, tenant, sender, list, address, confirmed, expired })
    }

    /// Makes the subscriber an active one; asked again, or too late, it changes nothing.
    pub async fn confirm(&self, who: &OptIn, proof: Proof<'_>) -> Result<(), Error> {
        let mut tx = self.tenant(who.tenant).begin().await?;
        sqlx::query("SELECT set_config('koltrix.actor', 'recipient', true)")
            .execute(tx.conn())
            .await?;
        sqlx::query(CONFIRM)
            .bind(who.id)
            .bind(proof.from.to_string())
            .bind(proof.agent)
            .execute(tx.conn())
            .await?;
        tx.commit().await
    }
}
