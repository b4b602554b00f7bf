//! THREAD and UID THREAD (RFC 5256).

use super::search::numbering;
use crate::imap::answer::Answer;
use crate::imap::channel::{Channel, Gone};
use crate::imap::progress;
use crate::imap::selected::Selected;
use crate::mail::client::Identity;
use crate::mail::mailbox::Mailboxes;
use crate::wire::imap::command::{Tag, Thread};

/// Tells the messages that have what the client asks for, as conversations.
pub(in crate::imap) async fn thread(
    mailboxes: &Mailboxes,
    channel: &mut Channel,
    who: &Identity,
    selected: &Selected,
    tag: &Tag,
    thread: &Thread,
) -> Result<Answer, Gone> {
    let numbering = numbering(selected);
    let found = mailboxes.thread(who, selected.folder, &thread.keys, numbering, thread.algorithm);
    Ok(match progress::told(channel, tag, found).await? {
        Ok(mut forest) => {
            if !thread.uid {
                for node in &mut forest.nodes {
                    node.number = node.number.and_then(|uid| selected.view.sequence_of(uid));
                }
            }
            channel.out.thread(&forest);
            Answer::ok("Threaded")
        }
        Err(error) => error.into(),
    })
}
