//! COPY and UID COPY (RFC 3501 §6.4.7), with COPYUID (RFC 4315 §3).

use crate::imap::answer::Answer;
use crate::imap::channel::{Channel, Gone};
use crate::imap::progress;
use crate::imap::selected::Selected;
use crate::imap::status::of_target;
use crate::mail::client::Identity;
use crate::mail::mailbox::Mailboxes;
use crate::mail::mailbox::messages::Copied;
use crate::wire::imap::command::{Tag, Transfer};
use crate::wire::imap::numbers::NumberSet;

/// Copies messages, all or none.
pub(in crate::imap) async fn copy(
    mailboxes: &Mailboxes,
    channel: &mut Channel,
    who: &Identity,
    selected: &Selected,
    tag: &Tag,
    copy: &Transfer,
) -> Result<Answer, Gone> {
    let Some(uids) = selected.uids(&copy.set, copy.uid) else {
        return Ok(Answer::no_such_number());
    };
    if let Some(refusal) = selected.too_many(&uids) {
        return Ok(refusal);
    }
    let copied = transfer(mailboxes, who, selected, &uids, copy, false);
    Ok(match progress::told(channel, tag, copied).await? {
        Ok(copied) => with_copies(Answer::ok("Copied"), &copied),
        Err(refusal) => refusal,
    })
}

/// Copies these messages or, where `away`, moves them.
pub(super) async fn transfer(
    mailboxes: &Mailboxes,
    who: &Identity,
    selected: &Selected,
    uids: &[u32],
    transfer: &Transfer,
    away: bool,
) -> Result<Copied, Answer> {
    let target = transfer.mailbox.as_str();
    mailboxes.copy(who, selected.folder, uids, target, away).await.map_err(of_target)
}

/// The UIDs of originals ascend, and so do those of their copies: the n-th became the n-th.
pub(super) fn with_copies(answer: Answer, copied: &Copied) -> Answer {
    let from: NumberSet = copied.uids.iter().map(|&(from, _)| from).collect();
    let to: NumberSet = copied.uids.iter().map(|&(_, to)| to).collect();
    answer.with_copies(copied.target.uidvalidity, from, to)
}
