//! The loop: take what is due, deliver it, within bounds.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use time::OffsetDateTime;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};

use crate::config;
use crate::domain::address::Address;
use crate::domain::ids::OutboundId;
use crate::domain::outcome::Outcome;
use crate::mail::deliver::away::Away;
use crate::mail::deliver::draft::Drafts;
use crate::mail::deliver::local::{self, Here, Place};
use crate::mail::outcome;
use crate::mail::queue::{Ended, Queue};
use crate::net::shutdown::Shutdown;
use crate::store::outbound::Leased;

/// Delivers the queue. Cheap to clone.
#[derive(Clone)]
pub struct Worker(Arc<Inner>);

struct Inner {
    queue: Queue,
    drafts: Drafts,
    here: Here,
    away: Away,
    wake: Arc<Notify>,
    per_domain: usize,
    jobs: Arc<Semaphore>,
    in_hand: Mutex<InHand>,
}

/// What this node is at.
#[derive(Default)]
struct InHand {
    rows: HashSet<OutboundId>,
    domains: HashMap<String, usize>,
}

/// Rows to one domain, over one connection.
struct Job {
    worker: Worker,
    domain: String,
    ids: Vec<OutboundId>,
}

/// Rows that one connection is opened for: more of them make another one.
const ROWS_PER_JOB: u32 = 20;
/// How long the queue is left alone at most.
const POLL: Duration = Duration::from_secs(5);
/// And at least, when the database does not answer.
const AGAIN: Duration = Duration::from_secs(1);

impl Worker {
    /// A worker; `wake` tells it that something was queued.
    pub fn new(
        settings: &config::Queue,
        drafts: Drafts,
        here: Here,
        away: Away,
        wake: Arc<Notify>,
    ) -> Self {
        Self(Arc::new(Inner {
            queue: away.queue.clone(),
            drafts,
            here,
            away,
            wake,
            per_domain: settings.concurrency_per_domain.get(),
            jobs: Arc::new(Semaphore::new(settings.concurrency.get())),
            in_hand: Mutex::default(),
        }))
    }

    /// Runs until the end is asked for. Deliveries in hand are tasks of
    /// `shutdown`, which waits for them.
    pub async fn run(self, shutdown: Shutdown) {
        self.reclaim(true).await;
        let life = self.clone();
        let life = async move { life.show_life().await };
        tokio::select! {
            () = shutdown.requested() => {}
            () = life => {}
            () = self.work(&shutdown) => {}
        }
    }

    async fn work(&self, shutdown: &Shutdown) {
        loop {
            let wait = match self.round(shutdown).await {
                // There may be more.
                Ok(taken) if taken > 0 => continue,
                Ok(_) => self.until_due().await,
                Err(error) => {
                    tracing::warn!(%error, "the queue cannot be read; trying again");
                    AGAIN
                }
            };
            // Either way it is time to look.
            let _ = tokio::time::timeout(wait, self.0.wake.notified()).await;
        }
    }

    /// Takes what is due and there is room for. Says how many rows.
    async fn round(&self, shutdown: &Shutdown) -> Result<usize, crate::mail::Error> {
        // Waits for room; jobs that wait for it themselves come first.
        let Ok(room) = Arc::clone(&self.0.jobs).acquire_owned().await else { return Ok(0) };
        let free = u32::try_from(self.0.jobs.available_permits() + 1).unwrap_or(u32::MAX);
        let limit = free.saturating_mul(4).min(256);
        let rows = self.0.queue.lease(limit, ROWS_PER_JOB, &self.busy()).await?;
        drop(room);
        let taken = rows.len();
        let mut jobs: BTreeMap<String, Vec<Leased>> = BTreeMap::new();
        for row in rows {
            jobs.entry(row.recipient_domain.clone()).or_default().push(row);
        }
        for (domain, rows) in jobs {
            let job = self.job(domain, &rows);
            let places = Arc::clone(&self.0.jobs);
            let stop = shutdown.clone();
            shutdown.spawn(async move {
                let place: OwnedSemaphorePermit = tokio::select! {
                    () = stop.requested() => return job.give_back(&rows).await,
                    place = places.acquire_owned() => match place {
                        Ok(place) => place,
                        Err(_) => return,
                    },
                };
                job.run(rows, &stop).await;
                drop(place);
            });
        }
        Ok(taken)
    }

    /// How long nothing will be due.
    async fn until_due(&self) -> Duration {
        match self.0.queue.next_due().await {
            Ok(Some(at)) => {
                let wait = at - OffsetDateTime::now_utc();
                // What is due already waits for a busy domain.
                Duration::try_from(wait).unwrap_or(AGAIN).clamp(AGAIN / 10, POLL)
            }
            Ok(None) => POLL,
            Err(_) => AGAIN,
        }
    }

    /// Renews the leases in hand, and takes over those of dead nodes.
    async fn show_life(&self) {
        loop {
            tokio::time::sleep(self.0.queue.sign_of_life()).await;
            let rows: Vec<OutboundId> = self.in_hand().rows.iter().copied().collect();
            if !rows.is_empty()
                && let Err(error) = self.0.queue.renew(&rows).await
            {
                tracing::warn!(%error, "leases could not be renewed");
            }
            self.reclaim(false).await;
        }
    }

    async fn reclaim(&self, restarted: bool) {
        match self.0.queue.reclaim(restarted).await {
            Ok(0) => {}
            Ok(rows) => {
                tracing::warn!(rows, "queued again what a node that stopped had in hand");
                self.0.wake.notify_one();
            }
            Err(error) => tracing::warn!(%error, "leases could not be looked at"),
        }
    }

    /// Domains with as many deliveries as they may have.
    fn busy(&self) -> Vec<String> {
        let in_hand = self.in_hand();
        let full = in_hand.domains.iter().filter(|(_, jobs)| **jobs >= self.0.per_domain);
        full.map(|(domain, _)| domain.clone()).collect()
    }

    /// Nothing here can panic while it holds the lock, so a poisoned one is
    /// still right.
    fn in_hand(&self) -> MutexGuard<'_, InHand> {
        self.0.in_hand.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn job(&self, domain: String, rows: &[Leased]) -> Job {
        let ids: Vec<OutboundId> = rows.iter().map(|row| row.id).collect();
        let mut in_hand = self.in_hand();
        in_hand.rows.extend(&ids);
        *in_hand.domains.entry(domain.clone()).or_default() += 1;
        drop(in_hand);
        Job { worker: self.clone(), domain, ids }
    }
}

impl Job {
    /// Mailboxes here one by one, then everything else over one connection.
    async fn run(self, rows: Vec<Leased>, stop: &Shutdown) {
        let mut away = Vec::new();
        for mut row in rows {
            if stop.is_requested() {
                away.clear();
                break;
            }
            if self.here(&mut row).await {
                away.push(row);
            }
        }
        if stop.is_requested() {
            // Those that were settled are no longer leased.
            self.worker.release(&self.ids).await;
        } else if !away.is_empty() {
            self.worker.0.away.deliver(&self.domain, away).await;
        }
    }

    /// Whether the row goes elsewhere; else it has been settled.
    async fn here(&self, row: &mut Leased) -> bool {
        let inner = &self.worker.0;
        if row.suppressed {
            inner.queue.suppress(row).await;
            return false;
        }
        let started_at = OffsetDateTime::now_utc();
        if row.deliver_by.is_some_and(|by| by.is_over(started_at)) {
            inner.queue.expire(row).await;
            return false;
        }
        let outcome = match self.worker.place(row).await {
            Ok(None) => return true,
            Ok(Some(outcome)) | Err(outcome) => outcome,
        };
        let ended = Ended::here(started_at, outcome, local::via());
        inner.queue.settle(row, &ended).await;
        false
    }

    async fn give_back(&self, rows: &[Leased]) {
        let ids: Vec<OutboundId> = rows.iter().map(|row| row.id).collect();
        self.worker.release(&ids).await;
    }
}

impl Worker {
    /// Composes what is not yet, and delivers what is hosted here.
    async fn place(&self, row: &mut Leased) -> Result<Option<Outcome>, Outcome> {
        let Ok(address) = Address::parse(&row.recipient) else {
            let why = "the recipient is no mail address";
            return Err(Outcome::Failed(outcome::refused((5, 1, 3), why)));
        };
        if row.email.is_none() {
            row.email = Some(self.0.drafts.compose(row).await?);
        }
        match self.0.here.find(row, &address).await? {
            Place::Away => Ok(None),
            Place::Here(local) => Ok(Some(self.0.here.deliver(row, &address, &local).await)),
        }
    }

    async fn release(&self, ids: &[OutboundId]) {
        if let Err(error) = self.0.queue.give_back(ids).await {
            // The lease runs out by itself.
            tracing::warn!(%error, "rows could not be given back");
        }
    }
}

impl Drop for Job {
    fn drop(&mut self) {
        let mut in_hand = self.worker.in_hand();
        for id in &self.ids {
            in_hand.rows.remove(id);
        }
        if let Some(jobs) = in_hand.domains.get_mut(&self.domain) {
            *jobs = jobs.saturating_sub(1);
            if *jobs == 0 {
                in_hand.domains.remove(&self.domain);
            }
        }
        drop(in_hand);
        // A domain may have room again.
        self.worker.0.wake.notify_one();
    }
}
