//! NOTIFY (RFC 5465 §3).

use crate::domain::ids::FolderId;
use crate::imap::answer::Answer;
use crate::imap::notify::Watch;
use crate::mail::client::Identity;
use crate::mail::mailbox::Mailboxes;
use crate::wire::imap::command::Notify;
use crate::wire::imap::response::{Code, Writer};

/// What can be asked for.
const EVENTS: &[&str] =
    &["MessageNew", "MessageExpunge", "FlagChange", "MailboxName", "SubscriptionChange"];

/// Puts what the client wants to hear of in the place of what it wanted before. What fails leaves
/// that as it was.
pub(in crate::imap) async fn notify(
    mailboxes: &Mailboxes,
    out: &mut Writer,
    who: &Identity,
    open: Option<FolderId>,
    watch: &mut Option<Box<Watch>>,
    wanted: Notify,
) -> Answer {
    if wanted.unknown {
        return Answer::no(Code::BadEvent(EVENTS), "There are no such events here");
    }
    if wanted == Notify::default() {
        *watch = None;
        return Answer::ok("As without NOTIFY");
    }
    match Watch::begin(mailboxes, out, who, open, wanted).await {
        Ok(Some(on)) => {
            *watch = Some(Box::new(on));
            Answer::ok("You will hear")
        }
        Ok(None) => Answer::no(Code::NotificationOverflow, "There are too many mailboxes"),
        Err(error) => error.into(),
    }
}
