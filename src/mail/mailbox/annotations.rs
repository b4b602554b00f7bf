//! METADATA (RFC 5464): what clients note about folders and about the server.

use super::sharing::find;
use super::{Annotation, Folder, Mailboxes};
use crate::domain::ids::FolderId;
use crate::domain::rights::Rights;
use crate::mail::client::Identity;
use crate::mail::{Error, Reason};
use crate::store::tenant::TenantTx;
use crate::wire::imap::annotation::EntryName;

/// The largest value, in octets.
pub const MAX_VALUE: usize = 64 << 10;
/// The most annotations that count against a mailbox: its private ones, and the shared ones of its
/// folders.
const MAX_ENTRIES: i64 = 1000;
/// The most octets in the values of these.
const MAX_SIZE: i64 = 1 << 20;

impl Mailboxes {
    /// The annotations in these trees, by name: of the folder of that name, or of the server.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn annotations(
        &self,
        who: &Identity,
        name: Option<&str>,
        trees: &[EntryName],
    ) -> Result<Vec<Annotation>, Error> {
        let mut tx = self.snapshot(who).await?;
        let folder: Option<FolderId> = match name {
            Some(name) => Some(noted(&mut tx, who, name).await?.id),
            None => None,
        };
        let folders = folder.as_ref().map(std::slice::from_ref);
        let mut found = tx.annotations(folders, who.address_id, trees).await?;
        Ok(found.remove(&folder).unwrap_or_default())
    }

    /// Sets annotations of the folder of that name, or of the server; `None` removes one. All or
    /// nothing. What is shared of the server is the organisation's to write.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Reason::NoRights`], [`Reason::TooManyAnnotations`].
    pub async fn annotate(
        &self,
        who: &Identity,
        name: Option<&str>,
        values: &[(EntryName, Option<Vec<u8>>)],
    ) -> Result<(), Error> {
        let mut tx = self.begin(who).await?;
        let folder = match name {
            Some(name) => Some(noted(&mut tx, who, name).await?),
            None if values.iter().any(|(entry, _)| !entry.is_private()) => {
                return Err(Reason::NoRights.into());
            }
            None => None,
        };
        let owner = folder.as_ref().map_or(who.address_id, |folder| folder.owner);
        tx.annotate(folder.map(|folder| folder.id), owner, who.address_id, values).await?;
        let used = tx.annotation_use(&[owner, who.address_id]).await?;
        if used.entries > MAX_ENTRIES || used.size > MAX_SIZE {
            return Err(Reason::TooManyAnnotations.into());
        }
        Ok(tx.commit().await?)
    }
}

/// Whether whoever has these rights may read and write annotations (RFC 5464 §3.3).
pub fn may_note(rights: Rights) -> bool {
    let any = Rights::READ.with(Rights::SEEN).with(Rights::WRITE).with(Rights::INSERT);
    rights.contain(Rights::LOOKUP) && rights.overlap(any.with(Rights::POST))
}

/// The folder of that name, where whoever asks may read and write annotations.
async fn noted(tx: &mut TenantTx, who: &Identity, name: &str) -> Result<Folder, Error> {
    let folder = find(tx, who, name, Rights::LOOKUP).await?;
    if may_note(folder.rights) { Ok(folder) } else { Err(Reason::NoRights.into()) }
}
