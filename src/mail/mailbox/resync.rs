//! What a client that was away has missed (RFC 7162).

use crate::domain::flags::{FlagOp, Flags};
use crate::domain::ids::FolderId;
use crate::mail::Error;
use crate::mail::client::Identity;
use crate::mail::mailbox::{Entry, Mailboxes, Vanished};
use crate::store::flags::Change;

/// What a conditional STORE did.
#[derive(Clone, Debug)]
pub struct Stored {
    /// Messages that are still there and were not changed by somebody else.
    pub entries: Vec<Entry>,
    /// UIDs, ascending, of those that were, and are left as they are.
    pub refused: Vec<u32>,
}

impl Mailboxes {
    /// UIDs of messages that changed since `modseq`, ascending.
    pub async fn changed_since(
        &self,
        who: &Identity,
        folder: FolderId,
        modseq: i64,
    ) -> Result<Vec<u32>, Error> {
        Ok(self.snapshot(who).await?.changed_since(folder, modseq).await?)
    }

    /// What went since `modseq`.
    ///
    /// # Errors
    /// [`Error::NotFound`] when the folder was deleted.
    pub async fn vanished_since(
        &self,
        who: &Identity,
        folder: FolderId,
        modseq: i64,
    ) -> Result<Vanished, Error> {
        Ok(self.snapshot(who).await?.vanished_since(folder, modseq).await?)
    }

    /// The highest MODSEQ of these messages.
    pub async fn highest_of(
        &self,
        who: &Identity,
        folder: FolderId,
        uids: &[u32],
    ) -> Result<Option<i64>, Error> {
        Ok(self.snapshot(who).await?.highest_of(folder, uids).await?)
    }

    /// STORE for those messages that nobody has changed since `unchanged`, each of them decided
    /// for itself, and none changed between the decision and its own change.
    pub async fn store_unchanged(
        &self,
        who: &Identity,
        folder: FolderId,
        uids: &[u32],
        (op, flags): (FlagOp, &Flags),
        unchanged: i64,
    ) -> Result<Stored, Error> {
        let mut tx = self.begin(who).await?;
        let refused = tx.lock_changed(folder, uids, unchanged).await?;
        let free = |uid: &u32| refused.binary_search(uid).is_err();
        let uids: Vec<u32> = uids.iter().copied().filter(free).collect();
        let reader = Some(who.address.as_str().to_owned());
        let change = Change { folder, uids, op, flags: flags.clone(), reader };
        let entries = tx.store_flags(&change).await?;
        tx.commit().await?;
        self.changes.publish([folder]);
        Ok(Stored { entries, refused })
    }
}
