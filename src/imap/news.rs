//! What is told unasked: of the open mailbox, and what NOTIFY asks for (RFC 5465).

use std::future::pending;
use std::time::Duration;

use super::channel::{Channel, Gone};
use super::cmd::fetch;
use super::enabled::Enabled;
use super::notify::Watch;
use super::server::Server;
use super::session::State;
use super::updates::{self, Tell};
use crate::wire::imap::response::{Code, State as Condition};

/// The wait after the database could not be asked.
const RETRY: Duration = Duration::from_secs(5);

/// Tells what is news; nothing of the open mailbox without `tell`. Whether the client knows
/// everything now.
pub(super) async fn tell(
    server: &Server,
    channel: &mut Channel,
    state: &mut State,
    enabled: Enabled,
    notify: &mut Option<Box<Watch>>,
    tell: Option<Tell>,
) -> Result<bool, Gone> {
    let mailboxes = &server.services.mailboxes;
    let mut known = true;
    let (who, open) = match state {
        State::Authenticated(who) => (&*who, None),
        State::Selected(who, selected) => {
            let wanted = notify.as_ref().and_then(|watch| watch.selected());
            let (top, out) = (selected.view.top(), &mut channel.out);
            if let Some(tell) = tell {
                let tell = wanted.map_or(tell, |wanted| tell.wanted(wanted));
                let told = updates::report(mailboxes, who, selected, enabled, out, tell).await;
                known = told.is_ok();
                if let Err(error) = told {
                    tracing::warn!(%error, "no news of the mailbox");
                }
            }
            if let Some(wanted) = wanted.filter(|wanted| !wanted.fetch.is_empty()) {
                let items = wanted.fetch.as_slice();
                fetch::of_new(&server.services, channel, who, selected, enabled, items, top)
                    .await?;
            }
            (&*who, Some(selected.folder))
        }
        State::NotAuthenticated | State::Logout => return Ok(known),
    };
    let Some(watch) = notify else { return Ok(known) };
    match watch.report(mailboxes, &mut channel.out, who, enabled, open).await {
        Ok(true) => {}
        Ok(false) => {
            let code = Some(Code::NotificationOverflow);
            channel.out.untagged(Condition::Ok, code, "Too many mailboxes; NOTIFY is off");
            *notify = None;
        }
        Err(error) => {
            tracing::warn!(%error, "no news of other mailboxes");
            known = false;
        }
    }
    Ok(known)
}

/// Returns when there may be something to tell: at a change, or when it is time to ask again. Of
/// the open mailbox in IDLE, or where NOTIFY says so. Who was woken has taken the mark that
/// something changed, so the database has to be asked.
pub(super) async fn wait(
    state: &mut State,
    notify: &mut Option<Box<Watch>>,
    idle: bool,
    known: bool,
) {
    let open = idle || notify.as_ref().is_some_and(|watch| watch.selected().is_some());
    let of_mailbox = async {
        match state {
            State::Selected(..) if !known => tokio::time::sleep(RETRY).await,
            State::Selected(_, selected) if open && !selected.deleted => {
                if selected.changes.changed().await.is_err() {
                    pending::<()>().await;
                }
            }
            _ => pending().await,
        }
    };
    let of_others = async {
        match notify {
            Some(watch) => watch.news().await,
            None => pending().await,
        }
    };
    tokio::select! {
        () = of_mailbox => {}
        () = of_others => {}
    }
}
