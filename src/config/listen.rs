//! `[smtp]`, `[submission]`, `[imap]` and `[http]`: where each service listens.

use std::net::SocketAddr;

use serde::Deserialize;

use super::units::span_or_none;
use super::{BaseUrl, Span};
use crate::domain::address::Address;
use crate::domain::mta_sts::Mode;
use crate::domain::network::Network;

/// Mail from other servers.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Smtp {
    /// STARTTLS is offered.
    pub listen: SocketAddr,
    /// The address behind `<Postmaster>`; empty means one is found.
    #[serde(deserialize_with = "super::values::optional_address")]
    pub postmaster: Option<Address>,
    /// What the policy of TLS of the domains here asks for (RFC 8461).
    pub mta_sts: Mode,
    /// Who begins connections with a PROXY header.
    pub proxies: Vec<Network>,
    /// Who may say XCLIENT.
    pub xclient: Vec<Network>,
}

/// Mail from account holders (RFC 6409).
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Submission {
    /// Plain until STARTTLS.
    pub listen_starttls: SocketAddr,
    /// TLS from the first byte (RFC 8314).
    pub listen_tls: SocketAddr,
    /// How far ahead a message may be sent.
    #[serde(deserialize_with = "span_or_none")]
    pub hold_at_most: Span,
    /// Whether SCRAM-SHA-256 is offered.
    pub scram: bool,
    /// Whether Received names where a message was submitted from.
    pub received_client: bool,
    /// Who begins connections with a PROXY header.
    pub proxies: Vec<Network>,
}

/// Mail clients (RFC 9051).
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Imap {
    /// Plain until STARTTLS.
    pub listen_starttls: SocketAddr,
    /// TLS from the first byte (RFC 8314).
    pub listen_tls: SocketAddr,
    /// Who begins connections with a PROXY header.
    pub proxies: Vec<Network>,
    /// Memory for flags and envelopes of folders that are being read, in MiB.
    pub cache_mib: u32,
}

/// The HTTP edge.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Http {
    /// Plain HTTP.
    pub listen: SocketAddr,
    /// The same under TLS.
    pub listen_tls: SocketAddr,
    /// How the outside reaches it.
    pub public_url: BaseUrl,
    /// Whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<Network>,
}
