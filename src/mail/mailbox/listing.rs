//! LIST and STATUS: folders with what else is asked of them, in a constant number of queries.

use std::collections::HashMap;

use super::sharing::find;
use super::{Annotation, Deleted, Folder, Mailboxes, all_folders};
use crate::domain::ids::FolderId;
use crate::domain::rights::Rights;
use crate::mail::Error;
use crate::mail::client::Identity;
use crate::wire::imap::annotation::EntryName;

/// Every folder, and what was asked for beside them; all as of one moment.
#[derive(Debug)]
pub struct Listing {
    /// The folders, by name.
    pub folders: Vec<Folder>,
    /// What EXPUNGE would free, where that is anything.
    pub deleted: HashMap<FolderId, Deleted>,
    /// The annotations in the trees that were asked for, by name.
    pub annotations: HashMap<Option<FolderId>, Vec<Annotation>>,
}

/// What is asked of every folder; each costs one query.
#[derive(Clone, Copy, Debug, Default)]
pub struct AskedOfAll<'a> {
    /// What EXPUNGE would free.
    pub deleted: bool,
    /// Annotations in these trees.
    pub annotations: &'a [EntryName],
}

impl Mailboxes {
    /// Every folder, by name, and what is asked of it.
    pub async fn listing(&self, who: &Identity, asked: AskedOfAll<'_>) -> Result<Listing, Error> {
        let mut tx = self.snapshot(who).await?;
        let folders = all_folders(&mut tx, who).await?;
        let ids: Vec<_> = folders.iter().map(|folder| folder.id).collect();
        let deleted = if asked.deleted { tx.deleted(&ids).await? } else { HashMap::new() };
        let annotations = if asked.annotations.is_empty() {
            HashMap::new()
        } else {
            tx.annotations(Some(&ids), who.address_id, asked.annotations).await?
        };
        Ok(Listing { folders, deleted, annotations })
    }

    /// The folder of that name with its counters, and what EXPUNGE would free, which is counted
    /// where `deleted`: STATUS.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn status(
        &self,
        who: &Identity,
        name: &str,
        deleted: bool,
    ) -> Result<(Folder, Deleted), Error> {
        let mut tx = self.snapshot(who).await?;
        let folder = find(&mut tx, who, name, Rights::READ).await?;
        let counted = if deleted { tx.deleted(&[folder.id]).await? } else { HashMap::new() };
        let deleted = counted.get(&folder.id).copied().unwrap_or_default();
        Ok((folder, deleted))
    }
}
