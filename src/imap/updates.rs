//! What other sessions and deliveries did to the open mailbox, told when it may be
//! (RFC 3501 §5.2, §5.5, §7.4.1).

use super::enabled::Enabled;
use super::selected::Selected;
use crate::mail::Error;
use crate::mail::client::Identity;
use crate::mail::mailbox::{Entry, Mailboxes};
use crate::wire::imap::command::{self, Command};
use crate::wire::imap::response::{FetchWriter, Writer};

/// What may be told, and how hard to look.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Tell {
    /// Messages that are gone may be announced.
    expunges: bool,
    /// The database is asked even when nobody said that anything changed.
    always: bool,
    /// Flags that others changed are announced.
    flags: bool,
    /// The answer says up to which MODSEQ the client has been told everything.
    pub(super) mod_seq: bool,
}

impl Tell {
    /// Everything, and the database is asked.
    pub(super) const ALL: Self = Self { expunges: true, always: true, flags: true, mod_seq: false };
    /// Everything.
    pub(super) const NEWS: Self =
        Self { expunges: true, always: false, flags: true, mod_seq: false };

    /// The same, and up to which MODSEQ that is (RFC 8508 §4.4, RFC 7162 §3.2.8).
    pub(super) const REPLACED: Self = Self { mod_seq: true, ..Self::NEWS };

    /// Everything but that messages are gone.
    pub(super) const FLAGS: Self =
        Self { expunges: false, always: false, flags: true, mod_seq: false };

    /// After `command`. No message may be taken out while the client counts on sequence numbers:
    /// in FETCH, STORE and SEARCH, but not in their UID forms (RFC 3501 §7.4.1).
    pub(super) fn after(command: &Command) -> Self {
        let by_sequence = match command {
            Command::Fetch(fetch) => !fetch.uid,
            Command::Store(store) => !store.uid,
            Command::StoreLabels(store) => !store.uid,
            Command::Search(search) => !search.uid,
            Command::Sort(sort) => !sort.uid,
            Command::Thread(thread) => !thread.uid,
            _ => false,
        };
        let always = matches!(command, Command::Noop | Command::Check);
        // RFC 7162 §3.2.7, §3.2.8.
        let mod_seq = matches!(command, Command::Expunge | Command::UidExpunge(_));
        Self { expunges: !by_sequence, always, flags: true, mod_seq }
    }

    /// While no command is in progress, for a client that wants to hear of the open mailbox at once
    /// (RFC 5465 §6.1).
    pub(super) fn at_once(delayed: bool) -> Self {
        Self { expunges: !delayed, ..Self::ALL }
    }

    /// The same without what the client did not ask NOTIFY for.
    pub(super) fn wanted(self, wanted: &command::Selected) -> Self {
        Self { flags: self.flags && wanted.events.flags, ..self }
    }
}

/// Writes what is news to the client.
///
/// # Errors
/// Those of the database; then nothing is lost, and the next call tells it.
pub(super) async fn report(
    mailboxes: &Mailboxes,
    who: &Identity,
    selected: &mut Selected,
    enabled: Enabled,
    out: &mut Writer,
    tell: Tell,
) -> Result<(), Error> {
    let mut flags = Vec::new();
    let mut grew = false;
    if !selected.deleted && (selected.in_doubt() || tell.always) {
        check_rights(mailboxes, who, selected).await?;
        selected.looking();
        match mailboxes.delta(who, selected.folder, selected.modseq).await {
            Ok(delta) => (flags, grew) = selected.take_in(delta),
            Err(Error::NotFound(_)) => selected.lose(),
            Err(error) => {
                selected.still_in_doubt();
                return Err(error);
            }
        }
    }
    if tell.expunges {
        write_expunged(out, selected, enabled);
    }
    if grew {
        out.exists(selected.view.len());
        if !enabled.rev2() {
            out.recent(selected.view.recent());
        }
    }
    for entry in flags.iter().filter(|_| tell.flags) {
        write_flags(out, selected, enabled, entry, true);
    }
    Ok(())
}

/// Who has a folder of somebody else open is held to the rights of now, whenever something may have
/// happened (RFC 4314 §5.1).
///
/// # Errors
/// Those of the database.
pub(super) async fn check_rights(
    mailboxes: &Mailboxes,
    who: &Identity,
    selected: &mut Selected,
) -> Result<(), Error> {
    if selected.shared && !selected.deleted && selected.in_doubt() {
        selected.limit(mailboxes.rights_on(who, selected.folder).await?);
    }
    Ok(())
}

/// Tells which messages are gone, by their UIDs where the client has turned that on.
fn write_expunged(out: &mut Writer, selected: &mut Selected, enabled: Enabled) {
    if enabled.vanished() {
        let gone = selected.view.take_vanished();
        if !gone.is_empty() {
            out.vanished(&gone, false);
        }
        return;
    }
    for sequence in selected.view.take_expunged() {
        out.expunge(sequence);
    }
}

/// Begins what is told of one message: FETCH with its sequence number, and its UID where `uid`, or
/// UIDFETCH (RFC 9586 §3.3).
pub(super) fn begin(
    out: &mut Writer,
    enabled: Enabled,
    sequence: u32,
    number: u32,
    uid: bool,
) -> FetchWriter<'_> {
    if enabled.uid_only() {
        return out.uid_fetch(number);
    }
    let mut answer = out.fetch(sequence);
    if uid {
        answer.uid(number);
    }
    answer
}

/// `FETCH (FLAGS ...)` of one message, with its UID where `uid`.
pub(super) fn write_flags(
    out: &mut Writer,
    selected: &Selected,
    enabled: Enabled,
    entry: &Entry,
    uid: bool,
) {
    let Some(sequence) = selected.view.sequence_of(entry.uid) else { return };
    // RFC 7162 §3.2.4.
    let mut answer = begin(out, enabled, sequence, entry.uid, uid || enabled.qresync());
    answer.flags(&entry.flags, !enabled.rev2() && selected.view.is_recent(entry.uid));
    if enabled.condstore() {
        answer.mod_seq(entry.modseq);
    }
    answer.end();
}

/// `FETCH (MODSEQ ...)` of a message whose flags the client set without wanting to be told
/// (RFC 7162 §3.1.3).
pub(super) fn write_mod_seq(
    out: &mut Writer,
    selected: &Selected,
    enabled: Enabled,
    entry: &Entry,
    uid: bool,
) {
    let Some(sequence) = selected.view.sequence_of(entry.uid) else { return };
    let mut answer = begin(out, enabled, sequence, entry.uid, uid || enabled.qresync());
    answer.mod_seq(entry.modseq);
    answer.end();
}

/// The mailbox is left: what was shown as new is not new to the next session.
pub(super) async fn leave(mailboxes: &Mailboxes, who: &Identity, selected: &Selected) {
    let Some(up_to) = selected.to_record() else { return };
    if let Err(error) = mailboxes.record_shown(who, selected.folder, up_to).await {
        // \Recent is told twice then; nothing else depends on it.
        tracing::debug!(%error, "\\Recent was not recorded");
    }
}
