//! What a policy of TLS asks for (MTA-STS, RFC 8461).

use serde::Deserialize;

/// What is to be done with a server that does not do as the policy says.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// It gets no mail.
    Enforce,
    /// It gets its mail, and the domain is told.
    Testing,
    /// Nothing: the domain has no policy any more.
    None,
}
