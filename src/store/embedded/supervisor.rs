//! The thread that owns the child: it starts `postgres`, keeps its words, sees it end, and starts
//! it again unless it was told to stop.

use std::process::Child;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use rustix::io::Errno;
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process, waitid};
use tokio::sync::watch;

use super::launch::Launch;
use super::{EmbeddedError, log};

/// The wait before a restart: doubled each time, up to the second.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);
/// What a stop in order may take before it is an abort, and what that may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// A thread of its own, because the parent-death signal means the thread that started the child,
/// and a runtime's threads come and go.
pub(super) struct Supervisor {
    shared: Arc<Shared>,
    /// The last words, once the thread is done.
    ended: watch::Receiver<Option<String>>,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// The child, until it is waited for: after that the number may be anybody's.
    child: Option<Pid>,
    /// Whether an end of the child is answered with a new one.
    restart: bool,
    stopping: bool,
}

impl Supervisor {
    /// Starts the thread and with it `postgres`, once: see [`Supervisor::keep_alive`].
    pub(super) fn spawn(launch: Launch) -> Result<Self, EmbeddedError> {
        let shared = Arc::<Shared>::default();
        let (tell, ended) = watch::channel(None);
        let for_thread = Arc::clone(&shared);
        thread::Builder::new()
            .name("postgres".to_owned())
            .spawn(move || {
                let words = for_thread.run(&launch);
                tell.send_replace(Some(words));
            })
            .map_err(|error| EmbeddedError::Setup(error.to_string()))?;
        Ok(Self { shared, ended })
    }

    /// From now on `postgres` is started again when it ends. Not before it was seen to work: one
    /// that cannot start would never be told of.
    pub(super) fn keep_alive(&self) {
        self.shared.lock().restart = true;
    }

    /// Returns the child's last words when it has ended for good.
    pub(super) async fn ended(&self) -> String {
        let mut ended = self.ended.clone();
        match ended.wait_for(Option::is_some).await {
            Ok(words) => words.clone().unwrap_or_default(),
            Err(_) => "its thread failed".to_owned(),
        }
    }

    /// Stops in order, or else by abort.
    pub(super) async fn stop(&self) {
        for signal in [Signal::INT, Signal::QUIT] {
            self.shared.stop(signal);
            if tokio::time::timeout(PATIENCE, self.ended()).await.is_ok() {
                return;
            }
        }
        tracing::error!("PostgreSQL does not stop");
    }
}

impl Drop for Supervisor {
    fn drop(&mut self) {
        self.shared.stop(Signal::INT);
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn stop(&self, signal: Signal) {
        let mut state = self.lock();
        state.stopping = true;
        if let Some(child) = state.child {
            // It may have ended already; it is waited for under this lock.
            let _ = kill_process(child, signal);
        }
        self.changed.notify_all();
    }

    fn run(&self, launch: &Launch) -> String {
        let mut pause = FIRST_PAUSE;
        loop {
            let words = match self.run_once(launch) {
                Ok(words) => words,
                Err(error) => error.to_string(),
            };
            let state = self.lock();
            if state.stopping || !state.restart {
                return words;
            }
            tracing::error!(why = %words, "PostgreSQL ended and is started again");
            let waiting = |state: &mut State| !state.stopping;
            let waited = self.changed.wait_timeout_while(state, pause, waiting);
            if waited.unwrap_or_else(PoisonError::into_inner).0.stopping {
                return words;
            }
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// One life of `postgres`.
    fn run_once(&self, launch: &Launch) -> Result<String, EmbeddedError> {
        let mut child = {
            // Under the lock: a stop comes before the start, or finds the child.
            let mut state = self.lock();
            if state.stopping {
                return Ok("it was told to stop".to_owned());
            }
            let child = launch.postgres()?;
            state.child = Pid::from_raw(child.id().cast_signed());
            child
        };
        let words = match child.stderr.take() {
            Some(stderr) => log::keep(stderr, &launch.cluster().log_path()),
            None => Vec::new(),
        };
        self.wait(&mut child);
        Ok(log::last_words(&words))
    }

    /// Waits for the end without taking the child's number away, then takes it under the lock, so
    /// that no signal can reach somebody else.
    fn wait(&self, child: &mut Child) {
        if let Some(pid) = self.lock().child {
            let ends = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
            while matches!(waitid(WaitId::Pid(pid), ends), Err(Errno::INTR)) {}
        }
        let mut state = self.lock();
        let _ = child.wait();
        state.child = None;
    }
}
