//! SORT and UID SORT (RFC 5256), with RETURN (RFC 5267).

use super::search::{Asked, numbering};
use crate::imap::answer::Answer;
use crate::imap::channel::{Channel, Gone};
use crate::imap::progress;
use crate::imap::selected::Selected;
use crate::mail::client::Identity;
use crate::mail::mailbox::Mailboxes;
use crate::wire::imap::command::{SearchKey, Sort, Tag};

/// Tells the messages that have what the client asks for, in the order it wants.
pub(in crate::imap) async fn sort(
    mailboxes: &Mailboxes,
    channel: &mut Channel,
    who: &Identity,
    selected: &mut Selected,
    tag: &Tag,
    sort: &Sort,
) -> Result<Answer, Gone> {
    let numbering = numbering(selected);
    let found = mailboxes.sort(who, selected.folder, &sort.keys, numbering, &sort.criteria);
    let found = progress::told(channel, tag, found).await?;
    let asked = Asked {
        tag,
        uid: sort.uid,
        returns: sort.returns,
        sorted: true,
        of_mod_seq: sort.keys.iter().any(SearchKey::is_of_mod_seq),
    };
    Ok(asked.answer(mailboxes, &mut channel.out, who, selected, found).await)
}
