//! What changed in a folder since a MODSEQ (RFC 7162).

use crate::domain::ids::FolderId;
use crate::store::emails::to_u32;
use crate::store::entries::{bigints, from_bigints};
use crate::store::error::Error;
use crate::store::tenant::TenantTx;

/// What went from a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vanished {
    /// The UIDs that went, ascending; `None` when some of them may be forgotten.
    pub uids: Option<Vec<u32>>,
    /// The UID that the next message gets: what is not there below it went, or never came.
    pub uidnext: u32,
}

impl TenantTx {
    /// UIDs of messages with a higher MODSEQ, ascending.
    pub async fn changed_since(
        &mut self,
        folder: FolderId,
        modseq: i64,
    ) -> Result<Vec<u32>, Error> {
        let uids = sqlx::query_scalar(
            "SELECT uid FROM folder_entries WHERE folder_id = $1 AND modseq > $2 ORDER BY uid",
        )
        .bind(folder.0)
        .bind(modseq)
        .fetch_all(self.conn())
        .await?;
        from_bigints(uids)
    }

    /// What went at a higher MODSEQ. Call it in a snapshot.
    pub async fn vanished_since(
        &mut self,
        folder: FolderId,
        modseq: i64,
    ) -> Result<Vanished, Error> {
        let (uidnext, forgotten): (i64, i64) =
            sqlx::query_as("SELECT uidnext, forgotten_modseq FROM folders WHERE id = $1")
                .bind(folder.0)
                .fetch_one(self.conn())
                .await?;
        let uidnext = to_u32(uidnext)?;
        if modseq < forgotten {
            return Ok(Vanished { uids: None, uidnext });
        }
        let uids = sqlx::query_scalar(
            "SELECT uid FROM expunged_entries WHERE folder_id = $1 AND modseq > $2 ORDER BY uid",
        )
        .bind(folder.0)
        .bind(modseq)
        .fetch_all(self.conn())
        .await?;
        Ok(Vanished { uids: Some(from_bigints(uids)?), uidnext })
    }

    /// Those of `uids`, ascending, that have a higher MODSEQ; none gets one before this transaction
    /// ends.
    pub async fn lock_changed(
        &mut self,
        folder: FolderId,
        uids: &[u32],
        modseq: i64,
    ) -> Result<Vec<u32>, Error> {
        sqlx::query("SELECT 1 FROM folders WHERE id = $1 FOR UPDATE")
            .bind(folder.0)
            .fetch_one(self.conn())
            .await?;
        let changed = sqlx::query_scalar(
            "SELECT uid FROM folder_entries
             WHERE folder_id = $1 AND uid = ANY ($2) AND modseq > $3 ORDER BY uid",
        )
        .bind(folder.0)
        .bind(bigints(uids))
        .bind(modseq)
        .fetch_all(self.conn())
        .await?;
        from_bigints(changed)
    }

    /// The HIGHESTMODSEQ of a folder.
    pub async fn highest_modseq(&mut self, folder: FolderId) -> Result<i64, Error> {
        Ok(sqlx::query_scalar("SELECT highestmodseq FROM folders WHERE id = $1")
            .bind(folder.0)
            .fetch_one(self.conn())
            .await?)
    }

    /// The highest MODSEQ of these messages; `None` when none of them is there.
    pub async fn highest_of(
        &mut self,
        folder: FolderId,
        uids: &[u32],
    ) -> Result<Option<i64>, Error> {
        Ok(sqlx::query_scalar(
            "SELECT max(modseq) FROM folder_entries WHERE folder_id = $1 AND uid = ANY ($2)",
        )
        .bind(folder.0)
        .bind(bigints(uids))
        .fetch_one(self.conn())
        .await?)
    }

    /// Forgets UIDs that were expunged more than `days` ago. A client that was away for longer is
    /// told of all that is not there.
    pub async fn sweep_expunged(&mut self, days: i32) -> Result<(), Error> {
        sqlx::query(
            "WITH gone AS (
                DELETE FROM expunged_entries WHERE expunged_at < now() - make_interval(days => $1)
                RETURNING folder_id, modseq)
             UPDATE folders f SET forgotten_modseq = greatest(f.forgotten_modseq, g.modseq)
             FROM (SELECT folder_id, max(modseq) AS modseq FROM gone GROUP BY folder_id) g
             WHERE f.id = g.folder_id",
        )
        .bind(days)
        .execute(self.conn())
        .await?;
        Ok(())
    }
}
