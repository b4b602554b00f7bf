//! INPROGRESS (RFC 9585): a client hears that its command is still being worked on.

use std::time::Duration;

use tokio::time::{Instant, interval_at};

use super::channel::{Channel, Gone};
use crate::wire::imap::command::Tag;
use crate::wire::imap::response::{Code, State};

/// How often it is told: no connection between falls asleep in that time, and nobody is flooded.
const EVERY: Duration = Duration::from_secs(10);

/// What comes of `work`, which command `tag` asked for. A client that is gone ends it.
pub(super) async fn told<T>(
    channel: &mut Channel,
    tag: &Tag,
    work: impl Future<Output = T>,
) -> Result<T, Gone> {
    let mut work = std::pin::pin!(work);
    let mut ticks = interval_at(Instant::now() + EVERY, EVERY);
    loop {
        tokio::select! {
            biased;
            done = &mut work => return Ok(done),
            _ = ticks.tick() => {
                channel.out.untagged(State::Ok, Some(Code::InProgress(tag)), "Still at it");
                channel.flush().await?;
            }
        }
    }
}
