//! `[queue]`, `[dns]` and `[tracking]`: mail on its way out.

use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroUsize;
use std::path::PathBuf;

use serde::{Deserialize, Deserializer, de};

use super::units::span_or_none;
use super::{Secret, Span, is_host_name};
use crate::domain::smarthost::SmarthostTls;

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
    /// Connections at once from one source address; those whose address the system chooses count as one.
    pub concurrency_per_source: NonZeroUsize,
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
    /// How mail leaves that has no route of its own.
    pub relay: Relay,
}

/// A smarthost or a source address for all mail.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Relay {
    /// The smarthost; empty: mail goes straight to its recipients' servers.
    #[serde(deserialize_with = "optional_host")]
    pub host: String,
    /// Where it listens.
    pub port: u16,
    /// What of TLS there has to be with it.
    pub tls: SmarthostTls,
    /// Who we are to it; empty: nobody in particular.
    pub username: String,
    /// The password.
    pub password: Secret,
    /// The password may be sent without TLS.
    pub auth_in_clear: bool,
    /// The address of ours that connections come from.
    #[serde(deserialize_with = "optional_ip")]
    pub source_address: Option<IpAddr>,
}

/// Name resolution.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dns {
    /// Resolvers; empty means the system's.
    pub servers: Vec<SocketAddr>,
    /// They validate DNSSEC, and the way to them is safe.
    pub trusted: bool,
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

/// A host name or an address, or nothing.
fn optional_host<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let text = String::deserialize(deserializer)?;
    if text.is_empty() || is_host_name(&text) || text.parse::<IpAddr>().is_ok() {
        return Ok(text);
    }
    Err(de::Error::custom(format!("{text:?} is neither a host name nor an address")))
}

fn optional_ip<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<IpAddr>, D::Error> {
    let text = String::deserialize(deserializer)?;
    if text.is_empty() {
        return Ok(None);
    }
    text.parse().map(Some).map_err(|_| de::Error::custom(format!("{text:?} is no address")))
}
