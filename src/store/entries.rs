//! Folder entries: messages in folders, their flags and their fate.

use sqlx::Row as _;
use sqlx::postgres::PgRow;

use crate::domain::flags::{Flags, Keyword};
use crate::domain::ids::FolderId;
use crate::store::emails::to_u32;
use crate::store::error::Error;
use crate::store::tenant::TenantTx;

/// The flags of one message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its UID.
    pub uid: u32,
    /// Its MODSEQ.
    pub modseq: i64,
    /// Its flags.
    pub flags: Flags,
}

/// What happened to a folder since a MODSEQ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delta {
    /// HIGHESTMODSEQ now.
    pub highestmodseq: i64,
    /// New and changed entries, by UID.
    pub entries: Vec<Entry>,
    /// UIDs that are gone, by UID.
    pub expunged: Vec<u32>,
}

pub(in crate::store) fn entry(row: &PgRow) -> Result<Entry, Error> {
    let keywords: Vec<String> = row.try_get("keywords")?;
    Ok(Entry {
        uid: to_u32(row.try_get("uid")?)?,
        modseq: row.try_get("modseq")?,
        flags: Flags {
            seen: row.try_get("seen")?,
            answered: row.try_get("answered")?,
            flagged: row.try_get("flagged")?,
            deleted: row.try_get("deleted")?,
            draft: row.try_get("draft")?,
            keywords: keywords.iter().filter_map(|k| Keyword::new(k)).collect(),
        },
    })
}

/// UIDs as Postgres takes them.
pub(in crate::store) fn bigints(uids: &[u32]) -> Vec<i64> {
    uids.iter().map(|uid| i64::from(*uid)).collect()
}

pub(in crate::store) fn from_bigints(uids: Vec<i64>) -> Result<Vec<u32>, Error> {
    uids.into_iter().map(to_u32).collect()
}

impl TenantTx {
    /// All UIDs of a folder, ascending.
    pub async fn uids(&mut self, folder: FolderId) -> Result<Vec<u32>, Error> {
        let uids =
            sqlx::query_scalar("SELECT uid FROM folder_entries WHERE folder_id = $1 ORDER BY uid")
                .bind(folder.0)
                .fetch_all(self.conn())
                .await?;
        from_bigints(uids)
    }

    /// The lowest UID without `\Seen`.
    pub async fn first_unseen(&mut self, folder: FolderId) -> Result<Option<u32>, Error> {
        let uid: Option<i64> = sqlx::query_scalar(
            "SELECT min(uid) FROM folder_entries WHERE folder_id = $1 AND NOT seen",
        )
        .bind(folder.0)
        .fetch_one(self.conn())
        .await?;
        uid.map(to_u32).transpose()
    }

    /// Flags of the messages that are still there, by UID. One query.
    pub async fn entries(&mut self, folder: FolderId, uids: &[u32]) -> Result<Vec<Entry>, Error> {
        let rows = sqlx::query(
            "SELECT uid, modseq, seen, answered, flagged, deleted, draft, keywords
             FROM folder_entries WHERE folder_id = $1 AND uid = ANY ($2) ORDER BY uid",
        )
        .bind(folder.0)
        .bind(bigints(uids))
        .fetch_all(self.conn())
        .await?;
        rows.iter().map(entry).collect()
    }

    /// What happened since `modseq`. Call it in a snapshot.
    pub async fn delta(&mut self, folder: FolderId, modseq: i64) -> Result<Delta, Error> {
        let highestmodseq: i64 =
            sqlx::query_scalar("SELECT highestmodseq FROM folders WHERE id = $1")
                .bind(folder.0)
                .fetch_one(self.conn())
                .await?;
        if highestmodseq == modseq {
            return Ok(Delta { highestmodseq, entries: Vec::new(), expunged: Vec::new() });
        }
        let rows = sqlx::query(
            "SELECT uid, modseq, seen, answered, flagged, deleted, draft, keywords
             FROM folder_entries WHERE folder_id = $1 AND modseq > $2 ORDER BY uid",
        )
        .bind(folder.0)
        .bind(modseq)
        .fetch_all(self.conn())
        .await?;
        let expunged = sqlx::query_scalar(
            "SELECT uid FROM expunged_entries WHERE folder_id = $1 AND modseq > $2 ORDER BY uid",
        )
        .bind(folder.0)
        .bind(modseq)
        .fetch_all(self.conn())
        .await?;
        Ok(Delta {
            highestmodseq,
            entries: rows.iter().map(entry).collect::<Result<_, _>>()?,
            expunged: from_bigints(expunged)?,
        })
    }

    /// Removes the messages with `\Deleted`, all or those of `uids`; returns
    /// the UIDs that went.
    pub async fn expunge(
        &mut self,
        folder: FolderId,
        uids: Option<&[u32]>,
    ) -> Result<Vec<u32>, Error> {
        let gone = sqlx::query_scalar("SELECT * FROM expunge_entries($1, $2, true)")
            .bind(folder.0)
            .bind(uids.map(bigints))
            .fetch_all(self.conn())
            .await?;
        from_bigints(gone)
    }

    /// Takes one message out of a folder for one that comes into `target`; whether it was there.
    pub async fn make_way(
        &mut self,
        folder: FolderId,
        uid: u32,
        target: FolderId,
    ) -> Result<bool, Error> {
        // In one order everywhere, so that nobody waits in a circle.
        sqlx::query("SELECT 1 FROM folders WHERE id = ANY ($1) ORDER BY id FOR UPDATE")
            .bind([folder.0, target.0])
            .execute(self.conn())
            .await?;
        let gone: Vec<i64> = sqlx::query_scalar("SELECT * FROM expunge_entries($1, $2, false)")
            .bind(folder.0)
            .bind(bigints(&[uid]))
            .fetch_all(self.conn())
            .await?;
        Ok(!gone.is_empty())
    }

    /// Copies or moves messages; returns (old UID, new UID) in ascending order.
    pub async fn copy(
        &mut self,
        from: FolderId,
        uids: &[u32],
        to: FolderId,
        r#move: bool,
    ) -> Result<Vec<(u32, u32)>, Error> {
        let pairs: Vec<(i64, i64)> =
            sqlx::query_as("SELECT source_uid, target_uid FROM copy_entries($1, $2, $3, $4)")
                .bind(from.0)
                .bind(bigints(uids))
                .bind(to.0)
                .bind(r#move)
                .fetch_all(self.conn())
                .await?;
        pairs.into_iter().map(|(old, new)| Ok((to_u32(old)?, to_u32(new)?))).collect()
    }
}
