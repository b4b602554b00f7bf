//! The one door for every message: from SMTP, submission, APPEND, the queue.
//!
//! Trace fields first, then [`prepare`]: parse once, cut out attachments,
//! prove that the original can be rebuilt, put the objects. Then one
//! transaction. What was put and never committed is swept later; what was
//! committed is whole.

mod append;
mod batch;
mod commit;
mod dedup;
mod deliver;
mod place;
mod prepare;
mod receipt;
mod success;
mod together;
pub mod trace;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::{Notify, Semaphore};

use crate::domain::address::Address;
use crate::domain::envelope::{MailFrom, Recipient};
use crate::domain::ids::{FolderId, QueueId, TenantId};
use crate::mail::batches::Batches;
use crate::mail::changes::Changes;
use crate::mail::client::Client;
use crate::mail::incoming::Incoming;
use crate::mail::judge::{Case, Judge};
use crate::mail::recipients::{Local, Recipients};
use crate::mail::reporting::Arriving;
use crate::mail::returned::Returns;
use crate::mail::search_index::SearchIndex;
use crate::mail::spool::Spool;
use crate::mail::{Error, Reason};
use crate::store::db::Db;
use crate::store::emails::{Stored, Target};
use crate::store::objects::Objects;
use crate::wire::mime::headers::find_all;

use batch::Storing;
use success::Taken;

pub use append::{Replaced, Upload, Uploaded};
pub(in crate::mail) use batch::Sent;
pub use dedup::{DedupKey, delivery_key, retry_key, submission_key};
pub use deliver::Delivery;
pub use prepare::Origin;

/// The settings of the door.
#[derive(Clone)]
pub struct Settings {
    /// Our name in Received (RFC 5321 §4.4).
    pub hostname: String,
    /// Where large messages wait while they come in.
    pub spool: PathBuf,
    /// Attachments of this many octets and more become objects.
    pub cut_from: usize,
    /// Octets of messages that may be in memory at once, over all sessions.
    pub memory: usize,
    /// Who looks at what comes from outside.
    pub judge: Judge,
}

/// Stores messages. Cheap to clone.
#[derive(Clone)]
pub struct Ingest {
    db: Db,
    batches: Batches<Storing>,
    recipients: Recipients,
    objects: Objects,
    changes: Changes,
    /// Wakes the queue of this node.
    queue: Arc<Notify>,
    index: SearchIndex,
    hostname: Arc<str>,
    spool: Spool,
    cut_from: usize,
    memory: Arc<Semaphore>,
    pages: usize,
    judge: Judge,
    reports: Arriving,
    returns: Returns,
}

/// A message from SMTP with its envelope.
pub struct Arrival {
    /// Its id in the 250 and in Received.
    pub queue_id: QueueId,
    /// What MAIL said.
    pub mail_from: MailFrom,
    /// What each RCPT said, and who that is.
    pub recipients: Vec<(Recipient, Local)>,
    /// Who sends it.
    pub client: Client,
    /// The octets between DATA and the end of data.
    pub content: Incoming,
}

/// Loops end here (RFC 5321 §6.3).
const MAX_RECEIVED: usize = 100;
/// Messages from here on are copied and taken apart on a blocking thread.
const HEAVY: usize = 256 * 1024;
/// The memory budget is counted in these.
const PAGE: usize = 4096;

impl Ingest {
    /// Over the stores; `changes` is told after each commit.
    pub fn new(
        (db, objects): (Db, Objects),
        recipients: Recipients,
        (changes, queue, index): (Changes, Arc<Notify>, SearchIndex),
        settings: Settings,
    ) -> Self {
        let pages = (settings.memory / PAGE).clamp(1, Semaphore::MAX_PERMITS);
        Self {
            batches: Batches::new(db.clone()),
            reports: Arriving::new(db.clone()),
            returns: Returns::new(db.clone(), Arc::clone(recipients.verp())),
            db,
            recipients,
            objects,
            changes,
            queue,
            index,
            hostname: settings.hostname.into(),
            spool: Spool::new(settings.spool),
            cut_from: settings.cut_from,
            memory: Arc::new(Semaphore::new(pages)),
            pages,
            judge: settings.judge,
        }
    }

    /// Reads the reports that come in.
    pub fn reports(&self) -> Arriving {
        self.reports.clone()
    }

    /// A message about to be received.
    pub fn incoming(&self) -> Incoming {
        Incoming::new(&self.spool)
    }

    /// Whether the disk has room for `size` octets and half as much again
    /// (RFC 5321 §4.2.3, reply 452).
    pub async fn room(&self, size: u64) -> Result<(), Error> {
        let spool = self.spool.clone();
        let free = tokio::task::spawn_blocking(move || spool.free_space())
            .await
            .map_err(|e| Error::Internal(e.to_string()))?;
        match free {
            Ok(free) if free < size.saturating_add(size / 2) => {
                Err(Error::Temporary(format!("{free} octets left on the disk")))
            }
            Ok(_) => Ok(()),
            Err(e) => Err(Error::Temporary(format!("free space: {e}"))),
        }
    }

    /// Stores a message for all its recipients, once per organisation.
    ///
    /// Returns once it is committed everywhere. After an error some
    /// organisations may have it; the peer's retry finds it there already.
    /// Where a rule refuses it for one of several recipients, that one has not
    /// got it and the sender is not told: a report would go to whoever the
    /// message claims to be from.
    ///
    /// # Errors
    /// [`Reason::MailLoop`], [`Reason::BadFrom`]; [`Error::Refused`] when the
    /// rules of all recipients refuse it; [`Error::OverQuota`];
    /// [`Error::Temporary`] without the database or the object store.
    pub async fn accept(&self, arrival: Arrival) -> Result<(), Error> {
        let _memory = self.reserve(arrival.content.held()).await?;
        let (content, digest) = arrival.content.finish().await?;
        check(&content)?;
        let judged = self.judge.judge(Case {
            queue_id: arrival.queue_id,
            mail_from: &arrival.mail_from,
            recipients: &arrival.recipients,
            client: &arrival.client,
            content: &content,
        });
        let judged = judged.await?;
        let mut kept = false;
        let mut refused = None;
        for (tenant, recipients) in by_tenant(&arrival.recipients) {
            let key = retry_key(&digest, &arrival.mail_from.reverse_path, &recipients);
            let (verdict, found) = self.judge.for_tenant(tenant, &judged).await;
            let stamp = trace::Stamp {
                hostname: &self.hostname,
                queue_id: arrival.queue_id,
                mail_from: &arrival.mail_from,
                client: &arrival.client,
                names_client: false,
                recipient: only(&recipients),
                found: &found,
                delivered_to: true,
            };
            if let Some(recipient) = only(&recipients) {
                check_loop(&content, &recipient.address)?;
            }
            let front = [stamp.fields(), judged.header.clone()].concat();
            let raw = self.behind(front, judged.rest.clone()).await?;
            let origin = Origin {
                source: "smtp",
                queue_id: Some(arrival.queue_id),
                reverse_path: Some(arrival.mail_from.reverse_path.as_str().to_owned()),
                dedup_key: Some(key),
                internal_date: None,
            };
            let to: Vec<place::To<'_>> =
                recipients.iter().map(|(r, local)| (&r.address, local)).collect();
            // Boxed: a session should not hold room for all of this.
            let placed = Box::pin(self.place(
                tenant,
                raw,
                origin,
                &to,
                (&verdict, arrival.mail_from.require_tls),
            ));
            let placed = placed.await?;
            if let Some(text) = placed.refused {
                refused = refused.or(Some(text));
                continue;
            }
            kept = true;
            let mail_from = &arrival.mail_from;
            let (recipients, verdict, content) = (&recipients, &verdict, &content[..]);
            let taken = Taken { tenant, mail_from, recipients, content, verdict, key };
            Box::pin(self.report_success(&taken, &placed)).await?;
        }
        match refused {
            Some(text) if !kept => Err(Error::Refused(text)),
            _ => Ok(()),
        }
    }

    /// Stores one message for one organisation and tells who waits.
    pub async fn store(
        &self,
        tenant: TenantId,
        raw: Bytes,
        origin: Origin,
        targets: Vec<Target>,
    ) -> Result<Stored, Error> {
        let email = Box::new(self.prepare(tenant, raw, origin, targets).await?);
        let (_, stored) = self.commit(tenant, email).await?;
        Ok(stored?)
    }

    /// Tells who waits for these folders; call it after the commit.
    pub fn published(&self, folders: impl IntoIterator<Item = FolderId>) {
        self.changes.publish(folders);
    }

    /// `content` behind `front`.
    ///
    /// # Errors
    /// [`Error::Temporary`] when the disk takes no more.
    pub(in crate::mail) async fn behind(
        &self,
        front: Vec<u8>,
        content: Bytes,
    ) -> Result<Bytes, Error> {
        if content.len() < HEAVY {
            return Ok([&front, &content[..]].concat().into());
        }
        let spool = self.spool.clone();
        tokio::task::spawn_blocking(move || spool.join(&front, &content))
            .await
            .map_err(|e| Error::Internal(format!("spool task: {e}")))?
            .map_err(|e| Error::Temporary(format!("spool file: {e}")))
    }

    /// Waits until `size` octets of a message may be held in memory: as they
    /// came, as they are stored and cut.
    pub(in crate::mail) async fn reserve(
        &self,
        size: u64,
    ) -> Result<tokio::sync::SemaphorePermit<'_>, Error> {
        let pages = usize::try_from(size).unwrap_or(usize::MAX).saturating_mul(3) / PAGE + 1;
        // One that is larger than the whole budget takes all of it.
        let pages = u32::try_from(pages.min(self.pages)).unwrap_or(u32::MAX);
        self.memory.acquire_many(pages).await.map_err(|e| Error::Internal(e.to_string()))
    }
}

type OfTenant<'a> = Vec<&'a (Recipient, Local)>;

fn by_tenant(recipients: &[(Recipient, Local)]) -> BTreeMap<TenantId, OfTenant<'_>> {
    let mut groups: BTreeMap<TenantId, OfTenant<'_>> = BTreeMap::new();
    for recipient in recipients {
        groups.entry(recipient.1.tenant).or_default().push(recipient);
    }
    groups
}

/// The recipient, when there is one only. A stored message names no other:
/// that would tell who was in Bcc.
fn only<'a>(recipients: &[&'a (Recipient, Local)]) -> Option<&'a Recipient> {
    match recipients {
        [(recipient, _)] => Some(recipient),
        _ => None,
    }
}

/// What is refused from anybody.
fn check(content: &[u8]) -> Result<(), Error> {
    if find_all(content, "Received").count() >= MAX_RECEIVED {
        return Err(Reason::MailLoop.into());
    }
    // A client may show one From and a filter check the other.
    if find_all(content, "From").count() > 1 {
        return Err(Reason::BadFrom.into());
    }
    Ok(())
}

/// Our own Delivered-To twice: it has been here before and came back.
fn check_loop(content: &[u8], recipient: &Address) -> Result<(), Error> {
    let ours = recipient.as_str().as_bytes();
    let delivered = find_all(content, "Delivered-To");
    if delivered.filter(|field| field.text().eq_ignore_ascii_case(ours)).count() >= 2 {
        return Err(Reason::MailLoop.into());
    }
    Ok(())
}
