//! What was found out about a message that came from outside: who it is really
//! from, how much it looks like spam, and what to do with it.
//!
//! It is kept as data (`emails.verdict`) and asked by the rules of mailboxes.

use serde::{Deserialize, Serialize};

/// The result of one method (RFC 8601 §2.7), in its own words there.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// It holds.
    Pass,
    /// It does not hold.
    Fail,
    /// SPF `~all`.
    Softfail,
    /// Nothing is asserted (SPF `?all`, a DKIM signature that cannot be used).
    Neutral,
    /// Nothing is published, or nothing was signed; also: not looked at.
    #[default]
    None,
    /// It could not be found out now.
    Temperror,
    /// What is published cannot be read.
    Permerror,
}

impl Outcome {
    /// The word for Authentication-Results.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::Softfail => "softfail",
            Self::Neutral => "neutral",
            Self::None => "none",
            Self::Temperror => "temperror",
            Self::Permerror => "permerror",
        }
    }
}

/// One DKIM signature (RFC 6376).
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Signature {
    /// Whether it verifies.
    pub result: Outcome,
    /// `d=`.
    pub domain: String,
    /// `s=`.
    pub selector: String,
}

/// The policy a domain publishes (RFC 9989), and what is done by it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Policy {
    /// Deliver as usual.
    #[default]
    None,
    /// Deliver to Junk.
    Quarantine,
    /// Refuse.
    Reject,
}

/// DMARC for the From domain.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Dmarc {
    /// Whether an aligned SPF or DKIM result passes.
    pub result: Outcome,
    /// The From domain.
    pub domain: String,
    /// What its owner asks for.
    pub policy: Policy,
    /// SPF passed for an aligned domain.
    pub spf_aligned: bool,
    /// DKIM passed for an aligned domain.
    pub dkim_aligned: bool,
    /// The trusted ARC sealer whose word was taken instead of the policy (RFC 8617 §7.2.1).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub overridden_by: Option<String>,
}

/// What a sign of spam or of its absence weighs.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct Symbol {
    /// Its name.
    pub name: String,
    /// Positive for spam.
    pub score: f32,
}

/// How much a message looks like spam.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct Spam {
    /// `rspamd` or `builtin`; empty where nothing was asked.
    pub source: String,
    /// The sum; higher is worse.
    pub score: f32,
    /// What it is made of.
    pub symbols: Vec<Symbol>,
}

/// What to do with the message before any rule of a mailbox.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Disposition {
    /// To the INBOX.
    #[default]
    Keep,
    /// To Junk.
    Junk,
}

/// Everything found out about one message.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Verdict {
    /// SPF (RFC 7208) of the reverse-path, or of HELO for `<>`.
    pub spf: Outcome,
    /// The domain SPF was asked for.
    pub spf_domain: String,
    /// Every DKIM signature looked at.
    pub dkim: Vec<Signature>,
    /// DMARC (RFC 9989).
    pub dmarc: Dmarc,
    /// The ARC chain (RFC 8617).
    pub arc: Outcome,
    /// The reverse DNS of the client, confirmed forwards (RFC 8601 §2.7.3).
    pub iprev: Outcome,
    /// The name it is confirmed for.
    pub ptr: Option<String>,
    /// Spam score.
    pub spam: Spam,
    /// Where it goes.
    pub disposition: Disposition,
}
