//! STORE and UID STORE (RFC 3501 §6.4.6).

use crate::imap::answer::Answer;
use crate::imap::channel::{Channel, Gone};
use crate::imap::enabled::Enabled;
use crate::imap::selected::Selected;
use crate::imap::updates::{self, Tell};
use crate::mail::client::Identity;
use crate::mail::mailbox::Mailboxes;
use crate::wire::imap::command::Store;

/// Messages changed in one transaction.
const CHUNK: usize = 2000;

/// Changes flags, and tells the new ones unless `.SILENT`.
pub(in crate::imap) async fn store(
    mailboxes: &Mailboxes,
    channel: &mut Channel,
    who: &Identity,
    selected: &mut Selected,
    enabled: Enabled,
    store: &Store,
) -> Result<Answer, Gone> {
    let Some(uids) = selected.uids(&store.set, store.uid) else {
        return Ok(Answer::no_such_number());
    };
    if selected.read_only {
        return Ok(Answer::read_only());
    }
    // A silent STORE is not told, so what others did to the same messages has to be told before.
    if store.silent {
        let known =
            updates::report(mailboxes, who, selected, enabled, &mut channel.out, Tell::FLAGS).await;
        if let Err(error) = known {
            return Ok(error.into());
        }
    }
    for chunk in uids.chunks(CHUNK) {
        let stored = mailboxes.store(who, selected.folder, chunk, store.op, &store.flags).await;
        let entries = match stored {
            Ok(entries) => entries,
            Err(error) => return Ok(error.into()),
        };
        for entry in &entries {
            selected.knows(entry);
            if !store.silent {
                updates::write_flags(&mut channel.out, selected, enabled, entry, store.uid);
            }
        }
        channel.flush_if_full().await?;
    }
    Ok(Answer::ok("Stored"))
}
