//! DELETE (RFC 3501 §6.3.4).

use crate::imap::answer::Answer;
use crate::mail::client::Identity;
use crate::mail::mailbox::Mailboxes;
use crate::wire::imap::mailbox::MailboxName;

/// Removes a mailbox with what is in it; those below it stay.
pub(in crate::imap) async fn delete(
    mailboxes: &Mailboxes,
    who: &Identity,
    name: &MailboxName,
) -> Answer {
    match mailboxes.delete(who, name.as_str()).await {
        Ok(()) => Answer::ok("Removed"),
        Err(error) => error.into(),
    }
}
