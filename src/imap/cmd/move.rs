//! MOVE and UID MOVE (RFC 6851).

use super::copy::{transfer, with_copies};
use crate::imap::answer::Answer;
use crate::imap::selected::Selected;
use crate::mail::client::Identity;
use crate::mail::mailbox::Mailboxes;
use crate::wire::imap::command::Transfer;
use crate::wire::imap::response::Writer;

/// Moves messages, all or none. Where they went is told before they are announced as gone
/// (RFC 6851 §4.3).
pub(in crate::imap) async fn r#move(
    mailboxes: &Mailboxes,
    out: &mut Writer,
    who: &Identity,
    selected: &Selected,
    command: &Transfer,
) -> Answer {
    if selected.read_only {
        return Answer::read_only();
    }
    match transfer(mailboxes, who, selected, command, true).await {
        Ok(moved) => {
            if !moved.uids.is_empty() {
                with_copies(Answer::ok("Moved"), &moved).write(out, None);
            }
            Answer::ok("Done")
        }
        Err(refusal) => refusal,
    }
}
