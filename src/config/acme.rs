//! `[acme]`: certificates that are asked for and renewed by the server itself.

use std::path::PathBuf;

use serde::Deserialize;

/// Where certificates come from (RFC 8555).
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Acme {
    /// The server's directory; empty means that no certificate is asked for.
    pub directory: String,
    /// An address that the server may write to; empty tells none.
    pub contact: String,
    /// Names beside the server's own.
    pub names: Vec<String>,
    /// A PEM file with the authority of the ACME server itself; empty means the system's.
    pub root: PathBuf,
}
