//! Messages that wait to be stored at the same moment are stored together.

use std::collections::{HashMap, HashSet};

use crate::domain::envelope::{MailFrom, Recipient};
use crate::domain::ids::{AddressId, QueueId, TenantId};
use crate::domain::queue::{Class, Source};
use crate::mail::batches::{Admitted, Work};
use crate::mail::ingest::dedup::DedupKey;
use crate::mail::ingest::together::Together;
use crate::store::Error;
use crate::store::db::Db;
use crate::store::emails::{NewEmail, Stored};
use crate::store::outbound::Enqueue;
use crate::store::tenant::Tenant;

/// Messages of one batch at most.
const MESSAGES: usize = 64;
/// And octets, unless one alone is larger.
const OCTETS: usize = 4 * 1024 * 1024;

/// The constraint that a message breaks which is stored already.
const SAME: &str = "emails_dedup_key";

/// Storing messages.
pub(super) struct Storing;

/// What waits to be stored.
pub(super) enum Waiting {
    /// A message.
    One(Box<NewEmail>),
    /// A message that leaves.
    Sent(Box<Sent>),
    /// Messages that have a transaction of their own.
    Together(Together),
}

/// A message and where it goes.
pub(in crate::mail) struct Sent {
    /// What is stored.
    pub(in crate::mail) email: NewEmail,
    /// The login's mailbox.
    pub(in crate::mail) address: AddressId,
    /// In the 250 and in Received.
    pub(in crate::mail) queue_id: QueueId,
    /// How urgent it is.
    pub(in crate::mail) class: Class,
    /// The envelope.
    pub(in crate::mail) mail_from: MailFrom,
    /// The envelope.
    pub(in crate::mail) recipients: Vec<Recipient>,
    /// A pixel in the HTML.
    pub(in crate::mail) track_opens: bool,
    /// Links through the edge.
    pub(in crate::mail) track_clicks: bool,
}

impl Sent {
    fn rows(&self) -> Enqueue<'_> {
        let fields = &self.email.fields;
        Enqueue {
            queue_id: self.queue_id,
            email: fields.id,
            address: Some(self.address),
            source: Source::Submission,
            class: self.class,
            mail_from: &self.mail_from,
            recipients: &self.recipients,
            from_address: &fields.from_address,
            subject: &fields.subject,
            message_id: fields.message_id.as_deref(),
            track_opens: self.track_opens,
            track_clicks: self.track_clicks,
            send_at: None,
        }
    }
}

impl Work for Storing {
    type Key = TenantId;
    type One = Waiting;
    type Done = Vec<Stored>;
    type Batch = Kin;

    fn admit(batch: &mut Kin, waiting: &Waiting) -> Admitted {
        match waiting {
            Waiting::One(email) => batch.admit(email),
            Waiting::Sent(sent) => batch.admit(&sent.email),
            Waiting::Together(_) => batch.admit_alone(),
        }
    }

    async fn all(db: &Db, key: TenantId, batch: &[&Waiting]) -> Result<Vec<Vec<Stored>>, Error> {
        let tenant = db.tenant(key);
        let mut emails: Vec<&NewEmail> = Vec::with_capacity(batch.len());
        let mut leaving = Vec::new();
        for waiting in batch {
            match waiting {
                Waiting::One(email) => emails.push(email),
                Waiting::Sent(sent) => {
                    leaving.push((emails.len(), &**sent));
                    emails.push(&sent.email);
                }
                // It is alone.
                Waiting::Together(together) => return Ok(vec![together.store(&tenant).await?]),
            }
        }
        let stored = if leaving.is_empty() {
            tenant.store_emails(&emails).await?
        } else {
            store_and_send(&tenant, &emails, &leaving).await?
        };
        Ok(stored.into_iter().map(|stored| vec![stored]).collect())
    }

    /// Two sessions may bring the same message at the same moment: the later one asks again and
    /// then finds it stored.
    fn passes(error: &Error) -> bool {
        error.is_conflict(SAME)
    }
}

/// What was submitted before is not queued again.
async fn store_and_send(
    tenant: &Tenant,
    emails: &[&NewEmail],
    leaving: &[(usize, &Sent)],
) -> Result<Vec<Stored>, Error> {
    let mut tx = tenant.begin().await?;
    let stored = tx.store_emails(emails).await?;
    let is_new = |place: usize| stored.get(place).is_some_and(|stored| !stored.duplicate);
    let new = leaving.iter().filter(|(place, _)| is_new(*place));
    let rows: Vec<Enqueue<'_>> = new.map(|(_, sent)| sent.rows()).collect();
    if !rows.is_empty() {
        tx.enqueue_all(&rows).await?;
    }
    tx.commit().await?;
    Ok(stored)
}

fn weight(email: &NewEmail) -> usize {
    email.header.len() + email.skeleton.len() + email.text.len()
}

/// What tells that a message belongs to one that is in the batch, and must see that one stored.
#[derive(Default)]
pub(super) struct Kin {
    /// Nobody else may join.
    alone: bool,
    messages: usize,
    octets: usize,
    keys: HashSet<DedupKey>,
    /// Message ids, those that are answered as well.
    ids: HashSet<String>,
    /// Base subjects, and whether one of those is a reply.
    subjects: HashMap<String, bool>,
}

impl Kin {
    fn admit_alone(&mut self) -> Admitted {
        if self.messages > 0 || self.alone {
            return Admitted::Full;
        }
        self.alone = true;
        Admitted::Yes
    }

    /// Whether `email` may join. The first always may.
    pub(super) fn admit(&mut self, email: &NewEmail) -> Admitted {
        let size = self.octets.saturating_add(weight(email));
        if self.alone || self.messages == MESSAGES || self.messages > 0 && size > OCTETS {
            return Admitted::Full;
        }
        let fields = &email.fields;
        let own = fields.message_id.iter();
        let ids: Vec<&String> =
            own.chain(&fields.in_reply_to).chain(&fields.reference_ids).collect();
        let same_subject = self.subjects.get(&fields.base_subject);
        if same_subject.is_some_and(|is_reply| *is_reply || fields.is_reply)
            || fields.dedup_key.is_some_and(|key| self.keys.contains(&key))
            || ids.iter().any(|id| self.ids.contains(*id))
        {
            return Admitted::Later;
        }
        self.messages += 1;
        self.octets = size;
        self.keys.extend(fields.dedup_key);
        self.ids.extend(ids.into_iter().cloned());
        *self.subjects.entry(fields.base_subject.clone()).or_default() |= fields.is_reply;
        Admitted::Yes
    }
}
