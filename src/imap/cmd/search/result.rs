//! What was found: the numbers, what of them RETURN asks for, and what SAVE keeps.

use crate::imap::selected::Selected;
use crate::wire::imap::command::{Returns, Tag};
use crate::wire::imap::response::{Esearch, Numbers, Writer};

/// The messages that a search found, all of them known to the client.
pub(in crate::imap::cmd) struct Found {
    /// Their UIDs in the order in which they are told.
    pub(in crate::imap::cmd) uids: Vec<u32>,
    /// Whether UIDs are told.
    pub(in crate::imap::cmd) uid: bool,
    /// Whether their order says something.
    pub(in crate::imap::cmd) sorted: bool,
    /// The highest MODSEQ of what is told, where it was asked about.
    pub(in crate::imap::cmd) mod_seq: Option<u64>,
}

impl Found {
    /// The numbers to tell, in order.
    pub(in crate::imap::cmd) fn numbers(&self, selected: &Selected) -> impl Iterator<Item = u32> {
        self.uids.iter().filter_map(|&uid| self.number(selected, uid))
    }

    /// Tells what RETURN asks for, and keeps it where that says so.
    pub(in crate::imap::cmd) fn tell(
        &self,
        out: &mut Writer,
        selected: &mut Selected,
        tag: &Tag,
        returns: Returns,
    ) {
        if returns.tells() {
            out.esearch(tag, &self.esearch(selected, returns));
        }
        if returns.save {
            selected.saved = self.saved(returns);
        }
    }

    fn esearch(&self, selected: &Selected, returns: Returns) -> Esearch {
        let number = |uid: Option<&u32>| self.number(selected, *uid?);
        Esearch {
            uid: self.uid,
            min: number(self.uids.first()).filter(|_| returns.min),
            max: number(self.uids.last()).filter(|_| returns.max),
            count: returns.count.then(|| u32::try_from(self.uids.len()).unwrap_or(u32::MAX)),
            all: returns.all.then(|| self.told(selected, &self.uids)),
            partial: returns.partial.map(|range| {
                let some = self.uids.get(range.of(self.uids.len())).unwrap_or_default();
                (range, self.told(selected, some))
            }),
            mod_seq: self.mod_seq,
        }
    }

    fn told(&self, selected: &Selected, uids: &[u32]) -> Numbers {
        let numbers = uids.iter().filter_map(|&uid| self.number(selected, uid));
        if self.sorted {
            Numbers::Sorted(numbers.collect())
        } else {
            Numbers::Set(numbers.collect())
        }
    }

    fn number(&self, selected: &Selected, uid: u32) -> Option<u32> {
        if self.uid { Some(uid) } else { selected.view.sequence_of(uid) }
    }

    /// What SAVE keeps: all, unless only some of them were asked for (RFC 5182 §2.4, RFC 9394 §3.1).
    pub(in crate::imap::cmd) fn saved(&self, returns: Returns) -> Vec<u32> {
        let some = returns.min || returns.max || returns.partial.is_some();
        let mut saved = if returns.all || returns.count || !some {
            self.uids.clone()
        } else {
            let range = returns.partial.map_or(0..0, |range| range.of(self.uids.len()));
            let mut saved = self.uids.get(range).unwrap_or_default().to_vec();
            saved.extend(self.uids.first().filter(|_| returns.min));
            saved.extend(self.uids.last().filter(|_| returns.max));
            saved
        };
        saved.sort_unstable();
        saved.dedup();
        saved
    }
}
