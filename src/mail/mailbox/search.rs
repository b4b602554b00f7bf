//! SEARCH (RFC 3501 §6.4.4).

use std::collections::HashMap;

use crate::domain::ids::FolderId;
use crate::mail::Error;
use crate::mail::client::Identity;
use crate::mail::mailbox::{Mailboxes, Numbering};
use crate::wire::imap::command::SearchKey;

impl Mailboxes {
    /// UIDs, ascending, of the messages for which every key holds: one query, whatever the keys.
    pub async fn search(
        &self,
        who: &Identity,
        folder: FolderId,
        keys: &[SearchKey],
        numbering: Numbering<'_>,
    ) -> Result<Vec<u32>, Error> {
        Ok(self.snapshot(who).await?.search(folder, keys, numbering).await?)
    }

    /// The same in several folders that the session has not open; of each in which something is
    /// found. One query.
    pub async fn search_all(
        &self,
        who: &Identity,
        folders: &[FolderId],
        keys: &[SearchKey],
    ) -> Result<HashMap<FolderId, Vec<u32>>, Error> {
        Ok(self.snapshot(who).await?.search_all(folders, keys).await?)
    }
}
