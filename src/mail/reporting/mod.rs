//! Reports that domains ask for, and theirs about ours.
//!
//! What is to be told is counted in memory where it happens ([`tally`]) and written down some
//! seconds later; once a day each domain is told ([`daily`]) by a message in the ordinary queue. A
//! report that comes is read after its message is stored ([`arriving`]).

pub mod arriving;
pub mod daily;
pub mod dmarc;
mod events;
mod post;
pub mod tally;
pub mod tls;

pub use arriving::Arriving;
pub use daily::Daily;
pub use post::Post;
pub use tally::Tally;

use time::{Date, OffsetDateTime, Time};

/// The first and the last second of a day.
fn bounds(day: Date) -> (OffsetDateTime, OffsetDateTime) {
    let begin = OffsetDateTime::new_utc(day, Time::MIDNIGHT);
    (begin, begin + time::Duration::seconds(24 * 60 * 60 - 1))
}
