//! GETQUOTA, GETQUOTAROOT and SETQUOTA (RFC 9208; RFC 2087 is what older clients know).
//!
//! All folders of a mailbox share one quota root, whose name is empty. A mailbox without limits has
//! none: a quota without a resource cannot be written.

use crate::imap::answer::Answer;
use crate::mail::client::Identity;
use crate::mail::mailbox::{Mailboxes, Quota};
use crate::wire::imap::mailbox::MailboxName;
use crate::wire::imap::response::{Code, Resource, Writer};
use crate::wire::imap::shared_name::SharedName;

/// The one quota root.
const ROOT: &str = "";
/// Octets in a unit of STORAGE (RFC 9208 §5.1).
const UNIT: u64 = 1024;

/// Tells what may be used of the root.
pub(in crate::imap) async fn get_quota(
    mailboxes: &Mailboxes,
    out: &mut Writer,
    who: &Identity,
    root: &str,
) -> Answer {
    let resources = match mailboxes.quota(who).await {
        Ok(quota) if root == ROOT => resources(quota),
        Ok(_) => Vec::new(),
        Err(error) => return error.into(),
    };
    if resources.is_empty() {
        return Answer::no(Code::NonExistent, "There is no such quota root");
    }
    out.quota(ROOT, &resources);
    Answer::ok("That is all")
}

/// Tells which root a mailbox is under, and what may be used of it. The mailbox may be one that is
/// still to be made (RFC 9208 §4.1.2). What others may hold is not told.
pub(in crate::imap) async fn get_quota_root(
    mailboxes: &Mailboxes,
    out: &mut Writer,
    who: &Identity,
    mailbox: &MailboxName,
) -> Answer {
    let resources = match mailboxes.quota(who).await {
        Ok(_) if SharedName::of(mailbox.as_str()).is_some() => Vec::new(),
        Ok(quota) => resources(quota),
        Err(error) => return error.into(),
    };
    out.quota_root(mailbox, (!resources.is_empty()).then_some(ROOT));
    if !resources.is_empty() {
        out.quota(ROOT, &resources);
    }
    Answer::ok("That is all")
}

/// Quotas are the organisation's to set, not its mailboxes'.
pub(in crate::imap) fn set_quota() -> Answer {
    Answer::no(Code::NoPerm, "Only the organisation sets quotas")
}

/// What has a limit. What is used is rounded up and the limit down, so that a mailbox that looks
/// as if it had room has some.
fn resources(quota: Quota) -> Vec<Resource> {
    let storage = quota.max_size.map(|max| Resource {
        name: "STORAGE",
        used: quota.size.div_ceil(UNIT),
        limit: max / UNIT,
    });
    let messages = quota.max_messages.map(|max| Resource {
        name: "MESSAGE",
        used: quota.messages,
        limit: max,
    });
    storage.into_iter().chain(messages).collect()
}
