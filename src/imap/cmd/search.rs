//! SEARCH and UID SEARCH (RFC 3501 §6.4.4), with RETURN (RFC 4731).

mod result;

pub(in crate::imap::cmd) use result::Found;

use crate::imap::answer::Answer;
use crate::imap::selected::Selected;
use crate::mail::client::Identity;
use crate::mail::mailbox::{Mailboxes, Numbering};
use crate::wire::imap::command::{Search, Tag};
use crate::wire::imap::response::Writer;

/// Tells which of the messages that the client knows have what it asks for.
pub(in crate::imap) async fn search(
    mailboxes: &Mailboxes,
    out: &mut Writer,
    who: &Identity,
    selected: &mut Selected,
    tag: &Tag,
    search: &Search,
) -> Answer {
    let numbering = numbering(selected);
    match mailboxes.search(who, selected.folder, &search.keys, numbering).await {
        Ok(mut uids) => {
            uids.retain(|&uid| selected.view.sequence_of(uid).is_some());
            let found = Found { uids, uid: search.uid, sorted: false };
            match search.returns {
                Some(returns) => found.tell(out, selected, tag, returns),
                None => out.search(found.numbers(selected)),
            }
            Answer::ok("That is all")
        }
        Err(error) => {
            if search.returns.is_some_and(|returns| returns.save) {
                // RFC 5182 §2.1: a search that fails leaves nothing saved.
                selected.saved = Vec::new();
            }
            error.into()
        }
    }
}

/// What the keys may ask of the session.
pub(in crate::imap::cmd) fn numbering(selected: &Selected) -> Numbering<'_> {
    Numbering {
        uids: selected.view.uids(),
        recent_from: selected.view.recent_from(),
        saved: &selected.saved,
    }
}
