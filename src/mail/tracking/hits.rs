//! Hits are written in groups. Whoever records one is told when its group is
//! committed, so that an answer given afterwards speaks of a hit that stays.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};

use crate::store;
use crate::store::db::Db;
use crate::store::hits::Hit;

/// Hits that wait for the database at most: about 16 MiB.
const CAPACITY: usize = 16_384;
/// Hits in one transaction at most.
const GROUP: usize = 1_024;
/// How long an answer waits for its hit's commit.
const PATIENCE: Duration = Duration::from_secs(2);
/// Between two attempts to write the same group.
const RETRY: Duration = Duration::from_millis(250);

/// What became of a hit.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fate {
    /// It is committed.
    Kept,
    /// It waits in memory for a database that does not answer.
    Late,
    /// It is gone, and counted.
    Lost,
}

/// How many hits met which fate, since the start.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Counts {
    /// Committed before they were answered.
    pub kept: u64,
    /// Answered before they were committed.
    pub late: u64,
    /// Never written.
    pub lost: u64,
}

#[derive(Debug, Default)]
struct Counters {
    kept: AtomicU64,
    late: AtomicU64,
    lost: AtomicU64,
}

/// Takes hits. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Hits {
    queue: mpsc::Sender<Pending>,
    counters: Arc<Counters>,
}

/// Writes them. See [`HitWriter::run`].
#[derive(Debug)]
pub struct HitWriter {
    db: Db,
    queue: mpsc::Receiver<Pending>,
    counters: Arc<Counters>,
    reported: Counts,
}

#[derive(Debug)]
struct Pending {
    hit: Hit,
    done: oneshot::Sender<()>,
}

impl Hits {
    /// A queue and its writer, which somebody has to run.
    pub fn new(db: Db) -> (Self, HitWriter) {
        let (sender, queue) = mpsc::channel(CAPACITY);
        let counters = Arc::<Counters>::default();
        let writer =
            HitWriter { db, queue, counters: Arc::clone(&counters), reported: Counts::default() };
        (Self { queue: sender, counters }, writer)
    }

    /// Records a hit and waits until it is committed, two seconds at most.
    pub async fn record(&self, hit: Hit) -> Fate {
        let (done, committed) = oneshot::channel();
        if self.queue.try_send(Pending { hit, done }).is_err() {
            return self.lose();
        }
        match tokio::time::timeout(PATIENCE, committed).await {
            Ok(Ok(())) => {
                self.counters.kept.fetch_add(1, Ordering::Relaxed);
                Fate::Kept
            }
            // The writer has dropped it, and counted it.
            Ok(Err(_)) => Fate::Lost,
            Err(_) => {
                self.counters.late.fetch_add(1, Ordering::Relaxed);
                Fate::Late
            }
        }
    }

    /// Counts a hit that could not even be told whose it is.
    pub fn lose(&self) -> Fate {
        self.counters.lost.fetch_add(1, Ordering::Relaxed);
        Fate::Lost
    }

    /// How many hits met which fate.
    pub fn counts(&self) -> Counts {
        self.counters.read()
    }
}

impl HitWriter {
    /// Writes what comes, until every [`Hits`] is dropped and all is written.
    pub async fn run(mut self) {
        let mut group = Vec::with_capacity(GROUP);
        while self.queue.recv_many(&mut group, GROUP).await > 0 {
            self.write(group.drain(..).map(|p| (p.hit, p.done)).unzip()).await;
            self.report();
        }
    }

    /// Tries until the database takes the group, or nobody is left to wait for it.
    async fn write(&mut self, (hits, waiting): (Vec<Hit>, Vec<oneshot::Sender<()>>)) {
        loop {
            match self.db.record_hits(&hits).await {
                Ok(()) => {
                    for done in waiting {
                        // Whoever lost patience is gone.
                        let _ = done.send(());
                    }
                    return;
                }
                Err(store::Error::Unavailable(text)) if !self.queue.is_closed() => {
                    tracing::warn!(hits = hits.len(), %text, "hits wait for the database");
                    self.report();
                    tokio::time::sleep(RETRY).await;
                }
                Err(error) => return self.write_each(hits, waiting, &error).await,
            }
        }
    }

    /// One hit that the database refuses must not take its group along.
    async fn write_each(
        &self,
        hits: Vec<Hit>,
        waiting: Vec<oneshot::Sender<()>>,
        error: &store::Error,
    ) {
        tracing::error!(hits = hits.len(), %error, "a group of hits was refused");
        for (hit, done) in hits.into_iter().zip(waiting) {
            if self.db.record_hits(std::slice::from_ref(&hit)).await.is_ok() {
                let _ = done.send(());
            } else {
                self.counters.lost.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    /// A loss is never silent, and a flood of them is one line for each group.
    fn report(&mut self) {
        let now = self.counters.read();
        let (lost, late) = (now.lost - self.reported.lost, now.late - self.reported.late);
        if lost > 0 || late > 0 {
            tracing::error!(lost, late, "hits were answered without being kept");
        }
        self.reported = now;
    }
}

impl Counters {
    fn read(&self) -> Counts {
        Counts {
            kept: self.kept.load(Ordering::Relaxed),
            late: self.late.load(Ordering::Relaxed),
            lost: self.lost.load(Ordering::Relaxed),
        }
    }
}
