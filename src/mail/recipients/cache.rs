//! Answers of the directory, kept while this node hears of every change.
//!
//! An answer that was asked for before a change was heard of is not kept,
//! however late it comes. That an address is unknown is never kept: a mailbox
//! receives as soon as it is made. That a domain is elsewhere is kept only for
//! what leaves.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use moka::sync::Cache as Kept;

use crate::domain::address::Address;
use crate::mail::recipients::Found;

/// Octets, roughly.
const ROOM: u64 = 64 * 1024 * 1024;
/// What an answer takes without any rules, roughly.
const PLAIN: usize = 512;
/// Domains elsewhere.
const DOMAINS: u64 = 50_000;
/// Nothing is kept longer, should a lost connection go unnoticed.
const LONGEST: Duration = Duration::from_mins(5);

/// The answers.
pub(super) struct Cache {
    kept: Kept<Address, (Arc<Found>, u32)>,
    /// Domains of which nobody here has mailboxes.
    elsewhere: Kept<String, ()>,
    ear: RwLock<Ear>,
}

/// What is heard.
#[derive(Default)]
struct Ear {
    hears: bool,
    /// Moves with every change heard of.
    changes: u64,
}

/// The moment at which a question was asked.
#[derive(Clone, Copy)]
pub(super) struct Asked(u64);

impl Default for Cache {
    fn default() -> Self {
        let kept = Kept::builder()
            .max_capacity(ROOM)
            .weigher(|_, (_, weight): &(Arc<Found>, u32)| *weight)
            .time_to_live(LONGEST)
            .build();
        let elsewhere = Kept::builder().max_capacity(DOMAINS).time_to_live(LONGEST).build();
        Self { kept, elsewhere, ear: RwLock::default() }
    }
}

impl Cache {
    pub(super) fn get(&self, address: &Address) -> Option<Arc<Found>> {
        self.kept.get(address).map(|(found, _)| found)
    }

    pub(super) fn asking(&self) -> Asked {
        Asked(self.ear.read().unwrap_or_else(PoisonError::into_inner).changes)
    }

    /// Keeps an answer, unless something has changed since it was asked for.
    pub(super) fn keep(&self, asked: Asked, address: &Address, found: &Arc<Found>, weight: usize) {
        let weight = u32::try_from(weight + PLAIN).unwrap_or(u32::MAX);
        // Held over the insertion: what clears waits until it can be cleared.
        let ear = self.ear.read().unwrap_or_else(PoisonError::into_inner);
        if ear.hears && ear.changes == asked.0 {
            self.kept.insert(address.clone(), (Arc::clone(found), weight));
        }
    }

    /// Whether nobody here has mailboxes of `domain`, as far as is known.
    pub(super) fn is_elsewhere(&self, domain: &str) -> bool {
        self.elsewhere.contains_key(domain)
    }

    /// Keeps that nobody has, unless something has changed since it was asked.
    pub(super) fn keep_elsewhere(&self, asked: Asked, domain: &str) {
        let ear = self.ear.read().unwrap_or_else(PoisonError::into_inner);
        if ear.hears && ear.changes == asked.0 {
            self.elsewhere.insert(domain.to_owned(), ());
        }
    }

    pub(super) fn clear(&self) {
        let mut ear = self.ear.write().unwrap_or_else(PoisonError::into_inner);
        ear.changes += 1;
        self.forget();
    }

    fn forget(&self) {
        self.kept.invalidate_all();
        self.elsewhere.invalidate_all();
    }

    pub(super) fn hears(&self, hears: bool) {
        let mut ear = self.ear.write().unwrap_or_else(PoisonError::into_inner);
        ear.changes += 1;
        ear.hears = hears;
        self.forget();
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::domain::ids::TenantId;
    use crate::mail::recipients::Local;

    fn answer() -> (Address, Arc<Found>) {
        let local = Local {
            tenant: TenantId(Uuid::nil()),
            version: Some(1),
            mailboxes: Vec::new(),
            back_to: None,
            returns: None,
        };
        let found = Found { local, active: true, proven: true };
        (Address::parse("a@b.test").unwrap(), Arc::new(found))
    }

    #[test]
    fn nothing_is_kept_while_nothing_is_heard() {
        let (cache, (address, found)) = (Cache::default(), answer());
        cache.keep(cache.asking(), &address, &found, 0);
        assert!(cache.get(&address).is_none());
        cache.hears(true);
        cache.keep(cache.asking(), &address, &found, 0);
        assert!(cache.get(&address).is_some());
        cache.hears(false);
        assert!(cache.get(&address).is_none());
    }

    #[test]
    fn a_change_drops_what_is_kept_and_what_was_asked_before() {
        let (cache, (address, found)) = (Cache::default(), answer());
        cache.hears(true);
        let before = cache.asking();
        cache.clear();
        cache.keep(before, &address, &found, 0);
        assert!(cache.get(&address).is_none(), "asked before the change");
        cache.keep(cache.asking(), &address, &found, 0);
        cache.keep_elsewhere(before, "x.test");
        assert!(!cache.is_elsewhere("x.test"), "asked before the change");
        cache.keep_elsewhere(cache.asking(), "x.test");
        assert!(cache.is_elsewhere("x.test"));
        cache.clear();
        assert!(!cache.is_elsewhere("x.test"), "kept before the change");
        assert!(cache.get(&address).is_none(), "kept before the change");
    }

    #[test]
    fn it_is_bounded() {
        let (cache, (_, found)) = (Cache::default(), answer());
        cache.hears(true);
        let heavy = usize::try_from(ROOM / 4).unwrap();
        for n in 0..100 {
            let address = Address::parse(&format!("a{n}@b.test")).unwrap();
            cache.keep(cache.asking(), &address, &found, heavy);
        }
        cache.kept.run_pending_tasks();
        assert!(cache.kept.weighted_size() <= ROOM);
    }
}
