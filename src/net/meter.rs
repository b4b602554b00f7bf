//! How many connections a listener has, and had.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Counts the connections of a listener. Cheap to clone.
#[derive(Clone, Default, Debug)]
pub struct Meter(Arc<Counters>);

#[derive(Default, Debug)]
struct Counters {
    open: AtomicU64,
    admitted: AtomicU64,
    refused: AtomicU64,
}

/// The numbers at one moment.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Reading {
    /// Connections that are open.
    pub open: u64,
    /// Connections that were let in so far, those included.
    pub admitted: u64,
    /// Connections that were over a limit.
    pub refused: u64,
}

/// An open connection, for as long as it is kept.
#[derive(Debug)]
pub(super) struct Counted(Arc<Counters>);

impl Meter {
    pub(super) fn admit(&self) -> Counted {
        self.0.open.fetch_add(1, Ordering::Relaxed);
        self.0.admitted.fetch_add(1, Ordering::Relaxed);
        Counted(Arc::clone(&self.0))
    }

    pub(super) fn refuse(&self) {
        self.0.refused.fetch_add(1, Ordering::Relaxed);
    }

    /// The numbers now.
    pub fn read(&self) -> Reading {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Reading {
            open: read(&self.0.open),
            admitted: read(&self.0.admitted),
            refused: read(&self.0.refused),
        }
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_ended_is_open_no_more() {
        let meter = Meter::default();
        let first = meter.admit();
        drop(meter.admit());
        meter.refuse();
        assert_eq!(meter.read(), Reading { open: 1, admitted: 2, refused: 1 });
        drop(first);
        assert_eq!(meter.read().open, 0);
    }
}
