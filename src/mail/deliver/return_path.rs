//! Where reports about a message are to go.

use crate::domain::envelope::Notify;
use crate::domain::queue::{Class, Source};
use crate::mail::render::author_domain;
use crate::store::outbound::Leased;
use crate::wire::verp::Verp;

/// Whether a row has a return path of its own, by which every later bounce finds it. A person's
/// does not: their address has to be there for filters and automatic answers elsewhere, and they
/// get what comes back themselves.
pub(super) fn has_own(row: &Leased) -> bool {
    let is_ours = match row.source {
        Source::Submission | Source::Api | Source::Campaign | Source::Sequence => true,
        Source::Forward | Source::AutoReply | Source::Bounce | Source::Report => false,
    };
    is_ours && row.class != Class::Personal && !row.reverse_path.is_empty()
}

/// The reverse-path of a row: the same each time it is tried.
pub(super) fn return_path(row: &Leased, verp: &Verp) -> String {
    let own = has_own(row).then(|| verp.address(row.id, author_domain(row))).flatten();
    own.map_or_else(|| row.reverse_path.clone(), |own| own.to_string())
}

/// Of what other servers are to tell: of failures in any case where we want to know ourselves.
pub(super) fn notify(row: &Leased) -> Notify {
    Notify { failure: row.notify.failure || has_own(row), ..row.notify }
}
