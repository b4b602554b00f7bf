//! Messages in folders: reading, flags, copying, removing.

use crate::domain::flags::{FlagOp, Flags};
use crate::domain::ids::FolderId;
use crate::domain::rights::Rights;
use crate::mail::Error;
use crate::mail::client::Identity;
use crate::mail::mailbox::resync::Stored;
use crate::mail::mailbox::sharing::{find, store_within, strip};
use crate::mail::mailbox::{Columns, Delta, Entry, Fetched, Folder, Mailboxes};
use crate::store;
use crate::store::flags::Change;

/// What COPY and MOVE did, for COPYUID (RFC 4315).
#[derive(Clone, Debug)]
pub struct Copied {
    /// The target.
    pub target: Folder,
    /// (old UID, new UID), ascending.
    pub uids: Vec<(u32, u32)>,
}

impl Mailboxes {
    /// Flags of the messages that are still there.
    pub async fn entries(
        &self,
        who: &Identity,
        folder: FolderId,
        uids: &[u32],
    ) -> Result<Vec<Entry>, Error> {
        let mut tx = self.snapshot(who).await?;
        match self.kept.entries(&mut tx, folder, uids).await {
            Ok(Some(entries)) => Ok(entries),
            Ok(None) => Ok(tx.entries(folder, uids).await?),
            // The folder is gone, and all that was in it.
            Err(store::Error::NotFound) => Ok(Vec::new()),
            Err(error) => Err(error.into()),
        }
    }

    /// What FETCH reads of the messages that are still there: one query, or none where all of it is
    /// kept in memory. It may stop early, at about 4 MiB and never before the first message; ask
    /// again for those behind the last.
    pub async fn fetch(
        &self,
        who: &Identity,
        folder: FolderId,
        uids: &[u32],
        columns: Columns,
    ) -> Result<Vec<Fetched>, Error> {
        let mut tx = self.snapshot(who).await?;
        if columns.is_ready() {
            match self.kept.fetch(&mut tx, folder, uids).await {
                Ok(Some(fetched)) => return Ok(fetched),
                Ok(None) => {}
                Err(store::Error::NotFound) => return Ok(Vec::new()),
                Err(error) => return Err(error.into()),
            }
        }
        Ok(tx.fetch(folder, uids, columns).await?)
    }

    /// What happened to a folder since `modseq`.
    ///
    /// # Errors
    /// [`Error::NotFound`] when it was deleted.
    pub async fn delta(
        &self,
        who: &Identity,
        folder: FolderId,
        modseq: i64,
    ) -> Result<Delta, Error> {
        Ok(self.snapshot(who).await?.delta(folder, modseq).await?)
    }

    /// STORE. Returns every message that is still there, changed or not.
    pub async fn store(
        &self,
        who: &Identity,
        folder: FolderId,
        uids: &[u32],
        op: FlagOp,
        flags: &Flags,
    ) -> Result<Vec<Entry>, Error> {
        let reader = Some(who.address.as_str().to_owned());
        let change = Change { folder, uids: uids.to_vec(), op, flags: flags.clone(), reader };
        let (_, entries) = self
            .flagging
            .ask(who.tenant, change)
            .await
            .ok_or_else(|| Error::Temporary("changing flags ended half-way".to_owned()))?;
        let entries = entries?;
        if let Some(modseq) = entries.iter().map(|entry| entry.modseq).max() {
            self.changes.publish_at(folder, modseq);
        }
        Ok(entries)
    }

    /// STORE by somebody whose rights on the folder are these: other flags stay as they are, and so
    /// do messages that somebody else has changed since `unchanged`.
    ///
    /// # Errors
    /// [`Reason::NoRights`](crate::mail::Reason::NoRights) where nothing of it is allowed.
    pub async fn store_within(
        &self,
        who: &Identity,
        (folder, rights): (FolderId, Rights),
        uids: &[u32],
        (op, flags): (FlagOp, &Flags),
        unchanged: Option<i64>,
    ) -> Result<Stored, Error> {
        let mut tx = self.begin(who).await?;
        let refused = match unchanged {
            Some(since) => tx.lock_changed(folder, uids, since).await?,
            None => Vec::new(),
        };
        let free = |uid: &u32| refused.binary_search(uid).is_err();
        let uids = uids.iter().copied().filter(free).collect();
        let reader = Some(who.address.as_str().to_owned());
        let change = Change { folder, uids, op, flags: flags.clone(), reader };
        let entries = store_within(&mut tx, rights, change).await?;
        tx.commit().await?;
        self.changes.publish([folder]);
        Ok(Stored { entries, refused })
    }

    /// EXPUNGE, or UID EXPUNGE where `uids` are given. Returns the HIGHESTMODSEQ after it, or
    /// `None` when nothing went.
    pub async fn expunge(
        &self,
        who: &Identity,
        folder: FolderId,
        uids: Option<&[u32]>,
    ) -> Result<Option<i64>, Error> {
        let mut tx = self.begin(who).await?;
        if tx.expunge(folder, uids).await?.is_empty() {
            return Ok(None);
        }
        let modseq = tx.highest_modseq(folder).await?;
        tx.commit().await?;
        self.changes.publish([folder]);
        Ok(Some(modseq))
    }

    /// COPY, or MOVE where `away`; all or nothing.
    ///
    /// # Errors
    /// [`Error::NotFound`] for the target, [`Error::OverQuota`].
    pub async fn copy(
        &self,
        who: &Identity,
        folder: FolderId,
        uids: &[u32],
        target: &str,
        away: bool,
    ) -> Result<Copied, Error> {
        let mut tx = self.begin(who).await?;
        let target = find(&mut tx, who, target, Rights::INSERT).await?;
        let lesson = self.lessons.note(&mut tx, folder, uids, target.id).await?;
        let uids = tx.copy(folder, uids, target.id, away).await?;
        let copies: Vec<u32> = uids.iter().map(|&(_, copy)| copy).collect();
        strip(&mut tx, &target, copies).await?;
        if away {
            tx.check_moved(folder, target.id).await?;
        }
        tx.commit().await?;
        if lesson {
            self.lessons.noted(who.tenant);
        }
        if !uids.is_empty() {
            self.changes.publish([folder, target.id]);
        }
        Ok(Copied { target, uids })
    }
}
