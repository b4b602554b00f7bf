//! Connections that are open and have nothing to do, for whoever goes to the same server next.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::mail::deliver::session::Session;
use crate::mail::deliver::target::Target;

/// How long a connection is kept.
const KEPT: Duration = Duration::from_secs(3);
/// How often those that were kept too long are closed.
const TIDY: Duration = Duration::from_secs(1);
/// Connections kept at most.
const MOST: usize = 200;

/// Idle connections. Cheap to clone.
#[derive(Clone, Default)]
pub struct Pool(Arc<Mutex<Idle>>);

#[derive(Default)]
struct Idle {
    /// Those that wait longest come first.
    sessions: VecDeque<(Target, Session, Instant)>,
    closed: bool,
}

impl Pool {
    /// A connection to `target` that is still alive.
    pub(super) async fn take(&self, target: &Target) -> Option<Session> {
        loop {
            let mut session = {
                let mut idle = self.lock();
                let place = idle.sessions.iter().rposition(|(to, ..)| to == target)?;
                idle.sessions.remove(place)?.1
            };
            if session.is_alive().await {
                return Some(session);
            }
        }
    }

    /// Keeps a connection for a while.
    pub(super) async fn put(&self, target: &Target, session: Session) {
        let too_many = {
            let mut idle = self.lock();
            if !session.is_usable() || idle.closed {
                Some(session)
            } else {
                idle.sessions.push_back((target.clone(), session, Instant::now()));
                let full = idle.sessions.len() > MOST;
                full.then(|| idle.sessions.pop_front()).flatten().map(|(_, session, _)| session)
            }
        };
        if let Some(session) = too_many {
            session.quit().await;
        }
    }

    /// Says goodbye to those that nobody needs, for ever.
    pub(super) async fn tidy(&self) {
        loop {
            tokio::time::sleep(TIDY).await;
            self.quit(|since| since.elapsed() >= KEPT).await;
        }
    }

    /// Says goodbye to all of them, and to those that are put here from now on.
    pub(super) async fn close(&self) {
        self.lock().closed = true;
        self.quit(|_| true).await;
    }

    async fn quit(&self, which: impl Fn(&Instant) -> bool) {
        while let Some(session) = self.first(&which) {
            session.quit().await;
        }
    }

    fn first(&self, which: &impl Fn(&Instant) -> bool) -> Option<Session> {
        let mut idle = self.lock();
        let (.., since) = idle.sessions.front()?;
        if !which(since) {
            return None;
        }
        idle.sessions.pop_front().map(|(_, session, _)| session)
    }

    /// Nothing here can panic while it holds the lock, so a poisoned one is still right.
    fn lock(&self) -> MutexGuard<'_, Idle> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
