//! RENAME (RFC 3501 §6.3.5).

use crate::imap::answer::Answer;
use crate::mail::client::Identity;
use crate::mail::mailbox::Mailboxes;
use crate::wire::imap::command::Rename;

/// Renames a mailbox and all below it; of INBOX, moves the messages.
pub(in crate::imap) async fn rename(
    mailboxes: &Mailboxes,
    who: &Identity,
    names: &Rename,
) -> Answer {
    match mailboxes.rename(who, names.from.as_str(), names.to.as_str()).await {
        Ok(()) => Answer::ok("Renamed"),
        Err(error) => error.into(),
    }
}
