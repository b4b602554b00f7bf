//! `[spam]`: how much a message looks like it, and what follows.

use serde::Deserialize;

use super::{Secret, Span};

/// Who scores, and from which score on what happens.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Spam {
    /// rspamd's normal worker; empty: the small built-in score.
    pub rspamd_url: String,
    /// rspamd's controller; empty: it is not taught.
    pub rspamd_controller_url: String,
    /// The controller's password.
    pub rspamd_password: Secret,
    /// How long one question to it may take.
    pub rspamd_timeout: Span,
    /// From this score on a message goes to Junk.
    pub junk_score: f32,
    /// From this score of rspamd's on it is refused.
    pub refuse_score: f32,
}
