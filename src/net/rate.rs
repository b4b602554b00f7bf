//! How often a client may come: so many times in a period, counted for its address and for the
//! network around it.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::limits::client;

/// Clients that are remembered at most. Past it nobody new is counted: memory is bounded first.
const MOST_REMEMBERED: usize = 500_000;
/// Memory is not looked through for less.
const FEW: usize = 1024;

/// Two bounds on one thing; clones share the counts. Loopback counts like any other.
#[derive(Clone)]
pub struct Rate(Arc<Mutex<Counts>>);

struct Counts {
    address: Buckets,
    network: Buckets,
}

/// For each key, when all of what it took will have been given back.
///
/// A full allowance may be used at once; then it comes back evenly over the period. This needs one
/// moment per client, and knows no edge of a window at which twice the allowance would pass.
struct Buckets {
    full_at: HashMap<IpAddr, Instant>,
    each: Duration,
    period: Duration,
    /// Looked through when it has grown to this.
    look_at: usize,
}

impl Rate {
    /// `per_address` times in `period` from an address (an IPv6 /64), `per_network` times from an
    /// IPv4 /24 or an IPv6 /48.
    pub fn new(period: Duration, per_address: NonZeroU32, per_network: NonZeroU32) -> Self {
        Self(Arc::new(Mutex::new(Counts {
            address: Buckets::new(period, per_address),
            network: Buckets::new(period, per_network),
        })))
    }

    /// Counts one time at `now`; false where it is one too many, which is not counted.
    pub fn admit(&self, ip: IpAddr, now: Instant) -> bool {
        let (address, network) = (client(ip), network(ip));
        // A count is whole after every statement, so a panic elsewhere leaves nothing half-done.
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !counts.address.has_room(address, now) || !counts.network.has_room(network, now) {
            return false;
        }
        counts.address.take(address, now);
        counts.network.take(network, now);
        true
    }
}

impl Buckets {
    fn new(period: Duration, allowance: NonZeroU32) -> Self {
        let each = period / allowance.get();
        Self { full_at: HashMap::new(), each, period, look_at: FEW }
    }

    fn has_room(&self, key: IpAddr, now: Instant) -> bool {
        self.full_at.get(&key).is_none_or(|full_at| *full_at + self.each <= now + self.period)
    }

    fn take(&mut self, key: IpAddr, now: Instant) {
        if self.full_at.len() >= self.look_at {
            self.full_at.retain(|_, full_at| *full_at > now);
            self.look_at = (self.full_at.len() * 2).max(FEW);
        }
        if self.full_at.len() < MOST_REMEMBERED || self.full_at.contains_key(&key) {
            let full_at = self.full_at.entry(key).or_insert(now);
            *full_at = (*full_at).max(now) + self.each;
        }
    }
}

/// What one organisation usually has: a /24, or the /48 of a site.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(v4) => Ipv4Addr::from_bits(v4.to_bits() & 0xffff_ff00).into(),
        IpAddr::V6(v6) => Ipv6Addr::from_bits(v6.to_bits() >> 80 << 80).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_mins(1);

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn rate(per_address: u32, per_network: u32) -> Rate {
        let count = |n| NonZeroU32::new(n).unwrap();
        Rate::new(MINUTE, count(per_address), count(per_network))
    }

    #[test]
    fn an_allowance_is_used_and_comes_back() {
        let (rate, start) = (rate(3, 100), Instant::now());
        for _ in 0..3 {
            assert!(rate.admit(ip("127.0.0.1"), start));
        }
        assert!(!rate.admit(ip("127.0.0.1"), start));
        assert!(rate.admit(ip("127.0.0.2"), start));
        // A third of the period brings one back, and being refused costs nothing.
        let later = start + MINUTE / 3;
        assert!(rate.admit(ip("127.0.0.1"), later));
        assert!(!rate.admit(ip("127.0.0.1"), later));
        assert!(rate.admit(ip("127.0.0.1"), start + 2 * MINUTE));
    }

    #[test]
    fn a_network_has_its_share_too() {
        let (rate, now) = (rate(2, 3), Instant::now());
        let admitted = |ips: &[&str]| ips.iter().filter(|text| rate.admit(ip(text), now)).count();
        assert_eq!(admitted(&["192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4"]), 3);
        assert_eq!(admitted(&["192.0.3.4"]), 1);
        // A /64 is one client, a /48 one network.
        assert_eq!(admitted(&["2001:db8::1", "2001:db8::2", "2001:db8::3"]), 2);
        assert_eq!(admitted(&["2001:db8:0:1::1", "2001:db8:0:2::1", "2001:db8:1::1"]), 2);
    }

    #[test]
    fn whoever_has_a_full_allowance_is_forgotten() {
        let (rate, start) = (rate(2, 2), Instant::now());
        for n in 0..5000_u32 {
            assert!(rate.admit(Ipv4Addr::from_bits(n << 8).into(), start + MINUTE * n));
        }
        assert!(rate.0.lock().unwrap().address.full_at.len() <= FEW);
    }
}
