//! `[authenticity]`: who mail from outside is really from.

use serde::Deserialize;

/// Whose word counts.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Authenticity {
    /// Domains whose ARC seals may stand against a DMARC policy.
    pub trusted_arc_sealers: Vec<String>,
}
