//! `[oauth]`: tokens that open mailboxes.

use std::path::PathBuf;

use serde::Deserialize;

/// Whose tokens are believed (OAUTHBEARER, RFC 7628).
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Oauth {
    /// Who issues them; empty: none are taken.
    pub issuer: String,
    /// Where its keys are; empty: where Clerk has them.
    pub jwks_url: String,
    /// Audiences, one of which a token has to name; empty: it does not matter.
    pub audience: Vec<String>,
    /// Who may have asked for it; empty: it does not matter.
    pub authorized_parties: Vec<String>,
    /// A PEM file with the authority of the issuer itself; empty means the system's.
    pub root: PathBuf,
}
