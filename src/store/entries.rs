//! Folder entries: messages in folders, their flags and their fate.

use sqlx::Row as _;
use sqlx::postgres::PgRow;

use crate::domain::flags::{FlagOp, Flags, Keyword};
use crate::domain::ids::{EmailId, FolderId, ThreadId};
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

/// What of a message besides flags is wanted. What is not wanted is not read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Columns {
    /// ENVELOPE.
    pub envelope: bool,
    /// BODY, the structure without extension data.
    pub body: bool,
    /// BODYSTRUCTURE.
    pub body_structure: bool,
    /// The header block.
    pub header: bool,
    /// All that rebuilds the message.
    pub source: bool,
}

/// A message as FETCH reads it.
#[derive(Clone, Debug)]
pub struct Fetched {
    /// UID, MODSEQ, flags.
    pub entry: Entry,
    /// The email.
    pub email: EmailId,
    /// Its thread.
    pub thread: ThreadId,
    /// INTERNALDATE, in seconds since 1970.
    pub internal_date: i64,
    /// RFC822.SIZE.
    pub size: u64,
    /// ENVELOPE, ready.
    pub envelope: Option<Vec<u8>>,
    /// BODY, ready.
    pub body: Option<Vec<u8>>,
    /// BODYSTRUCTURE, ready.
    pub body_structure: Option<Vec<u8>>,
    /// Where each part lies; with the header or the source.
    pub parts: Option<serde_json::Value>,
    /// The header block; with the header or the source.
    pub header: Option<Vec<u8>>,
    /// The compressed rest; with the source.
    pub skeleton: Option<Vec<u8>>,
    /// The recipe; with the source.
    pub cuts: Option<serde_json::Value>,
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

fn entry(row: &PgRow) -> Result<Entry, Error> {
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

fn fetched(row: &PgRow) -> Result<Fetched, Error> {
    Ok(Fetched {
        entry: entry(row)?,
        email: EmailId(row.try_get("email_id")?),
        thread: ThreadId(row.try_get("thread_id")?),
        internal_date: row.try_get("internal_date")?,
        size: u64::try_from(row.try_get::<i64, _>("size_bytes")?).unwrap_or(0),
        envelope: row.try_get("envelope")?,
        body: row.try_get("body")?,
        body_structure: row.try_get("body_structure")?,
        parts: row.try_get("parts")?,
        header: row.try_get("header")?,
        skeleton: row.try_get("skeleton")?,
        cuts: row.try_get("cuts")?,
    })
}

/// UIDs as Postgres takes them.
fn bigints(uids: &[u32]) -> Vec<i64> {
    uids.iter().map(|uid| i64::from(*uid)).collect()
}

fn from_bigints(uids: Vec<i64>) -> Result<Vec<u32>, Error> {
    uids.into_iter().map(to_u32).collect()
}

/// The system flags that are set, by their column names.
fn names(flags: &Flags) -> Vec<&'static str> {
    [
        (flags.seen, "seen"),
        (flags.answered, "answered"),
        (flags.flagged, "flagged"),
        (flags.deleted, "deleted"),
        (flags.draft, "draft"),
    ]
    .into_iter()
    .filter_map(|(set, name)| set.then_some(name))
    .collect()
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

    /// The messages that are still there, by UID. One query; the caller bounds
    /// how many are asked for at once.
    pub async fn fetch(
        &mut self,
        folder: FolderId,
        uids: &[u32],
        columns: Columns,
    ) -> Result<Vec<Fetched>, Error> {
        let rows = sqlx::query(
            "SELECT e.uid, e.modseq, e.seen, e.answered, e.flagged, e.deleted, e.draft, e.keywords,
                m.id AS email_id, m.thread_id, extract(epoch FROM m.internal_date)::bigint AS internal_date,
                m.size_bytes,
                CASE WHEN $3 THEN m.envelope END AS envelope,
                CASE WHEN $4 THEN m.body END AS body,
                CASE WHEN $5 THEN m.body_structure END AS body_structure,
                CASE WHEN $6 OR $7 THEN m.parts END AS parts,
                s.header,
                CASE WHEN $7 THEN s.skeleton END AS skeleton,
                CASE WHEN $7 THEN s.cuts END AS cuts
             FROM folder_entries e JOIN emails m ON m.id = e.email_id
             LEFT JOIN email_sources s ON s.id = m.id AND ($6 OR $7)
             WHERE e.folder_id = $1 AND e.uid = ANY ($2) ORDER BY e.uid",
        )
        .bind(folder.0)
        .bind(bigints(uids))
        .bind(columns.envelope)
        .bind(columns.body)
        .bind(columns.body_structure)
        .bind(columns.header)
        .bind(columns.source)
        .fetch_all(self.conn())
        .await?;
        rows.iter().map(fetched).collect()
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

    /// Changes flags; returns every entry that is still there. `reader` is
    /// who has read what becomes `\Seen`.
    pub async fn store_flags(
        &mut self,
        folder: FolderId,
        uids: &[u32],
        op: FlagOp,
        flags: &Flags,
        reader: &str,
    ) -> Result<Vec<Entry>, Error> {
        let op = match op {
            FlagOp::Replace => "replace",
            FlagOp::Add => "add",
            FlagOp::Remove => "remove",
        };
        let keywords: Vec<&str> = flags.keywords.iter().map(Keyword::as_str).collect();
        let rows = sqlx::query("SELECT * FROM store_flags($1, $2, $3, $4, $5, $6)")
            .bind(folder.0)
            .bind(bigints(uids))
            .bind(op)
            .bind(names(flags))
            .bind(keywords)
            .bind(reader)
            .fetch_all(self.conn())
            .await?;
        rows.iter().map(entry).collect()
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
