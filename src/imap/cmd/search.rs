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
use crate::wire::imap::response::Code;

/// Tells which of the messages that the client knows have what it asks for.
pub(in crate::imap) async fn search(
    mailboxes: &Mailboxes,
    channel: &mut Channel,
    who: &Identity,
    selected: &mut Selected,
    tag: &Tag,
    search: &Search,
) -> Result<Answer, Gone> {
    let (among, cut) = searched(selected, &search.keys);
    let among = among.as_deref();
    let found = mailboxes.search(who, selected.folder, &search.keys, numbering(selected), among);
    let found = progress::told(channel, tag, found).await?;
    let asked = Asked {
        tag,
        uid: search.uid,
        returns: search.returns,
        sorted: false,
        of_mod_seq: search.keys.iter().any(SearchKey::is_of_mod_seq),
    };
    let answer = asked.answer(mailboxes, &mut channel.out, who, selected, found).await;
    Ok(if answer.is_ok() { answer.with_any(cut) } else { answer })
}

/// The newest of the messages that `keys` are asked of by their numbers, where those are too many for
/// one command, and what to tell of that (RFC 9738 §3.1).
fn searched(selected: &Selected, keys: &[SearchKey]) -> (Option<Vec<u32>>, Option<Code<'static>>) {
    if !selected.is_bounded() {
        return (None, None);
    }
    let mut uids = selected.view.uids().to_vec();
    for key in keys {
        let named = match key {
            SearchKey::Sequence(set) => selected.uids(set, false),
            SearchKey::Uid(set) => selected.uids(set, true),
            _ => None,
        };
        if let Some(named) = named {
            uids.retain(|uid| named.binary_search(uid).is_ok());
        }
    }
    let cut = selected.cut(&mut uids);
    (cut.is_some().then_some(uids), cut)
}

/// What the keys may ask of the session.
pub(in crate::imap::cmd) fn numbering(selected: &Selected) -> Numbering<'_> {
    Numbering {
        uids: selected.view.uids(),
        recent_from: selected.view.recent_from(),
        saved: &selected.saved,
    }
}
