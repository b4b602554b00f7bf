//! What an organisation turned on against strangers, asked at RCPT: DNS blocklists (RFC 5782) and
//! greylisting (RFC 6647). Where nothing is on it costs one look into a map.
//!
//! Doubt lets them in: a list or a database that does not answer keeps no mail away.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use aws_lc_rs::digest::{Context, SHA256};
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};

use crate::domain::address::Address;
use crate::domain::envelope::ReversePath;
use crate::domain::ids::TenantId;
use crate::mail::{Error, Reason};
use crate::net::dns::Resolver;
use crate::store::db::Db;
use crate::store::gate::GateRow;

/// How long a list may take.
const LIST_TIME: Duration = Duration::from_secs(3);
/// How long the settings are believed when nobody tells of a change.
const BELIEVED: Duration = Duration::from_mins(1);
/// Between two sweeps.
const PAUSE: Duration = Duration::from_mins(10);
/// Strangers and friends remembered of one organisation.
const MOST: i64 = 100_000;
/// Characters of a list's own text that are passed on.
const TEXT_MAX: usize = 200;

type Settings = Arc<HashMap<TenantId, GateRow>>;

/// Asks who strangers are. Cheap to clone.
#[derive(Clone)]
pub struct Gate(Arc<Inner>);

struct Inner {
    db: Db,
    resolver: Resolver,
    settings: RwLock<(Instant, Settings)>,
    stale: AtomicBool,
}

impl Gate {
    /// Over these.
    pub fn new(db: Db, resolver: Resolver) -> Self {
        let settings = RwLock::new((Instant::now(), Settings::default()));
        Self(Arc::new(Inner { db, resolver, settings, stale: AtomicBool::new(true) }))
    }

    /// Takes in that settings may have changed.
    pub fn directory_changed(&self) {
        self.0.stale.store(true, Ordering::Release);
    }

    /// Whether mail of this client and sender may be for `recipient`.
    ///
    /// # Errors
    /// [`Error::Refused`] for who is on a list, [`Reason::ComeAgain`] for who is new.
    pub async fn check(
        &self,
        tenant: TenantId,
        client: IpAddr,
        sender: &ReversePath,
        recipient: &Address,
    ) -> Result<(), Error> {
        let settings = self.settings().await;
        let Some(row) = settings.get(&tenant) else { return Ok(()) };
        let client = client.to_canonical();
        if let Some(refusal) = self.listed(client, &row.blocklists).await {
            return Err(Error::Refused(refusal));
        }
        let Some(seconds) = row.greylist_seconds else { return Ok(()) };
        let triplet = triplet(client, sender, recipient);
        match self.0.db.greylist(tenant, &triplet, seconds).await {
            Ok(false) => Err(Reason::ComeAgain.into()),
            Ok(true) => Ok(()),
            Err(error) => {
                tracing::warn!(%tenant, %error, "greylisting passed over");
                Ok(())
            }
        }
    }

    async fn settings(&self) -> Settings {
        let (since, settings) =
            self.0.settings.read().unwrap_or_else(PoisonError::into_inner).clone();
        let stale = self.0.stale.swap(false, Ordering::AcqRel);
        if !stale && since.elapsed() < BELIEVED {
            return settings;
        }
        let settings = match self.0.db.gates().await {
            Ok(rows) => Arc::new(rows.into_iter().map(|row| (row.tenant, row)).collect()),
            Err(error) => {
                tracing::warn!(%error, "settings against strangers could not be read");
                settings
            }
        };
        *self.0.settings.write().unwrap_or_else(PoisonError::into_inner) =
            (Instant::now(), Arc::clone(&settings));
        settings
    }

    /// What to say to a client that one of the lists names; all are asked at once.
    async fn listed(&self, client: IpAddr, lists: &[String]) -> Option<String> {
        let mut asked = JoinSet::new();
        for list in lists {
            let (resolver, list) = (self.0.resolver.clone(), list.clone());
            asked.spawn(async move {
                timeout(LIST_TIME, ask(&resolver, client, &list)).await.ok().flatten()
            });
        }
        while let Some(answer) = asked.join_next().await {
            if let Ok(Some(refusal)) = answer {
                return Some(refusal);
            }
        }
        None
    }

    /// Keeps the memory of strangers small, for ever. Every node may run it.
    pub async fn sweep(self) {
        loop {
            tokio::time::sleep(PAUSE).await;
            if let Err(error) = self.0.db.sweep_greylist(MOST).await {
                tracing::warn!(%error, "strangers could not be forgotten");
            }
        }
    }
}

async fn ask(resolver: &Resolver, client: IpAddr, list: &str) -> Option<String> {
    let name = format!("{}.{list}", reversed(client));
    let answers = resolver.addresses(&name).await.ok()?;
    if !answers.iter().any(is_listing) {
        return None;
    }
    let text = resolver.txt(&name).await.ok().and_then(|texts| texts.into_iter().next());
    let clean = |text: String| -> String {
        text.chars().filter(|c| (' '..='~').contains(c)).take(TEXT_MAX).collect()
    };
    let text = text.map(clean).unwrap_or_default();
    Some(format!("{list} lists your address {client} {text}").trim_end().to_owned())
}

/// An answer in 127.0.0.0/8 (RFC 5782 §2.1), but for 127.255.255.0/24, by which lists say that
/// they do not answer this resolver.
fn is_listing(answer: &IpAddr) -> bool {
    matches!(answer, IpAddr::V4(ip) if ip.is_loopback() && ip.octets()[..3] != [127, 255, 255])
}

/// The octets of an IPv4 address or the nibbles of an IPv6 one, last first (RFC 5782 §2.1, §2.4).
fn reversed(ip: IpAddr) -> String {
    let parts: Vec<String> = match ip {
        IpAddr::V4(ip) => ip.octets().iter().rev().map(u8::to_string).collect(),
        IpAddr::V6(ip) => {
            let nibbles = ip.octets().into_iter().rev().flat_map(|octet| [octet & 15, octet >> 4]);
            nibbles.map(|nibble| format!("{nibble:x}")).collect()
        }
    };
    parts.join(".")
}

/// Who stands for whom: a sender's hosts share a network (RFC 6647 §2.3), /24 or /64.
fn triplet(client: IpAddr, sender: &ReversePath, recipient: &Address) -> Vec<u8> {
    let mut hash = Context::new(&SHA256);
    match client {
        IpAddr::V4(ip) => hash.update(&ip.octets()[..3]),
        IpAddr::V6(ip) => hash.update(&ip.octets()[..8]),
    }
    for text in [sender.as_str(), recipient.as_str()] {
        hash.update(&text.len().to_be_bytes());
        hash.update(text.as_bytes());
    }
    hash.finish().as_ref().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    /// RFC 5782 §2.1 and §2.4.
    #[test]
    fn addresses_are_asked_for_backwards() {
        assert_eq!(reversed(ip("192.0.2.99")), "99.2.0.192");
        assert_eq!(
            reversed(ip("2001:db8:1:2:3:4:567:89ab")),
            "b.a.9.8.7.6.5.0.4.0.0.0.3.0.0.0.2.0.0.0.1.0.0.0.8.b.d.0.1.0.0.2"
        );
    }

    #[test]
    fn only_some_answers_are_listings() {
        assert!(is_listing(&ip("127.0.0.2")) && is_listing(&ip("127.0.1.10")));
        assert!(!is_listing(&ip("127.255.255.254")));
        assert!(!is_listing(&ip("192.0.2.1")) && !is_listing(&ip("::1")));
    }

    #[test]
    fn a_triplet_is_network_sender_and_recipient() {
        let bob = Address::parse("bob@b.example").unwrap();
        let ann = ReversePath(Some(Address::parse("ann@a.example").unwrap()));
        let one = triplet(ip("192.0.2.1"), &ann, &bob);
        assert_eq!(one.len(), 32);
        assert_eq!(one, triplet(ip("192.0.2.200"), &ann, &bob));
        assert_ne!(one, triplet(ip("192.0.3.1"), &ann, &bob));
        assert_ne!(one, triplet(ip("192.0.2.1"), &ReversePath(None), &bob));
        let six = |text| triplet(ip(text), &ann, &bob);
        assert_eq!(six("2001:db8::1"), six("2001:db8::ffff:1"));
        assert_ne!(six("2001:db8::1"), six("2001:db8:0:1::1"));
    }
}
