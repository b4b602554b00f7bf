//! Who waits for a folder to change, and telling them: here and on other nodes.

use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, watch};
use uuid::Uuid;

use crate::domain::ids::{AddressId, FolderId};
use crate::store::db::Db;
use crate::store::notify::Channel;

/// The hub of folder changes. Cheap to clone.
///
/// A waiter learns only that something may have changed and asks the database
/// what; so a wake-up too many is harmless, and after a gap everybody is woken.
#[derive(Clone, Default)]
pub struct Changes(Arc<Inner>);

/// What is known of changes without asking.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Hint {
    /// Counts the times when something may have happened, who knows what.
    pub doubts: u64,
    /// Besides, it is known that the folder came as far as this MODSEQ.
    pub modseq: i64,
}

impl Hint {
    fn doubt(&mut self) {
        self.doubts += 1;
    }
}

struct Inner {
    node: Uuid,
    /// By the id of a folder, or of an address for the list of its folders.
    watchers: Mutex<HashMap<Uuid, watch::Sender<Hint>>>,
    outbox: Mutex<HashSet<Uuid>>,
    pending: Notify,
}

impl Default for Inner {
    fn default() -> Self {
        Self {
            node: Uuid::new_v4(),
            watchers: Mutex::default(),
            outbox: Mutex::default(),
            pending: Notify::new(),
        }
    }
}

/// How long changes are gathered before other nodes are told. A NOTIFY
/// serialises the commits of the whole database, so there are few of them.
const GATHER: Duration = Duration::from_millis(25);
/// The wait after other nodes could not be told.
const AGAIN: Duration = Duration::from_secs(1);
/// Postgres takes payloads under 8,000 octets; an id and a space are 37.
const IDS_PER_PAYLOAD: usize = 200;

/// Nothing here can panic while it holds a lock, so a poisoned one is still right.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Changes {
    /// Waits on `folder`: `changed()` of what this returns resolves after each
    /// change from now on.
    pub fn watch(&self, folder: FolderId) -> watch::Receiver<Hint> {
        self.watch_id(folder.0)
    }

    /// Waits on what folders an address has, and how they are called.
    pub fn watch_names(&self, address: AddressId) -> watch::Receiver<Hint> {
        self.watch_id(address.0)
    }

    fn watch_id(&self, id: Uuid) -> watch::Receiver<Hint> {
        let mut watchers = lock(&self.0.watchers);
        // Those nobody waits for any more go when the table doubles: the cost
        // of looking at all of them is spread over what filled it.
        if watchers.len().is_power_of_two() {
            watchers.retain(|_, sender| sender.receiver_count() > 0);
        }
        watchers.entry(id).or_insert_with(|| watch::channel(Hint::default()).0).subscribe()
    }

    /// Tells that `folders` changed; call it after the commit.
    pub fn publish(&self, folders: impl IntoIterator<Item = FolderId>) {
        self.publish_ids(folders.into_iter().map(|folder| folder.0));
    }

    /// Tells that an address has other folders now, or calls them otherwise; call it after the
    /// commit.
    pub fn publish_names(&self, address: AddressId) {
        self.publish_ids([address.0]);
    }

    /// Tells of a change that took `folder` to this MODSEQ; call it after the commit. Whoever knows
    /// that one has no need to ask.
    pub fn publish_at(&self, folder: FolderId, modseq: i64) {
        self.publish_with([folder.0], |hint| hint.modseq = hint.modseq.max(modseq));
    }

    fn publish_ids(&self, ids: impl IntoIterator<Item = Uuid>) {
        self.publish_with(ids, Hint::doubt);
    }

    fn publish_with(&self, ids: impl IntoIterator<Item = Uuid>, change: impl Fn(&mut Hint)) {
        let mut outbox = lock(&self.0.outbox);
        for id in ids {
            self.wake(id, &change);
            outbox.insert(id);
        }
        drop(outbox);
        self.0.pending.notify_one();
    }

    fn wake(&self, id: Uuid, change: impl Fn(&mut Hint)) {
        if let Some(sender) = lock(&self.0.watchers).get(&id) {
            sender.send_modify(change);
        }
    }

    /// Wakes everybody: changes may have been missed.
    pub fn wake_all(&self) {
        for sender in lock(&self.0.watchers).values() {
            sender.send_modify(Hint::doubt);
        }
    }

    /// Takes in what another node told. Our own words come back too and are
    /// left out.
    pub fn heard(&self, payload: &str) {
        let mut words = payload.split(' ');
        if words.next().and_then(|w| w.parse().ok()) == Some(self.0.node) {
            return;
        }
        for id in words.filter_map(|w| w.parse().ok()) {
            self.wake(id, Hint::doubt);
        }
    }

    /// Tells other nodes, for ever.
    pub async fn tell_others(&self, db: Db) {
        loop {
            self.0.pending.notified().await;
            tokio::time::sleep(GATHER).await;
            if !self.tell_now(&db).await {
                tokio::time::sleep(AGAIN).await;
                self.0.pending.notify_one();
            }
        }
    }

    /// Tells other nodes what they have not been told yet: for whoever does not
    /// run long enough for [`Changes::tell_others`]. Whether all was told; what was not is kept
    /// for the next time.
    pub async fn tell_now(&self, db: &Db) -> bool {
        let mut all = true;
        let ids: Vec<Uuid> = lock(&self.0.outbox).drain().collect();
        for chunk in ids.chunks(IDS_PER_PAYLOAD) {
            let mut payload = self.0.node.to_string();
            for id in chunk {
                let _ = write!(payload, " {id}");
            }
            if let Err(error) = db.notify(Channel::Folder, &payload).await {
                // The other nodes may hear well and never learn of a gap.
                tracing::warn!(%error, "other nodes were not told of changed folders");
                lock(&self.0.outbox).extend(chunk);
                all = false;
            }
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn waiters_of_a_folder_hear_of_it_and_only_of_it() {
        let changes = Changes::default();
        let (mine, other) = (FolderId::random(), FolderId::random());
        let mut watch = changes.watch(mine);
        changes.publish([other]);
        assert!(!watch.has_changed().unwrap());
        changes.publish([mine]);
        watch.changed().await.unwrap();
        changes.heard(&format!("{} {mine}", changes.0.node));
        assert!(!watch.has_changed().unwrap(), "our own words");
        changes.heard(&format!("{} {other} {mine}", Uuid::new_v4()));
        watch.changed().await.unwrap();
        changes.wake_all();
        watch.changed().await.unwrap();
    }

    #[test]
    fn folders_nobody_waits_for_are_forgotten() {
        let changes = Changes::default();
        for _ in 0..100 {
            drop(changes.watch(FolderId::random()));
        }
        assert!(lock(&changes.0.watchers).len() <= 1);
    }
}
