//! EXPUNGE (RFC 3501 §6.4.3) and UID EXPUNGE (RFC 4315 §2.1). What went is told behind the command,
//! as what other sessions removed.

use crate::domain::rights::Rights;
use crate::imap::answer::Answer;
use crate::imap::selected::Selected;
use crate::mail::client::Identity;
use crate::mail::mailbox::Mailboxes;
use crate::wire::imap::set::SequenceSet;

/// Removes the messages with `\Deleted`.
pub(in crate::imap) async fn expunge(
    mailboxes: &Mailboxes,
    who: &Identity,
    selected: &Selected,
) -> Answer {
    remove(mailboxes, who, selected, None).await
}

/// Removes those of them that the set names.
pub(in crate::imap) async fn uid_expunge(
    mailboxes: &Mailboxes,
    who: &Identity,
    selected: &Selected,
    set: &SequenceSet,
) -> Answer {
    let mut uids = selected.uids(set, true).unwrap_or_default();
    let cut = selected.cut(&mut uids);
    let answer = remove(mailboxes, who, selected, Some(&uids)).await;
    if answer.is_ok() { answer.with_any(cut) } else { answer }
}

async fn remove(
    mailboxes: &Mailboxes,
    who: &Identity,
    selected: &Selected,
    uids: Option<&[u32]>,
) -> Answer {
    if selected.read_only {
        return Answer::read_only();
    }
    if !selected.rights.contain(Rights::EXPUNGE) {
        return Answer::no_rights();
    }
    match mailboxes.expunge(who, selected.folder, uids).await {
        Ok(_) => Answer::ok("Expunged"),
        Err(error) => error.into(),
    }
}
