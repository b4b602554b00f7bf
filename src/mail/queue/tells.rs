//! What the sender is told after an attempt.

use time::OffsetDateTime;

use crate::domain::outcome::Via;
use crate::domain::queue::State;
use crate::mail::queue::Ended;
use crate::store::outbound::Leased;
use crate::wire::mime::dsn::Action;

/// What the sender may want to hear of.
pub(super) fn tells(
    row: &Leased,
    ended: &Ended,
    (state, late): (State, bool),
    now: OffsetDateTime,
) -> Option<Action> {
    match state {
        State::Bounced | State::Expired => Some(Action::Failed),
        State::Delivered if is_here(&ended.via) => Some(Action::Delivered),
        // RFC 2852 §4: from here on nobody watches the time, or each step is to be told.
        State::Delivered | State::Sent
            if row.deliver_by.is_some_and(|by| by.trace || !ended.keeps_time) =>
        {
            Some(Action::Relayed)
        }
        State::Delivered | State::Sent if ended.reported => None,
        State::Delivered | State::Sent => Some(Action::Relayed),
        State::Queued if !row.delay_told && row.deliver_by.is_some_and(|by| by.is_late(now)) => {
            Some(Action::Delayed)
        }
        State::Queued if late => Some(Action::Delayed),
        _ => None,
    }
}

fn is_here(via: &Via) -> bool {
    via.ip.is_none()
}
