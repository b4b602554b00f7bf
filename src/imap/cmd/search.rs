//! SEARCH and UID SEARCH (RFC 3501 §6.4.4), with RETURN (RFC 4731).

mod result;

pub(in crate::imap::cmd) use result::Asked;

use crate::imap::answer::Answer;
use crate::imap::channel::{Channel, Gone};
use crate::imap::progress;
use crate::imap::selected::Selected;
use crate::mail::client::Identity;
use crate::mail::mailbox::{Mailboxes, Numbering};
use crate::wire::imap::command::{Search, SearchKey, Tag};

/// Tells which of the messages that the client knows have what it asks for.
pub(in crate::imap) async fn search(
    mailboxes: &Mailboxes,
    channel: &mut Channel,
    who: &Identity,
    selected: &mut Selected,
    tag: &Tag,
    search: &Search,
) -> Result<Answer, Gone> {
    let found = mailboxes.search(who, selected.folder, &search.keys, numbering(selected));
    let found = progress::told(channel, tag, found).await?;
    let asked = Asked {
        tag,
        uid: search.uid,
        returns: search.returns,
        sorted: false,
        of_mod_seq: search.keys.iter().any(SearchKey::is_of_mod_seq),
    };
    Ok(asked.answer(mailboxes, &mut channel.out, who, selected, found).await)
}

/// What the keys may ask of the session.
pub(in crate::imap::cmd) fn numbering(selected: &Selected) -> Numbering<'_> {
    Numbering {
        uids: selected.view.uids(),
        recent_from: selected.view.recent_from(),
        saved: &selected.saved,
    }
}
