//! What a client that comes back has missed: VANISHED (EARLIER) and the flags that changed
//! (RFC 7162 §3.2.5, §3.2.6).

use super::channel::{Channel, Gone};
use super::enabled::Enabled;
use super::selected::Selected;
use super::updates;
use crate::mail::Error;
use crate::mail::client::Identity;
use crate::mail::mailbox::{Mailboxes, Vanished};
use crate::wire::imap::command::Known;
use crate::wire::imap::numbers::NumberSet;
use crate::wire::imap::response::Writer;
use crate::wire::imap::set::SequenceSet;

/// Messages that one query is asked for.
const CHUNK: usize = 2000;

/// A MODSEQ as the database has it.
pub(super) fn mod_seq(on_wire: u64) -> i64 {
    i64::try_from(on_wire).unwrap_or(i64::MAX)
}

/// Tells whoever opens a mailbox what happened to the messages that it knows.
pub(super) async fn tell(
    mailboxes: &Mailboxes,
    channel: &mut Channel,
    who: &Identity,
    selected: &mut Selected,
    enabled: Enabled,
    known: &Known,
) -> Result<Result<(), Error>, Gone> {
    let since = mod_seq(known.mod_seq);
    let vanished = match mailboxes.vanished_since(who, selected.folder, since).await {
        Ok(vanished) => vanished,
        Err(error) => return Ok(Err(error)),
    };
    let uids = resolve(known.uids.as_ref(), vanished.uidnext);
    write_vanished(&mut channel.out, selected, &uids, &vanished);
    let changed = match mailboxes.changed_since(who, selected.folder, since).await {
        Ok(changed) => changed,
        Err(error) => return Ok(Err(error)),
    };
    let changed: Vec<u32> = changed.into_iter().filter(|&uid| uids.contains(uid)).collect();
    for chunk in changed.chunks(CHUNK) {
        let entries = match mailboxes.entries(who, selected.folder, chunk).await {
            Ok(entries) => entries,
            Err(error) => return Ok(Err(error)),
        };
        for entry in &entries {
            selected.knows(entry);
            updates::write_flags(&mut channel.out, selected, enabled, entry, true);
        }
        channel.flush_if_full().await?;
    }
    Ok(Ok(()))
}

/// The UIDs below `uidnext` that a set names; all of them where there is none.
pub(super) fn resolve(set: Option<&SequenceSet>, uidnext: u32) -> NumberSet {
    let last = uidnext.saturating_sub(1);
    match set {
        Some(set) => {
            let named = set.resolve(last);
            named
                .ranges()
                .iter()
                .map(|&(from, to)| (from, to.min(last)))
                .filter(|r| r.0 <= r.1)
                .collect()
        }
        None => [(1, last)].into_iter().filter(|r| r.0 <= r.1).collect(),
    }
}

/// Which of `uids` went: those noted, or where not all were, those that are not there. What the
/// client has a sequence number for is announced as gone in its own time.
pub(super) fn write_vanished(
    out: &mut Writer,
    selected: &Selected,
    uids: &NumberSet,
    vanished: &Vanished,
) {
    let view = &selected.view;
    let gone: NumberSet = match &vanished.uids {
        Some(noted) => noted
            .iter()
            .copied()
            .filter(|&uid| uids.contains(uid) && view.sequence_of(uid).is_none())
            .collect(),
        None => view.missing(uids),
    };
    if !gone.is_empty() {
        out.vanished(&gone, true);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::imap::command::{Command, parse_command};

    #[test]
    fn sets_end_before_the_next_uid() {
        let set = |text: &str| match parse_command(format!("a UID EXPUNGE {text}\r\n").as_bytes()) {
            Ok(tagged) => match tagged.command {
                Command::UidExpunge(set) => set,
                other => panic!("{other:?}"),
            },
            Err(error) => panic!("{error}"),
        };
        assert_eq!(resolve(None, 9).to_string(), "1:8");
        assert!(resolve(None, 1).is_empty());
        assert_eq!(resolve(Some(&set("3:*,20")), 9).to_string(), "3:8");
        assert!(resolve(Some(&set("10:4294967295")), 9).is_empty());
        assert!(resolve(Some(&set("1:*")), 1).is_empty());
    }
}
