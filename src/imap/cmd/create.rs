//! CREATE (RFC 3501 §6.3.3), with a special use (RFC 6154 §3) and the id it gets (RFC 8474 §4.2).

use crate::imap::answer::Answer;
use crate::mail::client::Identity;
use crate::mail::mailbox::Mailboxes;
use crate::wire::imap::command::Create;
use crate::wire::imap::response::Code;
use crate::wire::imap::special_use::SpecialUse;

/// Makes a mailbox, and what is missing above it.
pub(in crate::imap) async fn create(
    mailboxes: &Mailboxes,
    who: &Identity,
    create: &Create,
) -> Answer {
    let special_use = create.special_use.map(SpecialUse::word);
    match mailboxes.create(who, create.mailbox.as_str(), special_use).await {
        Ok(id) => Answer::ok("Made").with(Code::MailboxId(id)),
        Err(error) => error.into(),
    }
}
