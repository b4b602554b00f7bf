//! What was found: the numbers, what of them RETURN asks for, and what SAVE keeps.

use crate::imap::answer::Answer;
use crate::imap::selected::Selected;
use crate::mail::Error;
use crate::mail::client::Identity;
use crate::mail::mailbox::Mailboxes;
use crate::wire::imap::command::{Returns, Tag};
use crate::wire::imap::response::{Esearch, Writer};

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
        let told = self.returns.map(|returns| returns.kept(&uids));
        let told = told.as_deref().unwrap_or(&uids);
        let highest = mailboxes.highest_of(who, selected.folder, told).await?;
        Ok((uids, highest.map(i64::unsigned_abs)))
    }

    fn tell(self, out: &mut Writer, selected: &mut Selected, uids: &[u32], mod_seq: Option<u64>) {
        let number = |&uid| if self.uid { Some(uid) } else { selected.view.sequence_of(uid) };
        let numbers: Vec<u32> = uids.iter().filter_map(number).collect();
        let Some(returns) = self.returns else {
            return if self.sorted {
                out.sort(numbers, mod_seq);
            } else {
                out.search(numbers, mod_seq);
            };
        };
        if returns.tells() {
            out.esearch(self.tag, &Esearch::of(returns, &numbers, self.uid, self.sorted, mod_seq));
        }
        if returns.save {
            selected.saved = returns.kept(uids);
        }
    }
}
