//! SEARCH and UID SEARCH (RFC 3501 §6.4.4).

use crate::imap::answer::Answer;
use crate::imap::selected::Selected;
use crate::mail::client::Identity;
use crate::mail::mailbox::{Mailboxes, Numbering};
use crate::wire::imap::command::Search;
use crate::wire::imap::response::Writer;

/// Tells which of the messages that the client knows have what it asks for.
pub(in crate::imap) async fn search(
    mailboxes: &Mailboxes,
    out: &mut Writer,
    who: &Identity,
    selected: &Selected,
    search: &Search,
) -> Answer {
    let view = &selected.view;
    let numbering = Numbering { uids: view.uids(), recent_from: view.recent_from() };
    match mailboxes.search(who, selected.folder, &search.keys, numbering).await {
        Ok(found) => {
            out.search(found.into_iter().filter_map(|uid| {
                let sequence = view.sequence_of(uid)?;
                Some(if search.uid { uid } else { sequence })
            }));
            Answer::ok("That is all")
        }
        Err(error) => error.into(),
    }
}
