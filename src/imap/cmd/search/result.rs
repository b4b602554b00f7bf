//! What was found: the numbers, what of them RETURN asks for, and what SAVE keeps.

use crate::imap::answer::Answer;
use crate::imap::selected::Selected;
use crate::mail::Error;
use crate::mail::client::Identity;
use crate::mail::mailbox::Mailboxes;
use crate::wire::imap::command::{Returns, Tag};
use crate::wire::imap::response::{Esearch, Numbers, Writer};

/// How the client wants to be told what was found.
#[derive(Clone, Copy)]
pub(in crate::imap::cmd) struct Asked<'a> {
    /// The command's tag.
    pub(in crate::imap::cmd) tag: &'a Tag,
    /// Whether UIDs are told.
    pub(in crate::imap::cmd) uid: bool,
    /// What is told; `None` for the answer without RETURN.
    pub(in crate::imap::cmd) returns: Option<Returns>,
    /// Whether the order of what is found says something.
    pub(in crate::imap::cmd) sorted: bool,
    /// Whether a key asks about MODSEQs (RFC 7162 §3.1.5).
    pub(in crate::imap::cmd) of_mod_seq: bool,
}

impl Asked<'_> {
    /// Tells which of the UIDs found the client knows of, and keeps what SAVE asks for.
    pub(in crate::imap::cmd) async fn answer(
        self,
        mailboxes: &Mailboxes,
        out: &mut Writer,
        who: &Identity,
        selected: &mut Selected,
        found: Result<Vec<u32>, Error>,
    ) -> Answer {
        match self.known(mailboxes, who, selected, found).await {
            Ok((uids, mod_seq)) => {
                self.tell(out, selected, &uids, mod_seq);
                Answer::ok(if self.sorted { "Sorted" } else { "That is all" })
            }
            Err(error) => {
                if self.returns.is_some_and(|returns| returns.save) {
                    // RFC 5182 §2.1: a search that fails leaves nothing saved.
                    selected.saved = Vec::new();
                }
                error.into()
            }
        }
    }

    /// Those that the client knows of, and the highest MODSEQ of those that will be told
    /// (RFC 7162 §3.1.6, §3.1.9, §3.1.10).
    async fn known(
        self,
        mailboxes: &Mailboxes,
        who: &Identity,
        selected: &Selected,
        found: Result<Vec<u32>, Error>,
    ) -> Result<(Vec<u32>, Option<u64>), Error> {
        let mut uids = found?;
        uids.retain(|&uid| selected.view.sequence_of(uid).is_some());
        if !self.of_mod_seq {
            return Ok((uids, None));
        }
        let told = self.returns.map(|returns| kept(&uids, returns));
        let told = told.as_deref().unwrap_or(&uids);
        let highest = mailboxes.highest_of(who, selected.folder, told).await?;
        Ok((uids, highest.map(i64::unsigned_abs)))
    }

    fn tell(self, out: &mut Writer, selected: &mut Selected, uids: &[u32], mod_seq: Option<u64>) {
        let Some(returns) = self.returns else {
            let numbers = uids.iter().filter_map(|&uid| self.number(selected, uid));
            return if self.sorted {
                out.sort(numbers, mod_seq);
            } else {
                out.search(numbers, mod_seq);
            };
        };
        if returns.tells() {
            out.esearch(self.tag, &self.esearch(selected, uids, returns, mod_seq));
        }
        if returns.save {
            selected.saved = kept(uids, returns);
        }
    }

    fn esearch(
        self,
        selected: &Selected,
        uids: &[u32],
        returns: Returns,
        mod_seq: Option<u64>,
    ) -> Esearch {
        let number = |uid: Option<&u32>| self.number(selected, *uid?);
        Esearch {
            uid: self.uid,
            min: number(uids.first()).filter(|_| returns.min),
            max: number(uids.last()).filter(|_| returns.max),
            count: returns.count.then(|| u32::try_from(uids.len()).unwrap_or(u32::MAX)),
            all: returns.all.then(|| self.told(selected, uids)),
            partial: returns.partial.map(|range| {
                let some = uids.get(range.of(uids.len())).unwrap_or_default();
                (range, self.told(selected, some))
            }),
            mod_seq,
        }
    }

    fn told(self, selected: &Selected, uids: &[u32]) -> Numbers {
        let numbers = uids.iter().filter_map(|&uid| self.number(selected, uid));
        if self.sorted {
            Numbers::Sorted(numbers.collect())
        } else {
            Numbers::Set(numbers.collect())
        }
    }

    fn number(self, selected: &Selected, uid: u32) -> Option<u32> {
        if self.uid { Some(uid) } else { selected.view.sequence_of(uid) }
    }
}

/// What SAVE keeps, ascending: all, unless only some of them were asked for
/// (RFC 5182 §2.4, RFC 9394 §3.1).
fn kept(uids: &[u32], returns: Returns) -> Vec<u32> {
    let some = returns.min || returns.max || returns.partial.is_some();
    let mut kept = if returns.all || returns.count || !some {
        uids.to_vec()
    } else {
        let range = returns.partial.map_or(0..0, |range| range.of(uids.len()));
        let mut kept = uids.get(range).unwrap_or_default().to_vec();
        kept.extend(uids.first().filter(|_| returns.min));
        kept.extend(uids.last().filter(|_| returns.max));
        kept
    };
    kept.sort_unstable();
    kept.dedup();
    kept
}
