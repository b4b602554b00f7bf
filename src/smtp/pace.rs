//! How slow a sender of content may be.

use std::time::Duration;

use tokio::time::Instant;

/// How long a sender may take before its rate counts.
const GRACE: Duration = Duration::from_secs(30);

/// Watches one piece of content arrive.
///
/// A sender is late when it is silent for too long, and when it has fallen behind the lowest rate:
/// by the time `n` bytes could have been sent at that rate (and [`GRACE`] is over), `n` bytes must
/// be here.
#[derive(Debug)]
pub(super) struct Pace {
    started: Instant,
    silence: Duration,
    /// Bytes per second.
    rate: u32,
    received: u64,
}

impl Pace {
    /// Starts at `now`; `rate` is in bytes per second.
    pub(super) fn new(now: Instant, silence: Duration, rate: u32) -> Self {
        Self { started: now, silence, rate, received: 0 }
    }

    /// Takes note of `bytes` more.
    pub(super) fn received(&mut self, bytes: usize) {
        self.received += bytes as u64;
    }

    /// When the next byte must be here.
    pub(super) fn deadline(&self, now: Instant) -> Instant {
        let millis = self.received.saturating_mul(1000) / u64::from(self.rate).max(1);
        let by_rate = self.started + GRACE + Duration::from_millis(millis.min(DAY_MILLIS));
        by_rate.min(now + self.silence)
    }
}

/// Beyond a day a rate says nothing that the silence does not; it also keeps the sum in range.
const DAY_MILLIS: u64 = 24 * 60 * 60 * 1000;

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn silence_and_rate_both_count() {
        let start = Instant::now();
        let mut pace = Pace::new(start, 60 * SECOND, 500);
        assert_eq!(pace.deadline(start), start + 30 * SECOND);
        pace.received(5_000);
        assert_eq!(pace.deadline(start), start + 40 * SECOND);
        pace.received(5_000_000);
        assert_eq!(pace.deadline(start), start + 60 * SECOND);
        assert_eq!(pace.deadline(start + 100 * SECOND), start + 160 * SECOND);
        pace.received(usize::MAX / 2);
        assert_eq!(pace.deadline(start), start + 60 * SECOND);
    }

    #[test]
    fn a_trickle_is_late() {
        let start = Instant::now();
        let mut pace = Pace::new(start, 180 * SECOND, 500);
        let late = (1..100).map(|n| start + n * SECOND).find(|now| {
            pace.received(100);
            pace.deadline(*now) <= *now
        });
        // 30 + t * 100 / 500 = t
        assert_eq!(late, Some(start + 38 * SECOND));
    }
}
