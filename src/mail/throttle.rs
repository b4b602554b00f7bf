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

/// How long an account that was opened from a network is known there, and how many are.
const KNOWN_FOR: Duration = Duration::from_hours(30 * 24);
const MOST_KNOWN: u64 = 100_000;

/// The counters. Cheap to clone; bounded in memory, oldest forgotten first.
///
/// Nobody's account is ever shut because of what others do: from another network its password opens
/// it, and from one where it was opened before its failures are counted apart, so that neither
/// somebody who goes on guessing there nor a neighbour's forgotten phone shuts it.
#[derive(Clone, Debug)]
pub struct Throttle {
    minute: Cache<Key, u32>,
    day: Cache<Key, u32>,
    account: Cache<String, u32>,
    known: Cache<(IpAddr, String), ()>,
}

/// Whose failures are counted together.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
enum Key {
    /// Everybody's on a network.
    Network(IpAddr),
    /// Those of one account on a network where it has been opened.
    Known(IpAddr, String),
}

impl Default for Throttle {
    fn default() -> Self {
        let day = Duration::from_hours(24);
        Self {
            minute: counters(Duration::from_mins(1)),
            day: counters(day),
            account: counters(day),
            known: Cache::builder().max_capacity(MOST_KNOWN).time_to_live(KNOWN_FOR).build(),
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

/// An account, however it is written.
fn folded(account: &str) -> String {
    account.chars().take(254).flat_map(char::to_lowercase).collect()
}

impl Throttle {
    fn key(&self, ip: IpAddr, account: String) -> Key {
        let pair = (network(ip), account);
        match self.known.contains_key(&pair) {
            true => Key::Known(pair.0, pair.1),
            false => Key::Network(pair.0),
        }
    }

    /// Whether so much failed there that this account is not even heard from it.
    pub fn is_blocked(&self, ip: IpAddr, account: &str) -> bool {
        let key = self.key(ip, folded(account));
        self.minute.get(&key).unwrap_or(0) >= PER_MINUTE
            || self.day.get(&key).unwrap_or(0) >= PER_DAY
    }

    /// The account was opened from there.
    pub fn succeeded(&self, ip: IpAddr, account: &str) {
        self.known.insert((network(ip), folded(account)), ());
    }

    /// Counts a failure; the answer is to wait for what this returns: 0.25 s at
    /// first, doubling with each.
    pub fn failed(&self, ip: IpAddr, account: &str) -> Duration {
        let account = folded(account);
        let key = self.key(ip, account.clone());
        let recent = bump(&self.minute, key.clone());
        bump(&self.day, key);
        let of_account = bump(&self.account, account);
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
        let blocked = |ip: &str| throttle.is_blocked(ip.parse().unwrap(), "a@b.example");
        let mut waits = Vec::new();
        for n in 0..10 {
            assert!(!blocked("2001:db8::1"), "after {n}");
            waits.push(throttle.failed("2001:db8::1".parse().unwrap(), "a@b.example"));
        }
        assert!(blocked("2001:db8::1") && blocked("2001:db8::2"));
        assert!(!blocked("2001:db8:1::1"));
        assert!(waits.is_sorted() && waits[0] == Duration::from_millis(250), "{waits:?}");
        assert!(waits.iter().all(|w| *w <= LONGEST));
    }

    #[test]
    fn nobody_is_shut_out_by_others() {
        let throttle = Throttle::default();
        let (home, bots): (IpAddr, Vec<IpAddr>) =
            ("192.0.2.1".parse().unwrap(), (0..200).map(|n| [198, 51, 100, n].into()).collect());
        throttle.succeeded(home, "Ann@b.example");
        // Somebody next to her guesses anybody's password, and everybody guesses hers.
        for _ in 0..PER_DAY {
            throttle.failed(home, "bob@b.example");
        }
        let mut wait = Duration::ZERO;
        for bot in &bots {
            wait = throttle.failed(*bot, "ANN@b.example");
        }
        assert_eq!(wait, LONGEST, "an account that is guessed at answers slowly");
        assert!(throttle.is_blocked(home, "bob@b.example"));
        assert!(!throttle.is_blocked(home, "ann@b.example"));
        assert!(!throttle.is_blocked("203.0.113.9".parse().unwrap(), "ann@b.example"));
        // Yet no network has more guesses at her than at anybody.
        for _ in 0..PER_MINUTE {
            assert!(!throttle.is_blocked(home, "ann@b.example"));
            throttle.failed(home, "ann@b.example");
        }
        assert!(throttle.is_blocked(home, "ann@b.example"));
    }
}
