//! What a session believes of its mailbox: which UID has which sequence number.
//!
//! Sequence numbers change only when the client is told, and it may be told of messages that are
//! gone only at certain times (RFC 3501 §5.5, §7.4.1). So messages that are gone stay in the view
//! until [`View::take_expunged`] announces them.

use crate::wire::imap::numbers::NumberSet;
use crate::wire::imap::set::SequenceSet;

/// The sequence numbers of one session. Four bytes a message.
#[derive(Clone, Debug, Default)]
pub(super) struct View {
    /// UIDs that the client has been told of, ascending; the first has sequence number 1.
    uids: Vec<u32>,
    /// Those of them that are gone, ascending.
    gone: Vec<u32>,
    /// The highest UID ever in the view: what is above is new.
    top: u32,
    /// UIDs from here on are `\Recent`.
    recent_from: u32,
}

impl View {
    /// A mailbox as it is opened. `uids` ascend.
    pub(super) fn new(mut uids: Vec<u32>, recent_from: u32) -> Self {
        uids.shrink_to_fit();
        let top = uids.last().copied().unwrap_or(0);
        Self { uids, gone: Vec::new(), top, recent_from }
    }

    /// How many messages the client knows: EXISTS.
    pub(super) fn len(&self) -> u32 {
        number(self.uids.len())
    }

    /// How many of them are recent: RECENT.
    pub(super) fn recent(&self) -> u32 {
        number(self.uids.len() - self.uids.partition_point(|&uid| uid < self.recent_from))
    }

    /// Whether a message is recent.
    pub(super) fn is_recent(&self, uid: u32) -> bool {
        uid >= self.recent_from
    }

    /// UIDs from here on are recent.
    pub(super) fn recent_from(&self) -> u32 {
        self.recent_from
    }

    /// The highest UID that has ever been in the view, 0 for none.
    pub(super) fn top(&self) -> u32 {
        self.top
    }

    /// UIDs in the order of their sequence numbers.
    pub(super) fn uids(&self) -> &[u32] {
        &self.uids
    }

    /// The sequence number of a message, if the client knows it.
    pub(super) fn sequence_of(&self, uid: u32) -> Option<u32> {
        self.uids.binary_search(&uid).ok().map(|index| number(index + 1))
    }

    /// Those of `uids` that no message here has.
    pub(super) fn missing(&self, uids: &NumberSet) -> NumberSet {
        let mut missing = Vec::new();
        for &(from, to) in uids.ranges() {
            let start = self.uids.partition_point(|&uid| uid < from);
            let end = self.uids.partition_point(|&uid| uid <= to);
            let mut next = u64::from(from);
            for &uid in self.uids.get(start..end).unwrap_or_default() {
                missing.push((next, u64::from(uid).saturating_sub(1)));
                next = u64::from(uid) + 1;
            }
            missing.push((next, u64::from(to)));
        }
        let number = |n: u64| u32::try_from(n).unwrap_or(u32::MAX);
        let not_empty = missing.into_iter().filter(|(from, to)| from <= to);
        not_empty.map(|(from, to)| (number(from), number(to))).collect()
    }

    /// The UIDs, ascending, that a set of UIDs names; those the client does not know are left out
    /// (RFC 3501 §6.4.8).
    pub(super) fn by_uid(&self, set: &SequenceSet) -> Vec<u32> {
        let mut found = Vec::new();
        let largest = self.uids.last().copied().unwrap_or(0);
        for &(from, to) in set.resolve(largest).ranges() {
            let start = self.uids.partition_point(|&uid| uid < from);
            let end = self.uids.partition_point(|&uid| uid <= to);
            found.extend_from_slice(self.uids.get(start..end).unwrap_or_default());
        }
        found
    }

    /// The UIDs, ascending, that a set of sequence numbers names; `None` if it names a number that
    /// no message has, which makes the command a bad one (RFC 3501 §9, seq-number).
    pub(super) fn by_sequence(&self, set: &SequenceSet) -> Option<Vec<u32>> {
        if set.exceeds(self.len()) {
            return None;
        }
        let mut found = Vec::new();
        for &(from, to) in set.resolve(self.len()).ranges() {
            let range = (from as usize).saturating_sub(1)..to as usize;
            found.extend_from_slice(self.uids.get(range).unwrap_or_default());
        }
        Some(found)
    }

    /// New messages at the end; `uids` ascend, and those that are no news are left out. Whether
    /// there were any.
    pub(super) fn add(&mut self, uids: impl IntoIterator<Item = u32>) -> bool {
        let known = self.uids.len();
        for uid in uids {
            if uid > self.top {
                self.uids.push(uid);
                self.top = uid;
            }
        }
        self.uids.len() > known
    }

    /// Messages that are gone; `uids` ascend. They keep their sequence numbers for now.
    pub(super) fn lose(&mut self, uids: &[u32]) {
        let known = |uid: &&u32| self.uids.binary_search(uid).is_ok();
        let lost: Vec<u32> = uids.iter().filter(known).copied().collect();
        self.gone.extend(lost);
        self.gone.sort_unstable();
        self.gone.dedup();
    }

    /// All messages are gone: the mailbox is.
    pub(super) fn lose_all(&mut self) {
        self.gone.clone_from(&self.uids);
    }

    /// Takes out what is gone. Returns the sequence numbers as they have to be announced, one
    /// after the other: the highest first, so that none moves another.
    pub(super) fn take_expunged(&mut self) -> Vec<u32> {
        let mut expunged: Vec<u32> =
            self.gone.iter().filter_map(|&uid| self.sequence_of(uid)).collect();
        expunged.reverse();
        self.take_vanished();
        expunged
    }

    /// Takes out what is gone, and returns the UIDs of that.
    pub(super) fn take_vanished(&mut self) -> NumberSet {
        let gone = std::mem::take(&mut self.gone);
        if !gone.is_empty() {
            self.uids.retain(|uid| gone.binary_search(uid).is_err());
            self.uids.shrink_to_fit();
        }
        gone.into_iter().collect()
    }
}

/// There are fewer than 2^32 UIDs, so fewer messages.
fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests;
