//! RENAME (RFC 3501 §6.3.5, RFC 9051 §6.3.6).

use crate::imap::answer::Answer;
use crate::imap::enabled::Enabled;
use crate::mail::client::Identity;
use crate::mail::mailbox::Mailboxes;
use crate::wire::imap::command::Rename;
use crate::wire::imap::response::Writer;

/// Renames a mailbox and all below it; of INBOX, moves the messages.
pub(in crate::imap) async fn rename(
    mailboxes: &Mailboxes,
    out: &mut Writer,
    who: &Identity,
    enabled: Enabled,
    names: &Rename,
) -> Answer {
    match mailboxes.rename(who, names.from.as_str(), names.to.as_str()).await {
        Ok(()) => {
            // INBOX is still there.
            if enabled.rev2() && !names.from.is_inbox() {
                out.list_renamed(&names.from, &names.to);
            }
            Answer::ok("Renamed")
        }
        Err(error) => error.into(),
    }
}
