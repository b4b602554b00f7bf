//! `[reports]`: what domains are told of their mail.

use serde::Deserialize;

use crate::domain::address::Address;

/// Who reports.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reports {
    /// The address that reports are from; without one none are sent.
    #[serde(deserialize_with = "super::values::optional_address")]
    pub from: Option<Address>,
    /// The organisation that reports; empty: the name of the server.
    pub organization: String,
}
