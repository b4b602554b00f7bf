//! `[queue]`, `[dns]` and `[tracking]`: mail on its way out.

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::PathBuf;

use serde::{Deserialize, Deserializer, de};

use super::Span;
use super::units::span_or_none;

/// When and how outgoing mail is tried.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Queue {
    /// The wait after each failed attempt; the last one repeats. Never empty.
    #[serde(deserialize_with = "not_empty")]
    pub retry: Vec<Span>,
    /// The age at which a message is given up.
    pub expire_after: Span,
    /// The same for newsletters and other bulk.
    pub expire_bulk_after: Span,
    /// When people are told that their message is delayed; zero is never.
    #[serde(deserialize_with = "span_or_none")]
    pub delay_notice_after: Span,
    /// Deliveries at once.
    pub concurrency: NonZeroUsize,
    /// Deliveries at once to one destination domain, once it has shown that it takes them.
    pub concurrency_per_domain: NonZeroUsize,
    /// Deliveries at once of one organisation.
    pub concurrency_per_tenant: NonZeroUsize,
    /// How long a leased message stays with a node that gives no sign of life.
    pub lease: Span,
    /// A PEM file of authorities; empty means the system's.
    pub trusted_roots: PathBuf,
    /// The port of other mail servers.
    pub smtp_port: u16,
    /// Whether domains are asked for their policies of TLS (RFC 8461).
    pub mta_sts: bool,
    /// The port that those policies are fetched from.
    pub mta_sts_port: u16,
}

/// Name resolution.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dns {
    /// Resolvers; empty means the system's.
    pub servers: Vec<SocketAddr>,
    /// One query's time.
    pub timeout: Span,
    /// How often a query is tried.
    pub attempts: NonZeroUsize,
}

/// Opens and clicks.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tracking {
    /// What holds where tenant, mailbox and message say nothing.
    pub enabled: bool,
}

fn not_empty<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Span>, D::Error> {
    let list = Vec::deserialize(deserializer)?;
    if list.is_empty() {
        return Err(de::Error::custom("at least one time is needed"));
    }
    Ok(list)
}
