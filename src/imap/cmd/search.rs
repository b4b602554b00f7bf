//! SEARCH and UID SEARCH (RFC 3501 §6.4.4), with RETURN (RFC 4731).

mod result;

pub(in crate::imap::cmd) use result::Found;

use crate::imap::answer::Answer;
use crate::imap::selected::Selected;
use crate::mail::Error;
use crate::mail::client::Identity;
use crate::mail::mailbox::{Mailboxes, Numbering};
use crate::wire::imap::command::{Search, SearchKey, Tag};
use crate::wire::imap::response::Writer;

/// Tells which of the messages that the client knows have what it asks for.
pub(in crate::imap) async fn search(
    mailboxes: &Mailboxes,
    out: &mut Writer,
    who: &Identity,
    selected: &mut Selected,
    tag: &Tag,
    search: &Search,
) -> Answer {
    let numbering = numbering(selected);
    match mailboxes.search(who, selected.folder, &search.keys, numbering).await {
        Ok(mut uids) => {
            uids.retain(|&uid| selected.view.sequence_of(uid).is_some());
            let mut found = Found { uids, uid: search.uid, sorted: false, mod_seq: None };
            if search.keys.iter().any(SearchKey::is_of_mod_seq) {
                match mod_seq(mailboxes, who, selected, search, &found).await {
                    Ok(mod_seq) => found.mod_seq = mod_seq,
                    Err(error) => return error.into(),
                }
            }
            match search.returns {
                Some(returns) => found.tell(out, selected, tag, returns),
                None => out.search(found.numbers(selected), found.mod_seq),
            }
            Answer::ok("That is all")
        }
        Err(error) => {
            if search.returns.is_some_and(|returns| returns.save) {
                // RFC 5182 §2.1: a search that fails leaves nothing saved.
                selected.saved = Vec::new();
            }
            error.into()
        }
    }
}

/// The highest MODSEQ of the messages that will be told (RFC 7162 §3.1.5, §3.1.10).
async fn mod_seq(
    mailboxes: &Mailboxes,
    who: &Identity,
    selected: &Selected,
    search: &Search,
    found: &Found,
) -> Result<Option<u64>, Error> {
    let told = search.returns.map(|returns| found.saved(returns));
    let told = told.as_ref().unwrap_or(&found.uids);
    let highest = mailboxes.highest_of(who, selected.folder, told).await?;
    Ok(highest.map(i64::unsigned_abs))
}

/// What the keys may ask of the session.
pub(in crate::imap::cmd) fn numbering(selected: &Selected) -> Numbering<'_> {
    Numbering {
        uids: selected.view.uids(),
        recent_from: selected.view.recent_from(),
        saved: &selected.saved,
    }
}
