//! Folders as they were read last, kept in memory: flags, what is ready for the wire, and what rules
//! messages out of a search.
//!
//! Every read still asks Postgres how far the folder has come, and takes in what is news; so what is
//! told is what is stored, and a folder that did not change costs one row. Whoever may not see a
//! folder does not get here: the transaction is the reader's own.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use moka::sync::Cache;

use crate::domain::ids::{EmailId, FolderId};
use crate::mail::mailbox::{Entry, Fetched};
use crate::store::Error;
use crate::store::members::{News, Ready};
use crate::store::search::{Filters, Need};
use crate::store::tenant::TenantTx;

/// A folder that nobody has read for so long is forgotten. Far below the time for which the UIDs of
/// messages that are gone are known.
const IDLE: Duration = Duration::from_mins(15);
const LIFE: Duration = Duration::from_hours(24);
/// A folder is worth keeping when one message in so many is asked for at once.
const WORTH: usize = 4;
/// Octets that the filters of a message take, nearly always at most.
const FILTERS: usize = 4096;

/// The folders. Cheap to clone.
#[derive(Clone)]
pub(super) struct Kept {
    folders: Cache<FolderId, Arc<Mutex<Members>>>,
    /// Octets of what is ready that one folder may keep.
    most: usize,
}

/// The messages of a folder, by UID.
#[derive(Default)]
struct Members {
    /// Everything up to this MODSEQ is in it; 0: nothing was read yet.
    modseq: i64,
    all: Vec<Member>,
    /// Octets of what is ready.
    ready: usize,
    /// Octets of filters.
    filters: usize,
}

struct Member {
    entry: Entry,
    email: EmailId,
    ready: Option<Arc<Ready>>,
    filters: Option<Filters>,
}

impl Kept {
    /// At most about `octets` of memory.
    pub(super) fn new(octets: u64) -> Self {
        let folders = Cache::builder()
            .weigher(|_, members: &Arc<Mutex<Members>>| lock(members).octets())
            .max_capacity(octets)
            .time_to_idle(IDLE)
            .time_to_live(LIFE)
            .build();
        let most = usize::try_from(octets / 4).unwrap_or(usize::MAX);
        Self { folders, most }
    }

    /// Flags of the messages that are still there, by UID; `None` where it is cheaper to ask for
    /// these alone. Call it in a snapshot.
    pub(super) async fn entries(
        &self,
        tx: &mut TenantTx,
        folder: FolderId,
        uids: &[u32],
    ) -> Result<Option<Vec<Entry>>, Error> {
        let Some(members) = self.current(tx, folder, uids.len()).await? else { return Ok(None) };
        let members = lock(&members);
        let found = uids.iter().filter_map(|&uid| members.get(uid));
        Ok(Some(found.map(|member| member.entry.clone()).collect()))
    }

    /// As [`Kept::entries`], with all that is ready.
    pub(super) async fn fetch(
        &self,
        tx: &mut TenantTx,
        folder: FolderId,
        uids: &[u32],
    ) -> Result<Option<Vec<Fetched>>, Error> {
        let Some(members) = self.current(tx, folder, uids.len()).await? else { return Ok(None) };
        let missing = lock(&members).not_ready(uids);
        let mut read = HashMap::new();
        if !missing.is_empty() {
            read.extend(tx.ready(&missing).await?.into_iter().map(|(id, r)| (id, Arc::new(r))));
        }
        let fetched = lock(&members).fetched(uids, &read, self.most);
        if !read.is_empty() {
            // Once more, with its new weight.
            self.folders.insert(folder, members);
        }
        Ok(Some(fetched))
    }

    /// The messages that may have what all of `needs` ask for, by UID; `None` where too many filters
    /// would have to be kept to tell. Call it in a snapshot.
    pub(super) async fn which_may(
        &self,
        tx: &mut TenantTx,
        folder: FolderId,
        needs: &[Need],
    ) -> Result<Option<Vec<u32>>, Error> {
        let reached = tx.reached(folder).await?;
        if (reached.messages as usize).saturating_mul(FILTERS) > self.most {
            return Ok(None);
        }
        let members = self.as_of(tx, folder, reached.highestmodseq).await?;
        let missing = lock(&members).without_filters();
        if !missing.is_empty() {
            let read = tx.filters(&missing).await?;
            lock(&members).add_filters(&read.into_iter().collect());
            self.folders.insert(folder, Arc::clone(&members));
        }
        let members = lock(&members);
        Ok(Some(members.which_may(needs)))
    }

    /// The folder as of now.
    async fn current(
        &self,
        tx: &mut TenantTx,
        folder: FolderId,
        wanted: usize,
    ) -> Result<Option<Arc<Mutex<Members>>>, Error> {
        let reached = tx.reached(folder).await?;
        let worth = wanted.saturating_mul(WORTH) >= reached.messages as usize;
        if !worth && !self.folders.contains_key(&folder) {
            return Ok(None);
        }
        Ok(Some(self.as_of(tx, folder, reached.highestmodseq).await?))
    }

    /// The folder with all that happened up to `modseq`.
    async fn as_of(
        &self,
        tx: &mut TenantTx,
        folder: FolderId,
        modseq: i64,
    ) -> Result<Arc<Mutex<Members>>, Error> {
        let members = self.folders.get(&folder).unwrap_or_default();
        let known = lock(&members).modseq;
        if known < modseq {
            let news = tx.news(folder, known).await?;
            lock(&members).take_in(modseq, news);
            self.folders.insert(folder, Arc::clone(&members));
        }
        Ok(members)
    }
}

impl Members {
    fn get(&self, uid: u32) -> Option<&Member> {
        let at = self.all.binary_search_by_key(&uid, |member| member.entry.uid).ok()?;
        self.all.get(at)
    }

    /// Takes in what happened since a MODSEQ that was reached here. Somebody else may have taken
    /// in more meanwhile; then this is old.
    fn take_in(&mut self, highestmodseq: i64, news: News) {
        if highestmodseq <= self.modseq {
            return;
        }
        self.modseq = highestmodseq;
        if !news.expunged.is_empty() {
            self.all.retain(|member| news.expunged.binary_search(&member.entry.uid).is_err());
        }
        for (entry, email) in news.members {
            match self.all.binary_search_by_key(&entry.uid, |member| member.entry.uid) {
                Ok(at) => {
                    if let Some(member) = self.all.get_mut(at) {
                        member.entry = entry;
                    }
                }
                Err(at) => self.all.insert(at, Member { entry, email, ready: None, filters: None }),
            }
        }
        self.ready = self.all.iter().filter_map(|m| m.ready.as_deref()).map(octets).sum();
        self.weigh_filters();
    }

    fn weigh_filters(&mut self) {
        let filters = self.all.iter().filter_map(|member| member.filters.as_ref());
        self.filters = filters.map(|filters| filters.header.len() + filters.body.len()).sum();
    }

    fn without_filters(&self) -> Vec<EmailId> {
        let members = self.all.iter().filter(|member| member.filters.is_none());
        members.map(|member| member.email).collect()
    }

    fn add_filters(&mut self, read: &HashMap<EmailId, Filters>) {
        for member in &mut self.all {
            if member.filters.is_none() {
                member.filters = read.get(&member.email).cloned();
            }
        }
        self.weigh_filters();
    }

    /// Those without filters may have anything.
    fn which_may(&self, needs: &[Need]) -> Vec<u32> {
        let may = |member: &&Member| {
            let filters = member.filters.as_ref();
            filters.is_none_or(|filters| needs.iter().all(|need| need.may_be_in(filters)))
        };
        self.all.iter().filter(may).map(|member| member.entry.uid).collect()
    }

    fn not_ready(&self, uids: &[u32]) -> Vec<EmailId> {
        let members = uids.iter().filter_map(|&uid| self.get(uid));
        members.filter(|member| member.ready.is_none()).map(|member| member.email).collect()
    }

    /// The messages, with what is ready here or was just `read`; that is kept up to `most` octets.
    fn fetched(
        &mut self,
        uids: &[u32],
        read: &HashMap<EmailId, Arc<Ready>>,
        most: usize,
    ) -> Vec<Fetched> {
        let mut found = Vec::with_capacity(uids.len());
        for &uid in uids {
            let at = self.all.binary_search_by_key(&uid, |member| member.entry.uid);
            let Some(member) = at.ok().and_then(|at| self.all.get_mut(at)) else { continue };
            if member.ready.is_none() && self.ready < most {
                member.ready = read.get(&member.email).cloned();
                self.ready += member.ready.as_deref().map_or(0, octets);
            }
            let ready = member.ready.as_ref().or_else(|| read.get(&member.email));
            // Without: gone since, or put in by another session; it asks again when it is told.
            let Some(ready) = ready.cloned() else { continue };
            found.push(Fetched::ready(member.entry.clone(), member.email, ready));
        }
        found
    }

    fn octets(&self) -> u32 {
        let octets = self.all.len() * size_of::<Member>() + self.ready + self.filters;
        u32::try_from(octets).unwrap_or(u32::MAX)
    }
}

/// With what the allocator takes beside.
fn octets(ready: &Ready) -> usize {
    128 + ready.envelope.len() + ready.body.len() + ready.body_structure.len()
}

/// Nothing here can panic while it holds a lock, so a poisoned one is still right.
fn lock(members: &Mutex<Members>) -> MutexGuard<'_, Members> {
    members.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::flags::Flags;

    fn member(uid: u32, modseq: i64, seen: bool) -> (Entry, EmailId) {
        let flags = Flags { seen, ..Flags::default() };
        (Entry { uid, modseq, flags }, EmailId(uuid::Uuid::from_u128(uid.into())))
    }

    fn news(members: &[(u32, i64, bool)], expunged: &[u32]) -> News {
        let members =
            members.iter().map(|&(uid, modseq, seen)| member(uid, modseq, seen)).collect();
        News { members, expunged: expunged.to_vec() }
    }

    fn told(members: &Members) -> Vec<(u32, i64, bool)> {
        let told = |m: &Member| (m.entry.uid, m.entry.modseq, m.entry.flags.seen);
        members.all.iter().map(told).collect()
    }

    #[test]
    fn news_is_taken_in_once_and_in_order() {
        let mut members = Members::default();
        members.take_in(3, news(&[(1, 1, false), (2, 2, false), (5, 3, false)], &[]));
        members.take_in(6, news(&[(2, 5, true), (7, 6, false)], &[1]));
        assert_eq!(told(&members), [(2, 5, true), (5, 3, false), (7, 6, false)]);
        // Read before, and late.
        members.take_in(5, news(&[(2, 4, false)], &[]));
        assert_eq!(told(&members), [(2, 5, true), (5, 3, false), (7, 6, false)]);
        // Read since an earlier MODSEQ than the one reached here: some of it is known.
        members.take_in(8, news(&[(2, 8, false), (7, 6, false)], &[1, 5]));
        assert_eq!(told(&members), [(2, 8, false), (7, 6, false)]);
    }

    #[test]
    fn what_is_ready_stays_within_its_bound_and_goes_with_the_message() {
        let mut members = Members::default();
        members.take_in(2, news(&[(1, 1, false), (2, 2, false)], &[]));
        assert_eq!(members.not_ready(&[1, 2, 3]).len(), 2);
        let ready = Arc::new(Ready { envelope: vec![b'x'; 1000].into(), ..Ready::default() });
        let read = members.not_ready(&[1, 2]).into_iter().map(|id| (id, ready.clone())).collect();
        assert_eq!(members.fetched(&[1, 2, 3], &read, 500).len(), 2);
        // The first went over the bound, the second was told and not kept.
        assert_eq!((members.ready, members.not_ready(&[1, 2]).len()), (octets(&ready), 1));
        assert_eq!(members.fetched(&[1, 2], &HashMap::new(), 500).len(), 1);
        members.take_in(3, news(&[], &[1]));
        assert_eq!(members.ready, 0);
    }
}
