//! MOVE and UID MOVE (RFC 6851).

use super::copy::{transfer, with_copies};
use crate::domain::rights::Rights;
use crate::imap::answer::Answer;
use crate::imap::channel::{Channel, Gone};
use crate::imap::progress;
use crate::imap::selected::Selected;
use crate::mail::client::Identity;
use crate::mail::mailbox::Mailboxes;
use crate::wire::imap::command::{Tag, Transfer};

/// Moves messages, all or none. Where they went is told before they are announced as gone
/// (RFC 6851 §4.3).
pub(in crate::imap) async fn r#move(
    mailboxes: &Mailboxes,
    channel: &mut Channel,
    who: &Identity,
    selected: &Selected,
    tag: &Tag,
    command: &Transfer,
) -> Result<Answer, Gone> {
    if selected.read_only {
        return Ok(Answer::read_only());
    }
    if !selected.rights.contain(Rights::DELETE_MESSAGES.with(Rights::EXPUNGE)) {
        return Ok(Answer::no_rights());
    }
    let Some(mut uids) = selected.uids(&command.set, command.uid) else {
        return Ok(Answer::no_such_number());
    };
    let cut = selected.cut(&mut uids);
    let moved = transfer(mailboxes, who, selected, &uids, command, true);
    Ok(match progress::told(channel, tag, moved).await? {
        Ok(moved) => {
            if !moved.uids.is_empty() {
                with_copies(Answer::ok("Moved"), &moved).write(&mut channel.out, None);
            }
            Answer::ok("Done").with_any(cut)
        }
        Err(refusal) => refusal,
    })
}
