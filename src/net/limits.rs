//! How many connections one client address may hold.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Counts connections by client; clones share the count.
///
/// An IPv6 client is its /64, the least that a network hands out: one host has all of it. Loopback
/// counts like any other.
#[derive(Clone)]
pub struct PerAddress {
    counts: Arc<Mutex<HashMap<IpAddr, usize>>>,
    most: usize,
}

/// A counted connection; dropping it makes room for the next one.
pub struct Place {
    all: PerAddress,
    client: IpAddr,
}

impl PerAddress {
    /// At most this many connections from one client.
    pub fn new(most: usize) -> Self {
        Self { counts: Arc::default(), most }
    }

    /// Counts a connection, or refuses it.
    pub fn enter(&self, address: IpAddr) -> Option<Place> {
        let client = client(address);
        let mut counts = self.counts();
        let count = counts.entry(client).or_default();
        if *count >= self.most {
            return None;
        }
        *count += 1;
        drop(counts);
        Some(Place { all: self.clone(), client })
    }

    fn counts(&self) -> MutexGuard<'_, HashMap<IpAddr, usize>> {
        // A count is whole after every statement, so a panic elsewhere leaves nothing half-done.
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Entry::Occupied(mut count) = self.all.counts().entry(self.client) {
            if *count.get() > 1 {
                *count.get_mut() -= 1;
            } else {
                count.remove();
            }
        }
    }
}

/// What counts as one client.
pub(super) fn client(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(v4) => IpAddr::V4(v4),
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() >> 64 << 64)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn a_client_has_its_share_and_gets_it_back() {
        let limit = PerAddress::new(2);
        let first = limit.enter(ip("127.0.0.1")).unwrap();
        let _second = limit.enter(ip("::ffff:127.0.0.1")).unwrap();
        assert!(limit.enter(ip("127.0.0.1")).is_none());
        assert!(limit.enter(ip("127.0.0.2")).is_some());
        drop(first);
        assert!(limit.enter(ip("127.0.0.1")).is_some());
    }

    #[test]
    fn one_network_is_one_client() {
        let limit = PerAddress::new(1);
        let _held = limit.enter(ip("2001:db8:1:2::1")).unwrap();
        assert!(limit.enter(ip("2001:db8:1:2:ffff::9")).is_none());
        assert!(limit.enter(ip("2001:db8:1:3::1")).is_some());
    }

    #[test]
    fn nobody_who_left_is_remembered() {
        let limit = PerAddress::new(1);
        drop(limit.enter(ip("192.0.2.1")));
        assert!(limit.counts().is_empty());
    }
}
