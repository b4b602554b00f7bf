//! What this node did and has in hand, in numbers for whoever watches it.
//!
//! Counters are this process' own and begin at nothing with it; what the queue holds is asked of
//! the database when the page is, and is the same on every node.

mod counts;
mod page;

pub use page::Page;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::domain::ids::TenantId;
use crate::domain::queue::State;
use crate::mail::metrics::counts::Counts;
use crate::mail::warmup::provider;
use crate::net::meter::Meter;

/// Destinations and organisations that have lines of their own.
const MOST: usize = 200;

/// The numbers of this process. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Metrics(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    destinations: Counts,
    tenants: Counts,
    received: Counts,
    listeners: Mutex<BTreeMap<&'static str, Meter>>,
}

impl Default for Metrics {
    fn default() -> Self {
        Self(Arc::new(Inner {
            destinations: Counts::new(MOST),
            tenants: Counts::new(MOST),
            received: Counts::new(MOST),
            listeners: Mutex::default(),
        }))
    }
}

impl Metrics {
    /// What became of a message to a recipient, in an attempt or without one; `host` is the server
    /// that was spoken to. Receivers that many domains leave their mail to count as one.
    pub(in crate::mail) fn sent(
        &self,
        host: Option<&str>,
        domain: &str,
        tenant: TenantId,
        state: State,
    ) {
        let outcome = match state {
            State::Queued => "deferred",
            other => other.as_str(),
        };
        let destination = match host {
            Some("local") => "local",
            Some(host) => provider(host).unwrap_or(domain),
            None => domain,
        };
        self.0.destinations.add(destination, outcome);
        self.0.tenants.add(&tenant.0.to_string(), outcome);
    }

    /// A whole message was answered for with a reply of this code, by a listener of this kind.
    pub fn received(&self, listener: &'static str, code: u16) {
        let outcome = match code {
            ..400 => "accepted",
            400..500 => "deferred",
            _ => "refused",
        };
        self.0.received.add(listener, outcome);
    }

    /// What counts the connections of a listener.
    pub fn listener(&self, name: &'static str) -> Meter {
        let mut listeners = self.0.listeners.lock().unwrap_or_else(PoisonError::into_inner);
        listeners.entry(name).or_default().clone()
    }
}
