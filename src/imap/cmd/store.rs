//! STORE and UID STORE (RFC 3501 §6.4.6), with UNCHANGEDSINCE (RFC 7162 §3.1.3).

use crate::domain::rights::Rights;
use crate::imap::answer::Answer;
use crate::imap::channel::{Channel, Gone};
use crate::imap::enabled::Enabled;
use crate::imap::resync::mod_seq;
use crate::imap::selected::Selected;
use crate::imap::updates::{self, Tell};
use crate::mail::Error;
use crate::mail::client::Identity;
use crate::mail::mailbox::Mailboxes;
use crate::mail::mailbox::resync::Stored;
use crate::wire::imap::command::Store;
use crate::wire::imap::numbers::NumberSet;
use crate::wire::imap::response::State;

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
    let Some(mut uids) = selected.uids(&store.set, store.uid) else {
        return Ok(Answer::no_such_number());
    };
    if selected.read_only {
        return Ok(Answer::read_only());
    }
    // The answer itself may have to say which messages somebody else changed.
    if let Some(cut) = selected.cut(&mut uids) {
        channel.out.untagged(State::Ok, Some(cut), "Of the newest only");
    }
    // A silent STORE is not told, so what others did to the same messages has to be told before.
    if store.silent {
        let out = &mut channel.out;
        let known = updates::report(mailboxes, who, selected, enabled, out, Tell::FLAGS).await;
        if let Err(error) = known {
            return Ok(error.into());
        }
    }
    let mut refused = Vec::new();
    for chunk in uids.chunks(CHUNK) {
        let stored = match change(mailboxes, who, selected, store, chunk).await {
            Ok(stored) => stored,
            Err(error) => return Ok(error.into()),
        };
        selected.wrote(&stored.entries);
        for entry in &stored.entries {
            if !store.silent {
                updates::write_flags(&mut channel.out, selected, enabled, entry, store.uid);
            } else if enabled.condstore() {
                updates::write_mod_seq(&mut channel.out, selected, enabled, entry, store.uid);
            }
        }
        refused.extend(stored.refused);
        channel.flush_if_full().await?;
    }
    Ok(answer(selected, store, &refused))
}

/// Changes these messages.
async fn change(
    mailboxes: &Mailboxes,
    who: &Identity,
    selected: &Selected,
    store: &Store,
    uids: &[u32],
) -> Result<Stored, Error> {
    let (folder, op, flags) = (selected.folder, store.op, &store.flags);
    let unchanged = store.unchanged_since.map(mod_seq);
    if !selected.rights.contain(Rights::FLAGS) {
        let place = (folder, selected.rights);
        mailboxes.store_within(who, place, uids, (op, flags), unchanged).await
    } else if let Some(since) = unchanged {
        mailboxes.store_unchanged(who, folder, uids, (op, flags), since).await
    } else {
        let entries = mailboxes.store(who, folder, uids, op, flags).await?;
        Ok(Stored { entries, refused: Vec::new() })
    }
}

/// With the messages that somebody else had changed, by the numbers that the client uses. Those
/// changes are news, and told before.
fn answer(selected: &Selected, store: &Store, refused: &[u32]) -> Answer {
    let number = |&uid: &u32| if store.uid { Some(uid) } else { selected.view.sequence_of(uid) };
    let refused: NumberSet = refused.iter().filter_map(number).collect();
    if refused.is_empty() {
        return Answer::ok("Stored");
    }
    Answer::ok("Somebody else changed some of them").with_modified(refused)
}
