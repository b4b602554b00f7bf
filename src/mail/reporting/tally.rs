//! Counts of what reports will tell, gathered in memory and written in batches, so that no message
//! waits for them. What was counted in the last seconds before a crash is not told.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use time::OffsetDateTime;
use tokio::sync::Notify;

use crate::domain::report::{Counted, Kind};
use crate::store;
use crate::store::db::Db;

/// How long counts are gathered.
const GATHER: Duration = Duration::from_secs(5);
/// Different things held at once: about 20 MiB. What is beyond that is lost, and that is logged.
const MOST: usize = 20_000;
/// Octets of one thing.
const MAX_TUPLE: usize = 8 * 1024;
/// Things in one statement.
const BATCH: usize = 500;

/// Counts, or does nothing where no reports are sent. Cheap to clone.
#[derive(Clone, Default)]
pub struct Tally(Option<Arc<Inner>>);

#[derive(Default)]
struct Inner {
    counts: Mutex<Counts>,
    full: Notify,
}

#[derive(Default)]
struct Counts {
    totals: HashMap<Counted, i64>,
    lost: u64,
}

impl Tally {
    /// One that counts, or not.
    pub fn new(counts: bool) -> Self {
        Self(counts.then(Arc::default))
    }

    /// Whether anything is counted.
    pub fn is_on(&self) -> bool {
        self.0.is_some()
    }

    /// Counts one more of what `tuple` says, for a report to `domain` about today.
    pub fn count(&self, kind: Kind, domain: &str, tuple: String) {
        let Some(inner) = &self.0 else { return };
        let (day, domain) = (OffsetDateTime::now_utc().date(), domain.to_owned());
        inner.add(Counted { kind, day, domain, tuple }, 1);
    }

    /// Writes counts down, for ever; returns at once where there are none.
    pub async fn keep(self, db: Db) {
        let Some(inner) = &self.0 else { return };
        loop {
            // Either way it is time to write.
            let _ = tokio::time::timeout(GATHER, inner.full.notified()).await;
            if let Err(error) = self.flush(&db).await {
                tracing::warn!(%error, "counts for reports wait for the database");
                tokio::time::sleep(GATHER).await;
            }
        }
    }

    /// Writes down what was counted until now.
    ///
    /// # Errors
    /// The database's; what was not written is held for the next time.
    pub async fn flush(&self, db: &Db) -> Result<(), store::Error> {
        let Some(inner) = &self.0 else { return Ok(()) };
        let Counts { totals, lost } = std::mem::take(&mut *inner.lock());
        if lost > 0 {
            tracing::warn!(lost, "too much happened to be reported; this much will not be");
        }
        let mut totals: Vec<(Counted, i64)> = totals.into_iter().collect();
        // In one order everywhere, so that two nodes never wait for each other.
        totals.sort_unstable();
        let mut batches = totals.chunks(BATCH);
        while let Some(batch) = batches.next() {
            let rows: Vec<(&Counted, i64)> = batch.iter().map(|(what, n)| (what, *n)).collect();
            if let Err(error) = db.count_for_reports(&rows).await {
                for (counted, total) in batch.iter().chain(batches.flatten()) {
                    inner.add(counted.clone(), *total);
                }
                return Err(error);
            }
        }
        Ok(())
    }
}

impl Inner {
    fn lock(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&self, counted: Counted, more: i64) {
        let mut counts = self.lock();
        let is_full = counts.totals.len() >= MOST && !counts.totals.contains_key(&counted);
        if is_full || counted.tuple.len() > MAX_TUPLE {
            counts.lost += 1;
            return;
        }
        *counts.totals.entry(counted).or_default() += more;
        if counts.totals.len() == MOST / 2 {
            self.full.notify_one();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn held(tally: &Tally) -> (usize, i64, u64) {
        let counts = tally.0.as_ref().unwrap().lock();
        (counts.totals.len(), counts.totals.values().sum(), counts.lost)
    }

    #[test]
    fn alike_things_are_one_and_memory_is_bounded() {
        let tally = Tally::new(true);
        tally.count(Kind::Tls, "a.example", "{}".to_owned());
        tally.count(Kind::Tls, "a.example", "{}".to_owned());
        tally.count(Kind::Dmarc, "a.example", "{}".to_owned());
        assert_eq!(held(&tally), (2, 3, 0));
        for n in 0..MOST {
            tally.count(Kind::Tls, "b.example", n.to_string());
        }
        tally.count(Kind::Tls, "a.example", "{}".to_owned());
        tally.count(Kind::Tls, "c.example", "x".repeat(MAX_TUPLE + 1));
        assert_eq!(held(&tally), (MOST, i64::try_from(MOST).unwrap() + 2, 3));
        Tally::default().count(Kind::Tls, "a.example", "{}".to_owned());
        assert!(!Tally::default().is_on());
    }
}
