//! The loop: take what is due, and have it carried, within bounds.

use std::sync::Arc;
use std::time::{Duration, Instant};

use time::OffsetDateTime;
use tokio::sync::Notify;

use crate::config;
use crate::mail::deliver::away::Away;
use crate::mail::deliver::carrier::Carrier;
use crate::mail::deliver::draft::Drafts;
use crate::mail::deliver::lanes::{Lanes, ROWS_OF_LANE};
use crate::mail::deliver::local::Here;
use crate::mail::deliver::route::Routes;
use crate::mail::queue::Queue;
use crate::net::shutdown::Shutdown;

/// Delivers the queue. Cheap to clone.
#[derive(Clone)]
pub struct Worker(Arc<Inner>);

/// What the loop and the carriers share.
pub(super) struct Inner {
    pub(super) queue: Queue,
    pub(super) drafts: Drafts,
    pub(super) here: Here,
    pub(super) away: Away,
    pub(super) lanes: Lanes,
    routes: Routes,
    wake: Arc<Notify>,
}

/// Rows taken in one statement.
const ROWS: usize = 256;
/// Messages come one by one; for so long they are gathered and then taken together.
const GATHER: Duration = Duration::from_millis(5);
/// How long the queue is left alone at most.
const POLL: Duration = Duration::from_secs(5);
/// While something waits for a destination, or the database does not answer.
const AGAIN: Duration = Duration::from_secs(1);

impl Worker {
    /// A worker; `wake` tells it that something was queued.
    pub fn new(
        settings: &config::Queue,
        drafts: Drafts,
        here: Here,
        away: Away,
        (routes, wake): (Routes, Arc<Notify>),
    ) -> Self {
        let (queue, lanes) = (away.queue.clone(), Lanes::new(settings, Arc::clone(&wake)));
        Self(Arc::new(Inner { queue, drafts, here, away, lanes, routes, wake }))
    }

    /// Runs until the end is asked for. Deliveries in hand are tasks of
    /// `shutdown`, which waits for them.
    pub async fn run(self, shutdown: Shutdown) {
        self.reclaim(true).await;
        tokio::select! {
            () = shutdown.requested() => {}
            () = self.show_life() => {}
            () = self.0.away.pool.tidy() => {}
            () = self.work(&shutdown) => {}
        }
        let waiting = self.0.lanes.close();
        if let Err(error) = self.0.queue.give_back(&waiting).await {
            // The leases run out by themselves.
            tracing::warn!(%error, "rows could not be given back");
        }
        self.0.away.pool.close().await;
    }

    async fn work(&self, shutdown: &Shutdown) {
        loop {
            let taken = self.take().await;
            let now = Instant::now();
            for way in self.0.lanes.open(now) {
                let carrier = Carrier::new(Arc::clone(&self.0), way);
                shutdown.spawn(carrier.run(shutdown.clone()));
            }
            let wait = match taken {
                // There may be more.
                Ok(ROWS) => continue,
                Ok(_) if self.0.lanes.is_busy() => AGAIN,
                Ok(_) => self.until_due().await,
                Err(error) => {
                    tracing::warn!(%error, "the queue cannot be read; trying again");
                    AGAIN
                }
            };
            // Either way it is time to look.
            let _ = tokio::time::timeout(wait, self.0.wake.notified()).await;
            tokio::time::sleep(GATHER).await;
        }
    }

    /// Takes what is due and there is room for. Says how many rows.
    async fn take(&self) -> Result<usize, crate::mail::Error> {
        let lanes = &self.0.lanes;
        let room = lanes.room().min(ROWS);
        if room < ROWS_OF_LANE {
            return Ok(0);
        }
        let until = Instant::now() + self.0.queue.lease_time();
        let rows = self.0.queue.lease(room, ROWS_OF_LANE, lanes.busy()).await?;
        let taken = rows.len();
        match self.0.routes.ways(&rows).await {
            Ok(ways) => lanes.add(ways.into_iter().zip(rows), Instant::now(), until),
            Err(error) => {
                let ids: Vec<_> = rows.iter().map(|row| row.id).collect();
                self.0.queue.give_back(&ids).await?;
                return Err(error);
            }
        }
        Ok(taken)
    }

    /// How long nothing will be due.
    async fn until_due(&self) -> Duration {
        match self.0.queue.next_due().await {
            Ok(Some(at)) => {
                let wait = at - OffsetDateTime::now_utc();
                // What is due already is another node's just now.
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
            let rows = self.0.lanes.rows();
            let until = Instant::now() + self.0.queue.lease_time();
            match self.0.queue.renew(&rows).await {
                Ok(renewed) => self.0.lanes.renewed(&renewed, until),
                Err(error) => tracing::warn!(%error, "leases could not be renewed"),
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
}
