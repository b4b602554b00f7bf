//! STATUS (RFC 3501 §6.3.10), with SIZE (RFC 8438), DELETED and DELETED-STORAGE (RFC 9208 §4.1.4).

use crate::imap::answer::Answer;
use crate::mail::client::Identity;
use crate::mail::mailbox::{Deleted, Folder, Mailboxes};
use crate::wire::imap::command::{Status, StatusItem};
use crate::wire::imap::response::{StatusValue, Writer};

/// Tells the numbers of a mailbox without opening it.
pub(in crate::imap) async fn status(
    mailboxes: &Mailboxes,
    out: &mut Writer,
    who: &Identity,
    status: &Status,
) -> Answer {
    let count = counts_deleted(&status.items);
    match mailboxes.status(who, status.mailbox.as_str(), count).await {
        Ok((folder, deleted)) => {
            out.status(&status.mailbox, &numbers(&folder, deleted, &status.items));
            Answer::ok("That is all")
        }
        Err(error) => error.into(),
    }
}

/// Whether an item asks for what only a count of messages tells.
pub(super) fn counts_deleted(items: &[StatusItem]) -> bool {
    items.iter().any(|item| matches!(item, StatusItem::Deleted | StatusItem::DeletedStorage))
}

/// What was asked for, from the row of the folder; `deleted` was counted where
/// [`counts_deleted`].
pub(in crate::imap) fn numbers(
    folder: &Folder,
    deleted: Deleted,
    items: &[StatusItem],
) -> Vec<(StatusItem, StatusValue)> {
    let number = |item| {
        StatusValue::Number(match item {
            StatusItem::MailboxId => return StatusValue::MailboxId(folder.id),
            StatusItem::Messages => folder.messages,
            // Hardly any client asks, so nothing is counted for it: UIDs that no session has been
            // shown, whether or not all of their messages are still there.
            StatusItem::Recent => {
                u64::from(folder.uidnext.saturating_sub(folder.recent_from)).min(folder.messages)
            }
            StatusItem::UidNext => folder.uidnext.into(),
            StatusItem::UidValidity => folder.uidvalidity.into(),
            StatusItem::Unseen => folder.unseen,
            StatusItem::Size => folder.size,
            StatusItem::Deleted => deleted.messages,
            StatusItem::DeletedStorage => deleted.size,
            StatusItem::HighestModSeq => folder.highestmodseq.unsigned_abs(),
        })
    };
    items.iter().map(|&item| (item, number(item))).collect()
}
