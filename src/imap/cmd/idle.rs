//! IDLE (RFC 2177).

use crate::imap::answer::Answer;
use crate::imap::channel::{Channel, Gone};
use crate::imap::enabled::Enabled;
use crate::imap::news;
use crate::imap::notify::Watch;
use crate::imap::server::Server;
use crate::imap::session::State;
use crate::imap::updates::Tell;
use crate::wire::imap::command::is_done;
use crate::wire::imap::frame::Event;

/// Tells what happens to the open mailbox as it happens, until the client says DONE.
pub(in crate::imap) async fn idle(
    server: &Server,
    channel: &mut Channel,
    state: &mut State,
    enabled: Enabled,
    notify: &mut Option<Box<Watch>>,
) -> Result<Answer, Gone> {
    channel.out.continuation("Idling");
    channel.expect_line();
    channel.wait_for(server.timeouts.imap_idle.duration());
    loop {
        // Whoever was woken has taken the mark that something changed: the database is asked.
        let told = news::tell(server, channel, state, enabled, notify, Some(Tell::ALL));
        let known = Box::pin(told).await?;
        let wait = Box::pin(news::wait(state, notify, true, known));
        match channel.event_or(wait).await? {
            None => {}
            Some(Event::Complete(line)) if is_done(&line) => return Ok(Answer::ok("Done idling")),
            Some(_) => return Ok(Answer::bad("DONE was expected")),
        }
    }
}
