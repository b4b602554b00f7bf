//! Messages that wait to be stored at the same moment are stored together.
//!
//! What a transaction costs before it touches a row, and the wait for the disk
//! at its end, is paid once for all of them. Nobody waits for company: while
//! one batch of an organisation is being stored, the next one gathers.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

use crate::domain::ids::TenantId;
use crate::mail::ingest::dedup::DedupKey;
use crate::store;
use crate::store::db::Db;
use crate::store::emails::{Fields, NewEmail, Stored};

/// Messages of one batch at most.
const MESSAGES: usize = 64;
/// And octets, unless one alone is larger.
const OCTETS: usize = 4 * 1024 * 1024;

type Answer = (Box<NewEmail>, Result<Stored, store::Error>);

/// The messages of all organisations that wait. Cheap to clone.
#[derive(Clone)]
pub(super) struct Batches {
    db: Db,
    /// Those of one organisation are there while somebody stores them: one
    /// task, so that what two batches change cannot make them wait in a circle.
    queues: Arc<Mutex<HashMap<TenantId, VecDeque<Waiting>>>>,
}

struct Waiting {
    email: Box<NewEmail>,
    answer: oneshot::Sender<Answer>,
}

impl Batches {
    pub(super) fn new(db: Db) -> Self {
        Self { db, queues: Arc::default() }
    }

    /// Stores `email`; gives it back with what came of it. Whoever stops
    /// waiting does not stop it from being stored.
    pub(super) async fn store(&self, tenant: TenantId, email: Box<NewEmail>) -> Option<Answer> {
        let (answer, answered) = oneshot::channel();
        if self.line_up(tenant, Waiting { email, answer }) {
            tokio::spawn(self.clone().work(tenant));
        }
        // Nothing comes only where that task ended half-way.
        answered.await.ok()
    }

    /// Whether nobody stores those of this organisation yet.
    fn line_up(&self, tenant: TenantId, one: Waiting) -> bool {
        match self.lock().entry(tenant) {
            Entry::Occupied(mut queue) => {
                queue.get_mut().push_back(one);
                false
            }
            Entry::Vacant(queue) => {
                queue.insert(VecDeque::from([one]));
                true
            }
        }
    }

    /// Stores until nothing waits.
    async fn work(self, tenant: TenantId) {
        let mut work = Work { batches: &self, tenant, done: false };
        while let Some(batch) = self.next(tenant) {
            self.store_batch(tenant, batch).await;
        }
        work.done = true;
    }

    fn next(&self, tenant: TenantId) -> Option<Vec<Waiting>> {
        let mut queues = self.lock();
        let batch = take(queues.get_mut(&tenant)?);
        if batch.is_empty() {
            queues.remove(&tenant);
            return None;
        }
        Some(batch)
    }

    /// All at once; where that is refused, each alone, so that what is wrong
    /// with one is told to nobody else.
    async fn store_batch(&self, tenant: TenantId, batch: Vec<Waiting>) {
        let tenant = self.db.tenant(tenant);
        let emails: Vec<&NewEmail> = batch.iter().map(|one| &*one.email).collect();
        let mut gone = None;
        match tenant.store_emails(&emails).await {
            Ok(stored) => {
                for (one, stored) in batch.into_iter().zip(stored) {
                    one.tell(Ok(stored));
                }
                return;
            }
            Err(error) if batch.len() == 1 && !error.is_conflict(SAME) => gone = Some(error),
            Err(_) => {}
        }
        for one in batch {
            let result = match gone.clone() {
                Some(error) => Err(error),
                None => alone(&tenant, &one.email).await,
            };
            if let Err(error @ store::Error::Unavailable(_)) = &result {
                gone = Some(error.clone());
            }
            one.tell(result);
        }
    }

    /// Nothing here can panic while it holds the lock, so a poisoned one is still right.
    fn lock(&self) -> MutexGuard<'_, HashMap<TenantId, VecDeque<Waiting>>> {
        self.queues.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Sees to it that nobody waits for a task that ended half-way.
struct Work<'a> {
    batches: &'a Batches,
    tenant: TenantId,
    done: bool,
}

impl Drop for Work<'_> {
    fn drop(&mut self) {
        if !self.done {
            self.batches.lock().remove(&self.tenant);
        }
    }
}

impl Waiting {
    fn tell(self, result: Result<Stored, store::Error>) {
        // Whoever asked may have gone; it is stored all the same.
        let _ = self.answer.send((self.email, result));
    }
}

/// The constraint that a message breaks which is stored already.
const SAME: &str = "emails_dedup_key";

/// Two sessions may bring the same message at the same moment: the later one
/// asks again and then finds it stored.
async fn alone(tenant: &store::tenant::Tenant, email: &NewEmail) -> Result<Stored, store::Error> {
    let mut stored = tenant.store_emails(&[email]).await;
    if stored.as_ref().is_err_and(|error| error.is_conflict(SAME)) {
        stored = tenant.store_emails(&[email]).await;
    }
    stored?.pop().ok_or(store::Error::NotFound)
}

/// The next batch: those that came first, without the ones that have to see
/// another of them stored.
fn take(waiting: &mut VecDeque<Waiting>) -> Vec<Waiting> {
    let mut batch: Vec<Waiting> = Vec::new();
    let mut later = VecDeque::new();
    let mut octets = 0_usize;
    let mut kin = Kin::default();
    while let Some(one) = waiting.pop_front() {
        let size = octets.saturating_add(weight(&one.email));
        if batch.len() == MESSAGES || !batch.is_empty() && size > OCTETS {
            later.push_back(one);
            break;
        }
        if kin.admits(&one.email.fields) {
            octets = size;
            batch.push(one);
        } else {
            later.push_back(one);
        }
    }
    later.append(waiting);
    *waiting = later;
    batch
}

fn weight(email: &NewEmail) -> usize {
    email.header.len() + email.skeleton.len() + email.text.len()
}

/// What tells that a message belongs to one that is in the batch.
#[derive(Default)]
struct Kin {
    keys: HashSet<DedupKey>,
    /// Message ids, those that are answered as well.
    ids: HashSet<String>,
    /// Base subjects, and whether one of those is a reply.
    subjects: HashMap<String, bool>,
}

impl Kin {
    /// Takes a message in, unless it is related to one that is in already.
    fn admits(&mut self, fields: &Fields) -> bool {
        let own = fields.message_id.iter();
        let ids: Vec<&String> =
            own.chain(&fields.in_reply_to).chain(&fields.reference_ids).collect();
        let same_subject = self.subjects.get(&fields.base_subject);
        if same_subject.is_some_and(|is_reply| *is_reply || fields.is_reply)
            || fields.dedup_key.is_some_and(|key| self.keys.contains(&key))
            || ids.iter().any(|id| self.ids.contains(*id))
        {
            return false;
        }
        self.keys.extend(fields.dedup_key);
        self.ids.extend(ids.into_iter().cloned());
        *self.subjects.entry(fields.base_subject.clone()).or_default() |= fields.is_reply;
        true
    }
}
