//! Messages on their way out: putting them into the queue.

use time::OffsetDateTime;

use crate::domain::address::Address;
use crate::domain::envelope::{MailFrom, Recipient};
use crate::domain::ids::{AddressId, EmailId, QueueId};
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
        self.enqueue_all(std::slice::from_ref(send)).await
    }

    /// As [`TenantTx::enqueue`], for several messages: one statement as well.
    pub async fn enqueue_all(&mut self, sends: &[Enqueue<'_>]) -> Result<(), Error> {
        /// A value of each message.
        fn each<'a, T>(sends: &'a [Enqueue<'a>], part: impl Fn(&'a Enqueue<'a>) -> T) -> Vec<T> {
            sends.iter().map(part).collect()
        }
        let tenant = self.id().0;
        let rows = || {
            sends
                .iter()
                .zip(1_i32..)
                .flat_map(|(send, n)| send.recipients.iter().map(move |recipient| (n, recipient)))
        };
        sqlx::query(
            "INSERT INTO public.outbound_messages (tenant_id, queue_id, email_id, address_id, source, class,
                reverse_path, recipient, from_address, subject, message_id, dsn_notify, dsn_orcpt, dsn_ret,
                dsn_envid, require_tls, smtputf8, track_opens, track_clicks, send_at,
                deliver_by, deliver_by_mode)
             SELECT $1, m.queue_id, m.email_id, m.address_id, m.source, m.class,
                m.reverse_path, r.recipient, m.from_address, m.subject, m.message_id, r.notify::text[], r.orcpt, m.ret,
                m.envid, m.require_tls, m.smtputf8, m.track_opens, m.track_clicks, m.send_at,
                m.deliver_by, m.deliver_by_mode
             FROM unnest($2::integer[], $3::text[], $4::text[], $5::text[]) AS r (n, recipient, notify, orcpt)
             JOIN unnest($6::uuid[], $7::uuid[], $8::uuid[], $9::text[], $10::text[], $11::text[], $12::text[],
                    $13::text[], $14::text[], $15::text[], $16::text[], $17::boolean[], $18::boolean[], $19::boolean[],
                    $20::boolean[], $21::timestamptz[], $22::timestamptz[], $23::text[])
                WITH ORDINALITY AS m (queue_id, email_id, address_id, source, class, reverse_path, from_address,
                    subject, message_id, ret, envid, require_tls, smtputf8, track_opens,
                    track_clicks, send_at, deliver_by, deliver_by_mode, n) ON m.n = r.n
             ON CONFLICT ON CONSTRAINT outbound_messages_queue_id_recipient_key DO NOTHING",
        )
        .bind(tenant)
        .bind(rows().map(|(n, _)| n).collect::<Vec<_>>())
        .bind(rows().map(|(_, to)| to.address.as_str()).collect::<Vec<_>>())
        .bind(rows().map(|(_, to)| notify_words(to.notify)).collect::<Vec<_>>())
        .bind(rows().map(|(_, to)| to.orcpt.as_deref()).collect::<Vec<_>>())
        .bind(each(sends, |send| send.queue_id.0))
        .bind(each(sends, |send| send.email.0))
        .bind(each(sends, |send| send.address.map(|a| a.0)))
        .bind(each(sends, |send| send.source.as_str()))
        .bind(each(sends, |send| send.class.as_str()))
        .bind(each(sends, |send| send.mail_from.reverse_path.as_str()))
        .bind(each(sends, |send| send.from_address))
        .bind(each(sends, |send| send.subject))
        .bind(each(sends, |send| send.message_id))
        .bind(each(sends, |send| ret_word(send.mail_from.ret)))
        .bind(each(sends, |send| send.mail_from.envid.as_deref()))
        .bind(each(sends, |send| send.mail_from.require_tls))
        .bind(each(sends, |send| send.mail_from.smtputf8))
        .bind(each(sends, |send| send.track_opens))
        .bind(each(sends, |send| send.track_clicks))
        .bind(each(sends, |send| send.send_at.or(send.mail_from.release_at)))
        .bind(each(sends, |send| send.mail_from.deliver_by.map(|by| by.at)))
        .bind(each(sends, |send| send.mail_from.deliver_by.map(|by| by.word())))
        .execute(self.conn())
        .await?;
        Ok(())
    }
}
