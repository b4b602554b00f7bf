//! Failed logins: counted by network address and by account, over all protocols.

use std::net::IpAddr;
use std::time::{Duration, Instant};

use moka::Expiry;
use moka::sync::Cache;

/// Failures allowed from one address in a minute, and in a day.
const PER_MINUTE: u32 = 10;
const PER_DAY: u32 = 50;
/// Failures of one account in a day after which each further one waits longest.
const PER_ACCOUNT: u32 = 100;
/// The longest wait before a failure is answered.
const LONGEST: Duration = Duration::from_secs(8);

/// The counters. Cheap to clone; bounded in memory, oldest forgotten first.
#[derive(Clone, Debug)]
pub struct Throttle {
    minute: Cache<IpAddr, u32>,
    day: Cache<IpAddr, u32>,
    account: Cache<String, u32>,
}

impl Default for Throttle {
    fn default() -> Self {
        let day = Duration::from_hours(24);
        Self {
            minute: counters(Duration::from_mins(1)),
            day: counters(day),
            account: counters(day),
        }
    }
}

/// A count begins with the first failure and ends this much later, however many follow.
struct Window(Duration);

impl<K> Expiry<K, u32> for Window {
    fn expire_after_create(&self, _: &K, _: &u32, _: Instant) -> Option<Duration> {
        Some(self.0)
    }
}

fn counters<K: std::hash::Hash + Eq + Send + Sync + 'static>(window: Duration) -> Cache<K, u32> {
    Cache::builder().max_capacity(100_000).expire_after(Window(window)).build()
}

/// The network that is counted: an IPv4 address, or an IPv6 /64.
fn network(ip: IpAddr) -> IpAddr {
    match ip.to_canonical() {
        v4 @ IpAddr::V4(_) => v4,
        IpAddr::V6(v6) => {
            let prefix = u128::from(v6) & !u128::from(u64::MAX);
            IpAddr::V6(prefix.into())
        }
    }
}

impl Throttle {
    /// Whether this network has failed so often that it is not even heard.
    pub fn is_blocked(&self, ip: IpAddr) -> bool {
        let ip = network(ip);
        self.minute.get(&ip).unwrap_or(0) >= PER_MINUTE || self.day.get(&ip).unwrap_or(0) >= PER_DAY
    }

    /// Counts a failure; the answer is to wait for what this returns: 0.25 s at
    /// first, doubling with each.
    pub fn failed(&self, ip: IpAddr, account: &str) -> Duration {
        let ip = network(ip);
        let recent = bump(&self.minute, ip);
        bump(&self.day, ip);
        let of_account = bump(&self.account, account.chars().take(254).collect());
        if of_account > PER_ACCOUNT {
            return LONGEST;
        }
        let doublings = recent.max(of_account / 10).saturating_sub(1).min(5);
        Duration::from_millis(250 << doublings).min(LONGEST)
    }
}

fn bump<K: std::hash::Hash + Eq + Send + Sync + 'static>(cache: &Cache<K, u32>, key: K) -> u32 {
    let entry = cache
        .entry(key)
        .and_upsert_with(|old| old.map_or(0, moka::Entry::into_value).saturating_add(1));
    entry.into_value()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_count_ends_with_its_window_however_many_follow() {
        let window = Duration::from_millis(300);
        let (cache, began) = (counters(window), Instant::now());
        let mut last = 0;
        // Were it begun anew with each failure, this would go on for ever.
        loop {
            let count = bump(&cache, ());
            if count <= last {
                break;
            }
            last = count;
            assert!(began.elapsed() < window * 20, "{count}");
        }
        assert!(last > 1 && began.elapsed() >= window);
    }

    #[test]
    fn a_network_is_blocked_after_ten_failures_a_minute() {
        let throttle = Throttle::default();
        let ip: IpAddr = "2001:db8::1".parse().unwrap();
        let neighbour: IpAddr = "2001:db8::2".parse().unwrap();
        let mut waits = Vec::new();
        for n in 0..10 {
            assert!(!throttle.is_blocked(ip), "after {n}");
            waits.push(throttle.failed(ip, "a@b.example"));
        }
        assert!(throttle.is_blocked(ip) && throttle.is_blocked(neighbour));
        assert!(!throttle.is_blocked("2001:db8:1::1".parse().unwrap()));
        assert!(waits.is_sorted() && waits[0] == Duration::from_millis(250), "{waits:?}");
        assert!(waits.iter().all(|w| *w <= LONGEST));
    }
}
