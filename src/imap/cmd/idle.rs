//! IDLE (RFC 2177).

use std::future::pending;
use std::time::Duration;

use crate::imap::answer::Answer;
use crate::imap::channel::{Channel, Gone};
use crate::imap::enabled::Enabled;
use crate::imap::server::Server;
use crate::imap::session::State;
use crate::imap::updates::{self, Tell};
use crate::wire::imap::command::is_done;
use crate::wire::imap::frame::Event;

/// The wait after the database could not be asked.
const RETRY: Duration = Duration::from_secs(5);

/// Tells what happens to the open mailbox as it happens, until the client says DONE.
pub(in crate::imap) async fn idle(
    server: &Server,
    channel: &mut Channel,
    state: &mut State,
    enabled: Enabled,
) -> Result<Answer, Gone> {
    channel.out.continuation("Idling");
    channel.expect_line();
    channel.wait_for(server.timeouts.imap_idle.duration());
    loop {
        // Whoever was woken has taken the mark that something changed: the database is asked.
        let known = Box::pin(report(server, channel, state, enabled)).await;
        channel.flush().await?;
        tokio::select! {
            event = channel.event() => {
                return Ok(match event? {
                    Event::Complete(line) if is_done(&line) => Answer::ok("Done idling"),
                    _ => Answer::bad("DONE was expected"),
                });
            }
            () = news(state, known) => {}
        }
    }
}

/// Whether the client knows everything now.
async fn report(
    server: &Server,
    channel: &mut Channel,
    state: &mut State,
    enabled: Enabled,
) -> bool {
    let State::Selected(who, selected) = state else { return true };
    let mailboxes = &server.services.mailboxes;
    match updates::report(mailboxes, who, selected, enabled, &mut channel.out, Tell::ALL).await {
        Ok(()) => true,
        Err(error) => {
            tracing::warn!(%error, "no news of the mailbox");
            false
        }
    }
}

/// Returns when there may be something to tell: at a change, or when it is time to ask again.
async fn news(state: &mut State, known: bool) {
    match state {
        State::Selected(..) if !known => tokio::time::sleep(RETRY).await,
        State::Selected(_, selected) if !selected.deleted => {
            if selected.changes.changed().await.is_err() {
                pending::<()>().await;
            }
        }
        _ => pending().await,
    }
}
