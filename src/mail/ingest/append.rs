//! Messages that a mail client puts into a folder itself (RFC 3501 §6.3.11).

use crate::domain::flags::{Flags, Keyword};
use crate::mail::Error;
use crate::mail::client::Identity;
use crate::mail::incoming::Incoming;
use crate::mail::ingest::{Ingest, Origin};
use crate::mail::mailbox::Folder;
use crate::store::emails::{Placed, Target};

impl Ingest {
    /// Stores `content` in a folder of `who` as it stands.
    ///
    /// # Errors
    /// [`Error::NotFound`] when the folder went meanwhile, [`Error::OverQuota`].
    pub async fn append(
        &self,
        who: &Identity,
        folder: &Folder,
        flags: &Flags,
        internal_date: Option<i64>,
        content: Incoming,
    ) -> Result<Placed, Error> {
        let _memory = self.reserve(content.held()).await?;
        let (raw, _) = content.finish().await?;
        let origin = Origin {
            source: "append",
            queue_id: None,
            reverse_path: None,
            dedup_key: None,
            internal_date,
        };
        let target = Target {
            folder_id: Some(folder.id.0),
            seen: flags.seen,
            answered: flags.answered,
            flagged: flags.flagged,
            deleted: flags.deleted,
            draft: flags.draft,
            keywords: flags.keywords.iter().map(Keyword::as_str).map(str::to_owned).collect(),
            ..Target::inbox(who.address_id)
        };
        let stored = self.store(who.tenant, raw, origin, vec![target]).await?;
        stored.placed.into_iter().next().ok_or(Error::NotFound("folder"))
    }
}
