//! The door for mail that our own people send.
//!
//! Who may send as whom is decided here; then the message is stored once and
//! queued for each recipient in one transaction.

mod fields;

use std::sync::Arc;

use tokio::sync::Notify;

use crate::domain::address::Address;
use crate::domain::envelope::{MailFrom, Recipient, ReversePath};
use crate::domain::ids::QueueId;
use crate::domain::queue::Class;
use crate::mail::body::Bodies;
use crate::mail::client::{Client, Identity};
use crate::mail::incoming::Incoming;
use crate::mail::ingest::{Ingest, Origin, Sent, submission_key, trace};
use crate::mail::recipients::Recipients;
use crate::mail::{Error, Reason};
use crate::store::db::Db;
use crate::store::emails::Target;
use crate::wire::mime::headers::block_len;
use crate::wire::mime::{self, Form};
use fields::Wishes;

/// Takes submissions. Cheap to clone.
#[derive(Clone)]
pub struct Submit {
    db: Db,
    recipients: Recipients,
    ingest: Ingest,
    bodies: Bodies,
    hostname: Arc<str>,
    /// In Received (RFC 5321 §4.4).
    names_client: bool,
    /// Wakes the queue of this node.
    wake: Arc<Notify>,
}

/// A message that a login submits, with its envelope.
pub struct Submission {
    /// Who submits it.
    pub identity: Identity,
    /// Its id in the 250 and in Received.
    pub queue_id: QueueId,
    /// What MAIL said.
    pub mail_from: MailFrom,
    /// What each RCPT said.
    pub recipients: Vec<Recipient>,
    /// The peer.
    pub client: Client,
    /// The octets between DATA and the end of data.
    pub content: Incoming,
}

impl Submit {
    /// `wake` is told after each commit.
    pub fn new(
        db: Db,
        recipients: Recipients,
        ingest: Ingest,
        bodies: Bodies,
        hostname: &str,
        wake: Arc<Notify>,
    ) -> Self {
        Self {
            db,
            recipients,
            ingest,
            bodies,
            hostname: hostname.into(),
            names_client: false,
            wake,
        }
    }

    /// Received names where a message was submitted from.
    #[must_use]
    pub fn naming_clients(self, names_client: bool) -> Self {
        Self { names_client, ..self }
    }

    /// Whether `identity` may use this reverse-path: an address that leads to
    /// its mailbox, in a domain that is proven; or `<>`, for receipts.
    ///
    /// # Errors
    /// [`Reason::SenderNotYours`], [`Reason::DomainNotVerified`].
    pub async fn may_send(&self, identity: &Identity, path: &ReversePath) -> Result<(), Error> {
        match &path.0 {
            Some(address) => self.may_use(identity, address).await,
            None => Ok(()),
        }
    }

    async fn may_use(&self, identity: &Identity, address: &Address) -> Result<(), Error> {
        let found = self.recipients.find(address).await?.filter(|found| found.active);
        let Some(found) = found.filter(|found| found.local.tenant == identity.tenant) else {
            return Err(Reason::SenderNotYours.into());
        };
        if *address != identity.address && !found.local.leads_to(identity.address_id) {
            return Err(Reason::SenderNotYours.into());
        }
        // Asked again when it leaves.
        if !found.proven {
            return Err(Reason::DomainNotVerified.into());
        }
        Ok(())
    }

    /// Stores the message and queues it for every recipient. Returns once that
    /// is committed; the same submission again within 72 hours does nothing.
    ///
    /// # Errors
    /// [`Reason::BadFrom`], [`Reason::SenderNotYours`],
    /// [`Reason::DomainNotVerified`], [`Error::OverQuota`] for the copy in Sent.
    pub async fn accept(&self, submission: Submission) -> Result<(), Error> {
        let Submission { identity, queue_id, mail_from, recipients, client, content } = submission;
        let _memory = self.ingest.reserve(content.held()).await?;
        let (content, digest) = content.finish().await?;
        let form = mime::parse(&content);
        if block_len(&content) != form.header_len {
            // Fields that must not leave would be taken for body.
            return Err(Reason::TooBig.into());
        }
        self.check_author(&identity, &content, &form).await?;
        let wishes = Wishes::read(&content);
        let settings = self.db.sender_settings(identity.address_id).await?;

        let stamp = trace::Stamp {
            hostname: &self.hostname,
            queue_id,
            mail_from: &mail_from,
            client: &client,
            names_client: self.names_client,
            recipient: None,
            found: "",
            delivered_to: false,
        };
        let header = fields::complete(&content, &form, stamp.fields(), &self.hostname);
        let raw = self.ingest.behind(header, content.slice(form.header_len..)).await?;
        let origin = Origin {
            source: "submission",
            queue_id: Some(queue_id),
            reverse_path: Some(mail_from.reverse_path.as_str().to_owned()),
            dedup_key: Some(submission_key(&digest, &identity.address, &recipients)),
            internal_date: None,
        };
        let targets = match wishes.save_sent.unwrap_or(settings.save_sent) {
            true => vec![self.sent_folder(&identity).await?],
            false => Vec::new(),
        };
        let email = self.ingest.prepare(identity.tenant, raw.clone(), origin, targets).await?;
        self.bodies.keep_fresh(identity.tenant, email.fields.id, &raw);
        let sent = Sent {
            email,
            address: identity.address_id,
            queue_id,
            class: wishes.class.unwrap_or(Class::Personal),
            mail_from,
            recipients,
            track_opens: wishes.track_opens.unwrap_or(settings.track_opens),
            track_clicks: wishes.track_clicks.unwrap_or(settings.track_clicks),
        };
        if self.ingest.commit_sent(identity.tenant, Box::new(sent)).await? {
            self.wake.notify_one();
        }
        Ok(())
    }

    async fn sent_folder(&self, identity: &Identity) -> Result<Target, Error> {
        let mut tx = self.db.tenant(identity.tenant).snapshot().await?;
        let folder = tx.special_folder(identity.address_id, "sent").await?;
        let folder_id = folder.ok_or(Error::NotFound("Sent folder"))?.id.0;
        Ok(Target { folder_id: Some(folder_id), seen: true, ..Target::inbox(identity.address_id) })
    }

    /// Every field that names an author belongs to the login (CVE-2024-7208,
    /// CVE-2024-7209, CVE-2024-49040).
    async fn check_author(
        &self,
        identity: &Identity,
        content: &[u8],
        form: &Form,
    ) -> Result<(), Error> {
        let [author] = form.from.as_slice() else { return Err(Reason::BadFrom.into()) };
        if form.from_count != 1 {
            return Err(Reason::BadFrom.into());
        }
        let resent = fields::resent_authors(content);
        for mailbox in std::iter::once(author).chain(&form.sender).chain(&resent) {
            let Ok(address) = Address::parse(&mailbox.address) else {
                return Err(Reason::SenderNotYours.into());
            };
            self.may_use(identity, &address).await?;
        }
        Ok(())
    }
}
