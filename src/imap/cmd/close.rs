//! CLOSE (RFC 3501 §6.4.2) and UNSELECT (RFC 3691).

use crate::domain::rights::Rights;
use crate::imap::answer::Answer;
use crate::imap::dispatch::Done;
use crate::imap::enabled::Enabled;
use crate::imap::selected::Selected;
use crate::imap::session::Then;
use crate::mail::client::Identity;
use crate::mail::mailbox::Mailboxes;
use crate::wire::imap::response::{Code, State, Writer};

/// Removes the messages with `\Deleted`, without a word about each, and closes the mailbox.
pub(in crate::imap) async fn close(
    mailboxes: &Mailboxes,
    who: &Identity,
    selected: &Selected,
    enabled: Enabled,
) -> Done {
    if selected.read_only || selected.deleted || !selected.rights.contain(Rights::EXPUNGE) {
        return unselect();
    }
    let mut done = unselect();
    match mailboxes.expunge(who, selected.folder, None).await {
        // RFC 7162 §3.2.9, and only where nothing else happened: the client is told no more.
        Ok(Some(modseq)) if enabled.qresync() && modseq == selected.modseq + 1 => {
            done.answer = done.answer.with(Code::HighestModSeq(modseq.unsigned_abs()));
            done
        }
        Ok(_) => done,
        Err(error) => Answer::from(error).into(),
    }
}

/// Tells that what comes next is of another mailbox (RFC 7162 §3.2.11, RFC 9051 §7.1).
pub(in crate::imap) fn closed(out: &mut Writer) {
    out.untagged(State::Ok, Some(Code::Closed), "The mailbox that was open is closed");
}

/// Only closes the mailbox.
pub(in crate::imap) fn unselect() -> Done {
    Done { answer: Answer::ok("Closed"), then: Then::Deselect }
}
