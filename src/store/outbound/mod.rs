//! The queue: `outbound_messages`, one row per recipient and send.

mod enqueue;
mod lease;
mod operate;
mod returned;
mod settle;
mod show;
mod size;

pub use enqueue::{Enqueue, SenderSettings};
pub(in crate::store) use lease::interval;
pub use lease::{Author, Draft, LeaseRequest, Leased};
pub use operate::Selection;
pub use returned::{Returned, Sent};
pub use settle::{Attempt, Settlement};
pub use show::{Listed, PastAttempt};
pub use size::QueueSize;

use time::OffsetDateTime;

use crate::domain::deliver_by::{ByMode, DeliverBy};
use crate::domain::envelope::{DsnReturn, Notify};
use crate::store::error::Error;

/// The words of `dsn_notify` as an array literal; none is NEVER (RFC 3461 §4.1).
fn notify_words(notify: Notify) -> String {
    let words = [(notify.success, "success"), (notify.failure, "failure"), (notify.delay, "delay")];
    let set: Vec<&str> = words.into_iter().filter_map(|(on, word)| on.then_some(word)).collect();
    format!("{{{}}}", set.join(","))
}

fn notify_from(words: &[String]) -> Notify {
    let has = |word: &str| words.iter().any(|w| w == word);
    Notify { success: has("success"), failure: has("failure"), delay: has("delay") }
}

fn ret_word(ret: DsnReturn) -> &'static str {
    match ret {
        DsnReturn::Full => "full",
        DsnReturn::Headers => "hdrs",
    }
}

fn ret_from(word: &str) -> DsnReturn {
    if word == "full" { DsnReturn::Full } else { DsnReturn::Headers }
}

fn deliver_by_from(at: Option<OffsetDateTime>, word: Option<&str>) -> Option<DeliverBy> {
    let (mode, trace) = ByMode::read(word?)?;
    Some(DeliverBy { at: at?, mode, trace })
}

/// A CHECK holds these columns to the words that Rust knows.
pub(in crate::store) fn word<T: std::str::FromStr<Err = String>>(text: &str) -> Result<T, Error> {
    text.parse().map_err(Error::Corrupt)
}
