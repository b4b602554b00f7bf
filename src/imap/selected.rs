//! The mailbox that a session has open.

use std::num::NonZeroU32;

use tokio::sync::watch;

use super::answer::Answer;
use super::view::View;
use crate::domain::ids::FolderId;
use crate::domain::rights::Rights;
use crate::mail::changes::Hint;
use crate::mail::mailbox::{Delta, Entry, Opened};
use crate::wire::imap::response::Code;
use crate::wire::imap::set::SequenceSet;

/// A mailbox and what the client knows of it.
pub(super) struct Selected {
    /// The folder.
    pub(super) folder: FolderId,
    /// It was opened with EXAMINE, or nothing in it may be changed.
    pub(super) read_only: bool,
    /// What may be done with it, as it was when it was opened.
    pub(super) rights: Rights,
    /// The folder is somebody else's, who may take rights away.
    pub(super) shared: bool,
    /// The client's sequence numbers.
    pub(super) view: View,
    /// Says that the folder may have changed.
    pub(super) changes: watch::Receiver<Hint>,
    /// The doubts that were looked into.
    doubts: Option<u64>,
    /// Up to which MODSEQ the client has been told, or is about to be.
    pub(super) modseq: i64,
    /// The folder is no more, or nobody's to read.
    pub(super) deleted: bool,
    /// What the last search saved, as UIDs, ascending: `$` (RFC 5182). Messages may be gone since.
    pub(super) saved: Vec<u32>,
    /// UIDs and MODSEQs past `modseq` whose flags the client knows, or set itself.
    known: Vec<(u32, i64)>,
    /// Messages that one command may take; `None` is any number (RFC 9738).
    most: Option<NonZeroU32>,
    /// UIDs from here on were new since the mailbox was opened.
    arrived_from: u32,
}

impl Selected {
    /// A mailbox just opened. `changes` is from after that, so it counts as in doubt.
    pub(super) fn new(
        opened: Opened,
        changes: watch::Receiver<Hint>,
        read_only: bool,
        shared: bool,
    ) -> Self {
        let mut changes = changes;
        changes.mark_changed();
        let view = View::new(opened.uids, opened.recent_from);
        Self {
            folder: opened.folder.id,
            read_only: read_only || !opened.folder.rights.overlap(Rights::ANY_CHANGE),
            rights: opened.folder.rights,
            shared,
            arrived_from: view.top() + 1,
            view,
            changes,
            doubts: None,
            modseq: opened.folder.highestmodseq,
            deleted: false,
            saved: Vec::new(),
            known: Vec::new(),
            most: None,
        }
    }

    /// No command takes more messages than this; 0 is any number.
    pub(super) fn take_at_most(&mut self, most: u32) {
        self.most = NonZeroU32::new(most);
    }

    /// Whether there are more messages than a command may take.
    pub(super) fn is_bounded(&self) -> bool {
        self.most.is_some_and(|most| u64::from(self.view.len()) > u64::from(most.get()))
    }

    /// Leaves the newest of `uids`, ascending, where they are too many for one command; what the
    /// client must then know (RFC 9738 §3.1).
    pub(super) fn cut(&self, uids: &mut Vec<u32>) -> Option<Code<'static>> {
        let most = self.most?;
        let over = uids.len().saturating_sub(usize::try_from(most.get()).unwrap_or(usize::MAX));
        uids.drain(..over);
        let lowest = uids.first().copied().filter(|_| over > 0)?;
        Some(Code::MessageLimit { most: most.get(), lowest: Some(lowest) })
    }

    /// What is told where `uids` are too many for a command that takes all or none.
    pub(super) fn too_many(&self, uids: &[u32]) -> Option<Answer> {
        let most = self.most.filter(|most| uids.len() as u64 > u64::from(most.get()))?;
        let code = Code::MessageLimit { most: most.get(), lowest: None };
        Some(Answer::no(code, "Too many messages for one command"))
    }

    /// These are the rights now. Who may not read a mailbox any more has none open.
    pub(super) fn limit(&mut self, rights: Rights) {
        self.read_only |= !rights.overlap(Rights::ANY_CHANGE);
        self.rights = rights;
        if !rights.contain(Rights::READ) {
            self.rights = Rights::NONE;
            self.lose();
        }
    }

    /// Nobody can name what was in it any more: to the client all of it is gone.
    pub(super) fn lose(&mut self) {
        self.deleted = true;
        self.view.lose_all();
    }

    /// The UIDs that a set names; `None` where it names a sequence number that no message has.
    pub(super) fn uids(&self, set: &SequenceSet, uid: bool) -> Option<Vec<u32>> {
        if set.is_saved() {
            let known = |uid: &u32| self.view.sequence_of(*uid).is_some();
            return Some(self.saved.iter().copied().filter(known).collect());
        }
        if uid { Some(self.view.by_uid(set)) } else { self.view.by_sequence(set) }
    }

    /// The client knows these flags: it is being told, or it set them itself.
    pub(super) fn knows(&mut self, entry: &Entry) {
        if entry.modseq > self.modseq {
            self.known.push((entry.uid, entry.modseq));
        }
    }

    /// The client set these flags. Where nothing else happened since it was told last, there is no
    /// news for it in that.
    pub(super) fn wrote(&mut self, entries: &[Entry]) {
        for entry in entries {
            self.knows(entry);
        }
        // Each change of a folder takes the next number, one after the other.
        if entries.iter().map(|entry| entry.modseq).max() == Some(self.modseq + 1) {
            self.modseq += 1;
            let modseq = self.modseq;
            self.known.retain(|known| known.1 > modseq);
        }
    }

    /// Whether something may have happened that the client was not told.
    pub(super) fn in_doubt(&self) -> bool {
        let hint = *self.changes.borrow();
        self.doubts != Some(hint.doubts) || hint.modseq > self.modseq
    }

    /// The database is about to be asked; what happens from now on is new doubt.
    pub(super) fn looking(&mut self) {
        self.doubts = Some(self.changes.borrow_and_update().doubts);
    }

    /// It could not be asked.
    pub(super) fn still_in_doubt(&mut self) {
        self.doubts = None;
        self.changes.mark_changed();
    }

    /// Takes in what happened to the folder. Returns the messages whose flags are news, and
    /// whether there are new messages.
    pub(super) fn take_in(&mut self, delta: Delta) -> (Vec<Entry>, bool) {
        let mut known = std::mem::take(&mut self.known);
        known.sort_unstable();
        let top = self.view.top();
        self.modseq = delta.highestmodseq;
        self.view.lose(&delta.expunged);
        let grew = self.view.add(delta.entries.iter().map(|entry| entry.uid));
        let is_news = |entry: &Entry| {
            entry.uid <= top && known.binary_search(&(entry.uid, entry.modseq)).is_err()
        };
        (delta.entries.into_iter().filter(is_news).collect(), grew)
    }

    /// One more than the last UID that this session has shown as new and nobody yet recorded; `None`
    /// when there is nothing to record. A session that may not change the mailbox records nothing.
    pub(super) fn to_record(&self) -> Option<u32> {
        let top = self.view.top();
        (!self.read_only && !self.deleted && top >= self.arrived_from)
            .then(|| top.saturating_add(1))
    }
}
