//! `[dkim]`: the keys of signatures.

use serde::Deserialize;

use super::Span;

/// How keys follow each other.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dkim {
    /// How long the record of a key stays published after the key has signed for the last time.
    pub overlap: Span,
}
