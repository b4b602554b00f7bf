//! Reports as messages in the queue: mail of the organisation whose domain they are from, signed
//! like all of its mail, never tracked.

use std::sync::Arc;

use time::OffsetDateTime;
use tokio::sync::Notify;
use uuid::Uuid;

use crate::config;
use crate::domain::address::Address;
use crate::domain::envelope::{self, MailFrom, Recipient, ReversePath};
use crate::domain::ids::{QueueId, TenantId};
use crate::domain::queue::{Class, Source};
use crate::mail::Error;
use crate::mail::ingest::{Ingest, Origin};
use crate::store::db::Db;
use crate::store::outbound::Enqueue;
use crate::wire::mime::Person;
use crate::wire::mime::report::{Carrier, Kind, compose};
use crate::wire::report::{file_name, subject};

/// Puts reports into the queue. Cheap to clone.
#[derive(Clone)]
pub struct Post {
    db: Db,
    ingest: Ingest,
    queue: Arc<Notify>,
    from: Address,
    organization: String,
}

/// A report on its way out.
pub(super) struct Letter<'a> {
    /// Names the report, and the send.
    pub(super) id: Uuid,
    /// Whom it is about.
    pub(super) domain: &'a str,
    /// XML or JSON.
    pub(super) is_tls: bool,
    /// The first and the last second.
    pub(super) period: (i64, i64),
    /// The report, packed with gzip.
    pub(super) packed: &'a [u8],
}

impl Post {
    /// With these settings; `None` where they name nobody to send reports as. `us` is our name.
    pub fn new(
        settings: &config::Reports,
        us: &str,
        (db, ingest, queue): (Db, Ingest, Arc<Notify>),
    ) -> Option<Self> {
        let from = settings.from.clone()?;
        let named = Some(&settings.organization).filter(|name| !name.is_empty());
        let organization = named.map_or_else(|| us.to_owned(), Clone::clone);
        Some(Self { db, ingest, queue, from, organization })
    }

    /// Who reports.
    pub(super) fn organization(&self) -> &str {
        &self.organization
    }

    /// Whom to ask.
    pub(super) fn contact(&self) -> &str {
        self.from.as_str()
    }

    /// Writes and queues one message. A report that is in the queue for that recipient already is
    /// not sent again.
    ///
    /// # Errors
    /// [`Error::Internal`] when no organisation has the domain that reports are from.
    pub(super) async fn send(&self, letter: &Letter<'_>, to: &Address) -> Result<(), Error> {
        let owner = self.db.domain_owner(self.from.domain()).await?;
        let tenant = owner.ok_or_else(|| {
            Error::Internal("reports.from: no organisation has that domain".to_owned())
        })?;
        let (raw, subject, message_id) = self.write(letter, to)?;
        let queue_id = QueueId(letter.id);
        let origin = Origin {
            source: "api",
            queue_id: Some(queue_id),
            reverse_path: Some(self.from.as_str().to_owned()),
            dedup_key: None,
            internal_date: None,
        };
        self.enqueue(tenant, (raw, origin), (&subject, &message_id), to).await?;
        self.queue.notify_one();
        Ok(())
    }

    async fn enqueue(
        &self,
        tenant: TenantId,
        (raw, origin): (Vec<u8>, Origin),
        (subject, message_id): (&str, &str),
        to: &Address,
    ) -> Result<(), Error> {
        let queue_id = origin.queue_id.unwrap_or_else(QueueId::random);
        let email = self.ingest.prepare(tenant, raw.into(), origin, Vec::new()).await?;
        // Nobody wants to hear each day that an address does not exist.
        let never = envelope::Notify { success: false, failure: false, delay: false };
        let recipients = [Recipient { notify: never, ..Recipient::plain(to.clone()) }];
        let reverse_path = ReversePath(Some(self.from.clone()));
        let mail_from = MailFrom { reverse_path, ..MailFrom::default() };
        let mut tx = self.db.tenant(tenant).begin().await?;
        tx.store_email(&email).await?;
        tx.enqueue(&Enqueue {
            queue_id,
            email: email.fields.id,
            address: None,
            source: Source::Report,
            class: Class::Bulk,
            mail_from: &mail_from,
            recipients: &recipients,
            from_address: self.from.as_str(),
            subject,
            message_id: Some(message_id),
            track_opens: false,
            track_clicks: false,
            send_at: None,
        })
        .await?;
        Ok(tx.commit().await?)
    }

    /// The message, its subject and its Message-ID.
    fn write(&self, letter: &Letter<'_>, to: &Address) -> Result<(Vec<u8>, String, String), Error> {
        let Letter { id, domain, is_tls, period, packed } = letter;
        let submitter = self.from.domain();
        let id = id.simple().to_string();
        let ending = if *is_tls { "json.gz" } else { "xml.gz" };
        let subject = subject(domain, submitter, &id);
        let message_id = format!("{}@{submitter}", Uuid::new_v4().simple());
        let what = if *is_tls { "SMTP TLS report" } else { "DMARC aggregate report" };
        let text = format!(
            "This is the {what} of {} about {domain}, which asks for it in its DNS records.\n",
            self.organization
        );
        let kind = if *is_tls { Kind::Tls { domain, submitter } } else { Kind::Dmarc };
        let raw = compose(&Carrier {
            from: Person { name: Some(&self.organization), address: self.from.as_str() },
            to: to.as_str(),
            subject: &subject,
            message_id: &message_id,
            date: OffsetDateTime::now_utc().unix_timestamp(),
            text: &text,
            kind,
            file_name: &file_name(submitter, domain, *period, &id, ending),
            packed,
        })
        .map_err(|error| Error::Internal(format!("report: {error}")))?;
        Ok((raw, subject, message_id))
    }
}
