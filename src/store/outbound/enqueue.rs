//! Messages on their way out: putting them into the queue.

use sqlx::types::Uuid;
use time::OffsetDateTime;

use crate::domain::address::Address;
use crate::domain::envelope::{MailFrom, Recipient};
use crate::domain::ids::{AddressId, EmailId, QueueId, TenantId};
use crate::domain::queue::{Class, Source};
use crate::store::db::Db;
use crate::store::error::Error;
use crate::store::outbound::{notify_words, ret_word};
use crate::store::tenant::TenantTx;

/// One message to its recipients: a row for each.
#[derive(Clone, Debug)]
pub struct Enqueue<'a> {
    /// Groups the rows.
    pub queue_id: QueueId,
    /// The stored content.
    pub email: EmailId,
    /// The mailbox that sends, where there is one.
    pub address: Option<AddressId>,
    /// What put it there.
    pub source: Source,
    /// How urgent it is.
    pub class: Class,
    /// What MAIL said.
    pub mail_from: &'a MailFrom,
    /// What each RCPT said.
    pub recipients: &'a [Recipient],
    /// The author as the message names it.
    pub from_address: &'a str,
    /// The decoded subject.
    pub subject: &'a str,
    /// The Message-ID without `<>`.
    pub message_id: Option<&'a str>,
    /// A pixel in the HTML.
    pub track_opens: bool,
    /// Links through the edge.
    pub track_clicks: bool,
    /// Not before then; `None` is when MAIL said, or at once.
    pub send_at: Option<OffsetDateTime>,
}

/// What a mailbox has set for what it sends; the organisation's where it has not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SenderSettings {
    /// A copy in Sent.
    pub save_sent: bool,
    /// A pixel in the HTML.
    pub track_opens: bool,
    /// Links through the edge.
    pub track_clicks: bool,
    /// The domain of the mailbox is proven.
    pub domain_verified: bool,
}

impl Db {
    /// What a mailbox has set, or [`Error::NotFound`].
    pub async fn sender_settings(&self, address: AddressId) -> Result<SenderSettings, Error> {
        let (save_sent, track_opens, track_clicks, domain_verified) = sqlx::query_as(
            "SELECT a.save_sent, coalesce(a.track_opens, t.track_opens), coalesce(a.track_clicks, t.track_clicks),
                d.verified_at IS NOT NULL
             FROM public.email_addresses a JOIN public.tenants t ON t.id = a.tenant_id
             JOIN public.tenant_domains d ON d.id = a.domain_id WHERE a.id = $1",
        )
        .bind(address.0)
        .fetch_one(self.pool())
        .await?;
        Ok(SenderSettings { save_sent, track_opens, track_clicks, domain_verified })
    }

    /// Whether `tenant` has proven that `domain` is its own.
    pub async fn domain_is_verified(&self, tenant: TenantId, domain: &str) -> Result<bool, Error> {
        Ok(sqlx::query_scalar(
            "SELECT EXISTS (SELECT 1 FROM public.tenant_domains
             WHERE tenant_id = $1 AND domain = $2 AND verified_at IS NOT NULL)",
        )
        .bind(tenant.0)
        .bind(domain)
        .fetch_one(self.pool())
        .await?)
    }
}

impl TenantTx {
    /// How many reports were queued for an address within a day.
    pub async fn reports_of_a_day(&mut self, to: &Address) -> Result<i64, Error> {
        let tenant = self.id().0;
        Ok(sqlx::query_scalar(
            "SELECT count(*) FROM public.outbound_messages o WHERE o.tenant_id = $1 AND o.recipient = $2
                AND o.source = 'bounce' AND o.queued_at > now() - interval '1 day'",
        )
        .bind(tenant)
        .bind(to.as_str())
        .fetch_one(self.conn())
        .await?)
    }

    /// Puts one row for each recipient into the queue: one statement. A
    /// recipient that is in this send already is left as it is.
    pub async fn enqueue(&mut self, send: &Enqueue<'_>) -> Result<(), Error> {
        let addresses: Vec<&str> =
            send.recipients.iter().map(|r| Address::as_str(&r.address)).collect();
        let notify: Vec<String> = send.recipients.iter().map(|r| notify_words(r.notify)).collect();
        let orcpt: Vec<Option<&str>> = send.recipients.iter().map(|r| r.orcpt.as_deref()).collect();
        let tenant = self.id().0;
        sqlx::query(
            "INSERT INTO public.outbound_messages (tenant_id, queue_id, email_id, address_id, source, class,
                reverse_path, recipient, from_address, subject, message_id, dsn_notify, dsn_orcpt, dsn_ret,
                dsn_envid, require_tls, smtputf8, track_opens, track_clicks, send_at,
                deliver_by, deliver_by_mode)
             SELECT $1, $2, $3, $4, $5, $6, $7, r.recipient, $8, $9, $10, r.notify::text[], r.orcpt, $11,
                $12, $13, $14, $15, $16, $17, $18, $19
             FROM unnest($20::text[], $21::text[], $22::text[]) AS r (recipient, notify, orcpt)
             ON CONFLICT ON CONSTRAINT outbound_messages_queue_id_recipient_key DO NOTHING",
        )
        .bind(tenant)
        .bind(send.queue_id.0)
        .bind(send.email.0)
        .bind::<Option<Uuid>>(send.address.map(|a| a.0))
        .bind(send.source.as_str())
        .bind(send.class.as_str())
        .bind(send.mail_from.reverse_path.as_str())
        .bind(send.from_address)
        .bind(send.subject)
        .bind(send.message_id)
        .bind(ret_word(send.mail_from.ret))
        .bind(send.mail_from.envid.as_deref())
        .bind(send.mail_from.require_tls)
        .bind(send.mail_from.smtputf8)
        .bind(send.track_opens)
        .bind(send.track_clicks)
        .bind(send.send_at.or(send.mail_from.release_at))
        .bind(send.mail_from.deliver_by.map(|by| by.at))
        .bind(send.mail_from.deliver_by.map(|by| by.word()))
        .bind(addresses)
        .bind(notify)
        .bind(orcpt)
        .execute(self.conn())
        .await?;
        Ok(())
    }
}
