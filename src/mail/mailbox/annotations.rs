//! METADATA (RFC 5464): what clients note about folders and about the server.

use super::{Annotation, Mailboxes, find};
use crate::domain::ids::FolderId;
use crate::mail::client::Identity;
use crate::mail::{Error, Reason};
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
            Some(name) => Some(find(&mut tx, who, name).await?.id),
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
            Some(name) => Some(find(&mut tx, who, name).await?.id),
            None if values.iter().any(|(entry, _)| !entry.is_private()) => {
                return Err(Reason::NoRights.into());
            }
            None => None,
        };
        tx.annotate(folder, who.address_id, who.address_id, values).await?;
        let used = tx.annotation_use(&[who.address_id]).await?;
        if used.entries > MAX_ENTRIES || used.size > MAX_SIZE {
            return Err(Reason::TooManyAnnotations.into());
        }
        Ok(tx.commit().await?)
    }
}
