//! SEARCH (RFC 3501 §6.4.4).

use std::collections::HashMap;

use crate::domain::ids::FolderId;
use crate::mail::Error;
use crate::mail::client::Identity;
use crate::mail::mailbox::{Mailboxes, Numbering};
use crate::store::search::Need;
use crate::wire::imap::command::SearchKey;

impl Mailboxes {
    /// UIDs, ascending, of the messages for which every key holds. Where the filters of all messages
    /// are in memory, only those are looked at that may hold the text; and only those `among` UIDs,
    /// ascending, if given.
    pub async fn search(
        &self,
        who: &Identity,
        folder: FolderId,
        keys: &[SearchKey],
        numbering: Numbering<'_>,
        among: Option<&[u32]>,
    ) -> Result<Vec<u32>, Error> {
        let mut tx = self.snapshot(who).await?;
        let may = match Need::of_all(keys) {
            needs if needs.is_empty() => None,
            needs => self.kept.which_may(&mut tx, folder, &needs).await?,
        };
        let among = match (may, among) {
            (Some(mut may), Some(among)) => {
                may.retain(|uid| among.binary_search(uid).is_ok());
                Some(may)
            }
            (may, among) => may.or_else(|| among.map(<[u32]>::to_vec)),
        };
        if among.as_ref().is_some_and(Vec::is_empty) {
            return Ok(Vec::new());
        }
        Ok(tx.search(folder, keys, numbering, among.as_deref()).await?)
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
