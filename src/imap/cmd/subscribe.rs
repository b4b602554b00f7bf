//! SUBSCRIBE and UNSUBSCRIBE (RFC 3501 §6.3.6, §6.3.7).

use crate::imap::answer::Answer;
use crate::mail::client::Identity;
use crate::mail::mailbox::Mailboxes;
use crate::wire::imap::mailbox::MailboxName;

/// Puts a mailbox on the list that LSUB shows, or takes it off.
pub(in crate::imap) async fn subscribe(
    mailboxes: &Mailboxes,
    who: &Identity,
    name: &MailboxName,
    on: bool,
) -> Answer {
    match mailboxes.subscribe(who, name.as_str(), on).await {
        Ok(()) => Answer::ok(if on { "Subscribed" } else { "Unsubscribed" }),
        Err(error) => error.into(),
    }
}
