//! What several ask for at the same moment is done in one transaction.
//!
//! What a transaction costs before it touches a row, and the wait for the disk
//! at its end, is paid once for all of them. Nobody waits for company: while
//! one batch of a key is being done, the next one gathers.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, VecDeque};
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

use crate::store::Error;
use crate::store::db::Db;

/// Something that is done to several at once.
pub(in crate::mail) trait Work: 'static {
    /// Whose it is: what has different keys is done side by side.
    type Key: Copy + Eq + Hash + Send + Sync;
    /// What one asks for.
    type One: Send + Sync + 'static;
    /// What came of it.
    type Done: Send + 'static;
    /// What must be known of a batch to say who may join it.
    type Batch: Default + Send;

    /// Whether `one` may join. The first always may.
    fn admit(batch: &mut Self::Batch, one: &Self::One) -> Admitted;

    /// Does all of it or nothing, and says what came of each.
    fn all(
        db: &Db,
        key: Self::Key,
        batch: &[&Self::One],
    ) -> impl Future<Output = Result<Vec<Self::Done>, Error>> + Send;

    /// Whether the same, asked once more, would fare otherwise.
    fn passes(error: &Error) -> bool;
}

/// Who may join a batch.
pub(in crate::mail) enum Admitted {
    /// This one, and it has.
    Yes,
    /// The next batch may have this one.
    Later,
    /// Nobody more.
    Full,
}

/// The answer to one, and what it asked for.
type Answer<W> = (<W as Work>::One, Result<<W as Work>::Done, Error>);
type Queues<W> = HashMap<<W as Work>::Key, VecDeque<Waiting<W>>>;

/// Those of all keys that wait. Cheap to clone.
pub(in crate::mail) struct Batches<W: Work> {
    db: Db,
    /// Those of one key are there while somebody works for them: one
    /// task, so that what two batches change cannot make them wait in a circle.
    queues: Arc<Mutex<Queues<W>>>,
}

struct Waiting<W: Work> {
    one: W::One,
    answer: oneshot::Sender<Answer<W>>,
}

impl<W: Work> Clone for Batches<W> {
    fn clone(&self) -> Self {
        Self { db: self.db.clone(), queues: Arc::clone(&self.queues) }
    }
}

impl<W: Work> Batches<W> {
    pub(in crate::mail) fn new(db: Db) -> Self {
        Self { db, queues: Arc::default() }
    }

    /// Does what `one` asks for; gives it back with what came of it. Whoever
    /// stops waiting does not stop it from being done.
    pub(in crate::mail) async fn ask(&self, key: W::Key, one: W::One) -> Option<Answer<W>> {
        let (answer, answered) = oneshot::channel();
        if self.line_up(key, Waiting { one, answer }) {
            tokio::spawn(self.clone().work(key));
        }
        // Nothing comes only where that task ended half-way.
        answered.await.ok()
    }

    /// Whether nobody works for this key yet.
    fn line_up(&self, key: W::Key, one: Waiting<W>) -> bool {
        match self.lock().entry(key) {
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

    /// Works until nothing waits.
    async fn work(self, key: W::Key) {
        let mut working = Working { batches: &self, key, done: false };
        while let Some(batch) = self.next(key) {
            self.run(key, batch).await;
        }
        working.done = true;
    }

    fn next(&self, key: W::Key) -> Option<Vec<Waiting<W>>> {
        let mut queues = self.lock();
        let batch = take(queues.get_mut(&key)?);
        if batch.is_empty() {
            queues.remove(&key);
            return None;
        }
        Some(batch)
    }

    /// All at once; where that is refused, each alone, so that what is wrong
    /// with one is told to nobody else.
    async fn run(&self, key: W::Key, batch: Vec<Waiting<W>>) {
        let all: Vec<&W::One> = batch.iter().map(|waiting| &waiting.one).collect();
        let mut gone = None;
        match W::all(&self.db, key, &all).await {
            Ok(done) => {
                for (waiting, done) in batch.into_iter().zip(done) {
                    waiting.tell(Ok(done));
                }
                return;
            }
            Err(error) if batch.len() == 1 && !W::passes(&error) => gone = Some(error),
            Err(_) => {}
        }
        for waiting in batch {
            let result = match gone.clone() {
                Some(error) => Err(error),
                None => self.alone(key, &waiting.one).await,
            };
            if let Err(error @ Error::Unavailable(_)) = &result {
                gone = Some(error.clone());
            }
            waiting.tell(result);
        }
    }

    async fn alone(&self, key: W::Key, one: &W::One) -> Result<W::Done, Error> {
        let mut done = W::all(&self.db, key, &[one]).await;
        if done.as_ref().is_err_and(W::passes) {
            done = W::all(&self.db, key, &[one]).await;
        }
        done?.pop().ok_or(Error::NotFound)
    }

    /// Nothing here can panic while it holds the lock, so a poisoned one is still right.
    fn lock(&self) -> MutexGuard<'_, Queues<W>> {
        self.queues.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Sees to it that nobody waits for a task that ended half-way.
struct Working<'a, W: Work> {
    batches: &'a Batches<W>,
    key: W::Key,
    done: bool,
}

impl<W: Work> Drop for Working<'_, W> {
    fn drop(&mut self) {
        if !self.done {
            self.batches.lock().remove(&self.key);
        }
    }
}

impl<W: Work> Waiting<W> {
    fn tell(self, result: Result<W::Done, Error>) {
        // Whoever asked may have gone; it is done all the same.
        let _ = self.answer.send((self.one, result));
    }
}

/// The next batch: those that came first, without the ones that have to wait for another of them.
fn take<W: Work>(waiting: &mut VecDeque<Waiting<W>>) -> Vec<Waiting<W>> {
    let mut batch = Vec::new();
    let mut later = VecDeque::new();
    let mut known = W::Batch::default();
    while let Some(next) = waiting.pop_front() {
        match W::admit(&mut known, &next.one) {
            Admitted::Yes => batch.push(next),
            Admitted::Later => later.push_back(next),
            Admitted::Full => {
                later.push_back(next);
                break;
            }
        }
    }
    later.append(waiting);
    *waiting = later;
    batch
}
