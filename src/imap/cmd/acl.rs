//! SETACL, DELETEACL, GETACL, LISTRIGHTS and MYRIGHTS (RFC 4314).

use crate::domain::rights::Rights;
use crate::imap::answer::Answer;
use crate::mail::client::Identity;
use crate::mail::mailbox::Mailboxes;
use crate::wire::imap::command::{AclEntry, RightsChange};
use crate::wire::imap::mailbox::MailboxName;
use crate::wire::imap::response::Writer;

/// Changes somebody's rights; DELETEACL leaves none.
pub(in crate::imap) async fn set_acl(
    mailboxes: &Mailboxes,
    who: &Identity,
    of: &AclEntry,
    change: RightsChange,
) -> Answer {
    match mailboxes.change_acl(who, of.mailbox.as_str(), &of.identifier, change).await {
        Ok(()) => Answer::ok("Changed"),
        Err(error) => error.into(),
    }
}

/// Tells who has which rights.
pub(in crate::imap) async fn get_acl(
    mailboxes: &Mailboxes,
    out: &mut Writer,
    who: &Identity,
    mailbox: &MailboxName,
) -> Answer {
    match mailboxes.acl(who, mailbox.as_str()).await {
        Ok(entries) => {
            out.acl(mailbox, &entries);
            Answer::ok("That is all")
        }
        Err(error) => error.into(),
    }
}

/// Tells which rights somebody can be given.
pub(in crate::imap) async fn list_rights(
    mailboxes: &Mailboxes,
    out: &mut Writer,
    who: &Identity,
    of: &AclEntry,
) -> Answer {
    match mailboxes.list_rights(who, of.mailbox.as_str(), &of.identifier).await {
        Ok((required, optional)) => {
            out.list_rights(&of.mailbox, &of.identifier, required, optional);
            Answer::ok("That is all")
        }
        Err(error) => error.into(),
    }
}

/// Tells one's own rights.
pub(in crate::imap) async fn my_rights(
    mailboxes: &Mailboxes,
    out: &mut Writer,
    who: &Identity,
    mailbox: &MailboxName,
) -> Answer {
    match mailboxes.my_rights(who, mailbox.as_str()).await {
        Ok(rights) => {
            out.my_rights(mailbox, rights);
            Answer::ok("That is all")
        }
        Err(error) => error.into(),
    }
}

/// The change that leaves no rights.
pub(in crate::imap) const NO_RIGHTS: RightsChange = RightsChange::Replace(Rights::NONE);
