//! STATUS (RFC 3501 §6.3.10).

use crate::imap::answer::Answer;
use crate::mail::client::Identity;
use crate::mail::mailbox::{Folder, Mailboxes};
use crate::wire::imap::command::{Status, StatusItem};
use crate::wire::imap::response::Writer;

/// Tells the numbers of a mailbox without opening it.
pub(in crate::imap) async fn status(
    mailboxes: &Mailboxes,
    out: &mut Writer,
    who: &Identity,
    status: &Status,
) -> Answer {
    match mailboxes.folder(who, status.mailbox.as_str()).await {
        Ok(folder) => {
            out.status(&status.mailbox, &numbers(&folder, &status.items));
            Answer::ok("That is all")
        }
        Err(error) => error.into(),
    }
}

/// The numbers asked for, from the counters of the folder.
pub(super) fn numbers(folder: &Folder, items: &[StatusItem]) -> Vec<(StatusItem, u64)> {
    let number = |item| match item {
        StatusItem::Messages => folder.messages,
        // Hardly any client asks, so nothing is counted for it: UIDs that no session has been
        // shown, whether or not all of their messages are still there.
        StatusItem::Recent => {
            u64::from(folder.uidnext.saturating_sub(folder.recent_from)).min(folder.messages)
        }
        StatusItem::UidNext => folder.uidnext.into(),
        StatusItem::UidValidity => folder.uidvalidity.into(),
        StatusItem::Unseen => folder.unseen,
    };
    items.iter().map(|&item| (item, number(item))).collect()
}
