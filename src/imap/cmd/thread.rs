//! THREAD and UID THREAD (RFC 5256).

use super::search::numbering;
use crate::imap::answer::Answer;
use crate::imap::selected::Selected;
use crate::mail::client::Identity;
use crate::mail::mailbox::Mailboxes;
use crate::wire::imap::command::Thread;
use crate::wire::imap::response::Writer;

/// Tells the messages that have what the client asks for, as conversations.
pub(in crate::imap) async fn thread(
    mailboxes: &Mailboxes,
    out: &mut Writer,
    who: &Identity,
    selected: &Selected,
    thread: &Thread,
) -> Answer {
    let numbering = numbering(selected);
    let found =
        mailboxes.thread(who, selected.folder, &thread.keys, numbering, thread.algorithm).await;
    match found {
        Ok(mut forest) => {
            if !thread.uid {
                for node in &mut forest.nodes {
                    node.number = node.number.and_then(|uid| selected.view.sequence_of(uid));
                }
            }
            out.thread(&forest);
            Answer::ok("Threaded")
        }
        Err(error) => error.into(),
    }
}
