//! ESEARCH: one search in several mailboxes (RFC 7377).

use std::collections::HashMap;

use super::search::numbering;
use crate::domain::ids::FolderId;
use crate::domain::rights::Rights;
use crate::imap::answer::Answer;
use crate::imap::channel::{Channel, Gone};
use crate::imap::progress;
use crate::imap::selected::Selected;
use crate::mail::Error;
use crate::mail::client::Identity;
use crate::mail::mailbox::{Folder, Mailboxes};
use crate::wire::imap::command::{MultiSearch, SearchKey, Tag};
use crate::wire::imap::mailbox::MailboxName;
use crate::wire::imap::response::Esearch;

/// What was found in one mailbox.
struct Found {
    name: MailboxName,
    uid_validity: u32,
    uids: Vec<u32>,
    mod_seq: Option<u64>,
}

/// Tells of each mailbox in which something is found. The open one, if there is one, is `selected`.
pub(in crate::imap) async fn esearch(
    mailboxes: &Mailboxes,
    channel: &mut Channel,
    who: &Identity,
    selected: Option<&mut Selected>,
    tag: &Tag,
    search: &MultiSearch,
) -> Result<Answer, Gone> {
    if search.selected && selected.is_none() {
        return Ok(Answer::bad("No mailbox is open"));
    }
    if search.mixes_mailboxes() {
        return Ok(Answer::bad("Numbers and SAVE are for the open mailbox alone"));
    }
    let work = found(mailboxes, who, selected.as_deref(), search);
    let found = match progress::told(channel, tag, work).await? {
        Ok(found) => found,
        Err(error) => return Ok(error.into()),
    };
    if let Some(selected) = selected.filter(|_| search.returns.save) {
        let uids = found.first().map_or(&[][..], |found| &found.uids);
        selected.saved = search.returns.kept(uids);
    }
    for one in found.iter().filter(|_| search.returns.tells()) {
        let told = Esearch::of(search.returns, &one.uids, true, false, one.mod_seq);
        channel.out.esearch_in(tag, &one.name, one.uid_validity, &told);
        channel.flush_if_full().await?;
    }
    Ok(Answer::ok("That is all"))
}

/// The mailboxes in which something is found, by name.
async fn found(
    mailboxes: &Mailboxes,
    who: &Identity,
    selected: Option<&Selected>,
    search: &MultiSearch,
) -> Result<Vec<Found>, Error> {
    let open = selected.filter(|_| search.selected);
    let folders = mailboxes.list(who).await?;
    let is_meant = |folder: &&Folder| {
        open.is_none_or(|open| open.folder != folder.id)
            && folder.rights.contain(Rights::READ)
            && MailboxName::new(&folder.name).is_some_and(|name| {
                search.others.iter().any(|filter| filter.matches(&name, folder.subscribed))
            })
    };
    let others: Vec<FolderId> = folders.iter().filter(is_meant).map(|folder| folder.id).collect();
    let mut uids: HashMap<FolderId, Vec<u32>> = HashMap::new();
    if !others.is_empty() {
        uids = mailboxes.search_all(who, &others, &search.keys).await?;
    }
    if let Some(open) = open {
        let mut here =
            mailboxes.search(who, open.folder, &search.keys, numbering(open), None).await?;
        here.retain(|&uid| open.view.sequence_of(uid).is_some());
        uids.insert(open.folder, here);
    }
    let mut found = Vec::new();
    for folder in &folders {
        let uids = uids.remove(&folder.id).filter(|uids| !uids.is_empty());
        let (Some(uids), Some(name)) = (uids, MailboxName::new(&folder.name)) else { continue };
        let mut mod_seq = None;
        if search.keys.iter().any(SearchKey::is_of_mod_seq) {
            let told = search.returns.kept(&uids);
            let highest = mailboxes.highest_of(who, folder.id, &told).await?;
            mod_seq = highest.map(i64::unsigned_abs);
        }
        found.push(Found { name, uid_validity: folder.uidvalidity, uids, mod_seq });
    }
    Ok(found)
}
