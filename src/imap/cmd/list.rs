//! LIST (RFC 3501 §6.3.8), extended (RFC 5258), with special uses (RFC 6154), STATUS (RFC 5819) and
//! METADATA (RFC 9590) and MYRIGHTS (RFC 8440).

use super::metadata::write_asked;
use super::status::{counts_deleted, numbers};
use crate::domain::rights::Rights;
use crate::imap::answer::Answer;
use crate::imap::channel::{Channel, Gone};
use crate::imap::names::{Name, Names};
use crate::mail::client::Identity;
use crate::mail::mailbox::annotations::may_note;
use crate::mail::mailbox::{AskedOfAll, Listing, Mailboxes};
use crate::wire::imap::command::{List, ListReturn};
use crate::wire::imap::mailbox::MailboxName;
use crate::wire::imap::pattern::ListPattern;
use crate::wire::imap::response::{ChildInfo, ListAttribute, ListLine, Writer};

/// Tells the names that fit, from one query, and one more for each of METADATA and the sizes of
/// what is deleted.
pub(in crate::imap) async fn list(
    mailboxes: &Mailboxes,
    channel: &mut Channel,
    who: &Identity,
    list: &List,
) -> Result<Answer, Gone> {
    let returns = returns(list);
    let asked =
        AskedOfAll { deleted: counts_deleted(&returns.status), annotations: &returns.metadata };
    let listing = match mailboxes.listing(who, asked).await {
        Ok(listing) => listing,
        Err(error) => return Ok(error.into()),
    };
    if list.patterns.iter().any(ListPattern::asks_for_root) {
        channel.out.list_root();
    }
    for (mailbox, name) in Names::of(&listing.folders).iter() {
        if list.patterns.iter().any(|pattern| pattern.matches(mailbox))
            && line(&mut channel.out, list, &returns, mailbox, name)
        {
            details(&mut channel.out, &returns, &listing, mailbox, name);
            channel.flush_if_full().await?;
        }
    }
    Ok(Answer::ok("That is all"))
}

/// What to tell of each name. A plain LIST tells what every client understands; a selection by
/// something tells that as well (RFC 5258 §3.1).
fn returns(list: &List) -> ListReturn {
    let plain = ListReturn { children: true, special_use: true, ..ListReturn::default() };
    let mut returns = list.returns.clone().unwrap_or(plain);
    returns.subscribed |= list.select.subscribed;
    returns.special_use |= list.select.special_use;
    returns
}

/// One name, if it is selected: itself, or for what is below it. Says whether it was.
fn line(
    out: &mut Writer,
    list: &List,
    returns: &ListReturn,
    mailbox: &MailboxName,
    name: &Name<'_>,
) -> bool {
    let select = list.select;
    let selected = (!select.subscribed || name.subscribed())
        && (!select.special_use || name.special_use.is_some());
    // RECURSIVEMATCH (RFC 5258 §3.1, §3.5).
    let child_info = ChildInfo {
        subscribed: select.recursive_match && select.subscribed && name.below.subscribed,
        special_use: select.recursive_match && select.special_use && name.below.special_use,
    };
    if !selected && !child_info.any() {
        return false;
    }
    let mut attributes = Vec::new();
    if name.folder.is_none() {
        attributes.extend([ListAttribute::NonExistent, ListAttribute::NoSelect]);
    }
    if returns.subscribed && name.subscribed() {
        attributes.push(ListAttribute::Subscribed);
    }
    if returns.children {
        attributes.push(name.children());
    }
    if returns.special_use {
        attributes.extend(name.special_use.map(ListAttribute::SpecialUse));
    }
    out.list(ListLine { name: mailbox, attributes: &attributes, child_info });
    true
}

/// What RETURN asks for beside the line, where there is a mailbox to tell it of.
fn details(
    out: &mut Writer,
    returns: &ListReturn,
    listing: &Listing,
    mailbox: &MailboxName,
    name: &Name<'_>,
) {
    let Some(folder) = name.folder else { return };
    if returns.my_rights {
        out.my_rights(mailbox, folder.rights);
    }
    if !returns.status.is_empty() && folder.rights.contain(Rights::READ) {
        let deleted = listing.deleted.get(&folder.id).copied().unwrap_or_default();
        out.status(mailbox, &numbers(folder, deleted, &returns.status));
    }
    if !returns.metadata.is_empty() && may_note(folder.rights) {
        let found = listing.annotations.get(&Some(folder.id)).map_or(&[][..], Vec::as_slice);
        write_asked(out, Some(mailbox), &returns.metadata, found);
    }
}
