//! The SMTP envelope (RFC 5321 §2.3.1) with the DSN parameters of RFC 3461.

use time::OffsetDateTime;

use crate::domain::address::Address;
use crate::domain::deliver_by::DeliverBy;

/// The reverse-path: an address, or `<>` for mail that must never bounce.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct ReversePath(pub Option<Address>);

impl ReversePath {
    /// The address, or the empty string for the null reverse-path.
    pub fn as_str(&self) -> &str {
        self.0.as_ref().map_or("", Address::as_str)
    }

    /// Whether this is `<>`.
    pub fn is_null(&self) -> bool {
        self.0.is_none()
    }
}

/// Which reports the sender wants about one recipient (RFC 3461 §4.1).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Notify {
    /// When delivery succeeded.
    pub success: bool,
    /// When delivery failed for good.
    pub failure: bool,
    /// When delivery is delayed.
    pub delay: bool,
}

impl Default for Notify {
    /// What RFC 3461 §4.1 suggests where nothing was said: failures and delays.
    fn default() -> Self {
        Self { success: false, failure: true, delay: true }
    }
}

/// How much of the message a report returns (RFC 3461 §4.3).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum DsnReturn {
    /// `RET=FULL`
    Full,
    /// `RET=HDRS`, and what we do where nothing was said.
    #[default]
    Headers,
}

/// What MAIL FROM said.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct MailFrom {
    /// The reverse-path.
    pub reverse_path: ReversePath,
    /// `ENVID`, decoded, at most 100 characters.
    pub envid: Option<String>,
    /// `RET`.
    pub ret: DsnReturn,
    /// `SMTPUTF8` was given (RFC 6531).
    pub smtputf8: bool,
    /// `REQUIRETLS` was given (RFC 8689).
    pub require_tls: bool,
    /// Not to be sent before then (`HOLDFOR`, `HOLDUNTIL`; RFC 4865).
    pub release_at: Option<OffsetDateTime>,
    /// To be delivered by then (`BY`; RFC 2852).
    pub deliver_by: Option<DeliverBy>,
}

/// What one RCPT TO said.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Recipient {
    /// The forward-path.
    pub address: Address,
    /// `NOTIFY`.
    pub notify: Notify,
    /// `ORCPT`, decoded (`rfc822;...`), at most 500 characters.
    pub orcpt: Option<String>,
}

impl Recipient {
    /// A recipient with the default reports.
    pub fn plain(address: Address) -> Self {
        Self { address, notify: Notify::default(), orcpt: None }
    }
}
