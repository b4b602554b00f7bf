//! Messages as FETCH reads them.

use std::sync::Arc;

use sqlx::Row as _;
use sqlx::postgres::PgRow;

use crate::domain::ids::{EmailId, FolderId, ThreadId};
use crate::store::entries::{Entry, bigints, entry};
use crate::store::error::Error;
use crate::store::members::{Ready, ready};
use crate::store::tenant::TenantTx;

/// What of a message besides flags is wanted. What is not wanted is not read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a column, wanted or not")]
pub struct Columns {
    /// ENVELOPE.
    pub envelope: bool,
    /// BODY, the structure without extension data.
    pub body: bool,
    /// BODYSTRUCTURE.
    pub body_structure: bool,
    /// THREADID.
    pub thread: bool,
    /// PREVIEW.
    pub preview: bool,
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
    /// Its thread, where that was asked for.
    pub thread: Option<ThreadId>,
    /// The beginning of its text; with the preview.
    pub preview: Option<String>,
    /// What never changes; of its longer fields those that were asked for.
    pub ready: Arc<Ready>,
    /// Where each part lies; with the source.
    pub parts: Option<serde_json::Value>,
    /// The header block; with the header or the source.
    pub header: Option<Vec<u8>>,
    /// The compressed rest; with the source.
    pub skeleton: Option<Vec<u8>>,
    /// The recipe; with the source.
    pub cuts: Option<serde_json::Value>,
}

/// Octets that one fetch reads, give or take its last message.
const FETCH_BYTES: i64 = 4 << 20;

/// Lengths are known without reading what they are of; `before` is how much the messages before
/// this one take.
const FETCH: &str = "
    SELECT * FROM (
        SELECT r.*, sum(r.octets) OVER (ORDER BY r.uid) - r.octets AS before FROM (
            SELECT e.uid, e.modseq, e.seen, e.answered, e.flagged, e.deleted, e.draft, e.keywords,
                m.id AS email_id, m.thread_id, extract(epoch FROM m.internal_date)::bigint AS internal_date,
                m.size_bytes,
                CASE WHEN $3 THEN m.envelope ELSE '' END AS envelope,
                CASE WHEN $4 THEN m.body ELSE '' END AS body,
                CASE WHEN $5 THEN m.body_structure ELSE '' END AS body_structure,
                CASE WHEN $7 THEN m.parts END AS parts,
                CASE WHEN $9 THEN m.snippet END AS preview,
                s.header,
                CASE WHEN $7 THEN s.skeleton END AS skeleton,
                CASE WHEN $7 THEN s.cuts END AS cuts,
                CASE WHEN $3 THEN octet_length(m.envelope) ELSE 0 END
                    + CASE WHEN $4 THEN octet_length(m.body) ELSE 0 END
                    + CASE WHEN $5 THEN octet_length(m.body_structure) ELSE 0 END
                    + CASE WHEN $9 THEN octet_length(m.snippet) ELSE 0 END
                    + coalesce(octet_length(s.header), 0)
                    + CASE WHEN $7 THEN coalesce(octet_length(s.skeleton), 0) + pg_column_size(m.parts) ELSE 0 END
                    AS octets
            FROM folder_entries e JOIN emails m ON m.id = e.email_id
            LEFT JOIN email_sources s ON s.id = m.id AND ($6 OR $7)
            WHERE e.folder_id = $1 AND e.uid = ANY ($2)) r) x
    WHERE x.before < $8 ORDER BY x.uid";

impl Columns {
    /// Nothing but what never changes is asked for, and flags.
    pub fn is_ready(self) -> bool {
        !(self.thread || self.preview || self.header || self.source)
    }
}

impl Fetched {
    /// A message of which nothing but that is asked for.
    pub fn ready(entry: Entry, email: EmailId, ready: Arc<Ready>) -> Self {
        let (parts, header, skeleton, cuts) = (None, None, None, None);
        let (thread, preview) = (None, None);
        Self { entry, email, thread, preview, ready, parts, header, skeleton, cuts }
    }
}

fn fetched(row: &PgRow) -> Result<Fetched, Error> {
    Ok(Fetched {
        entry: entry(row)?,
        email: EmailId(row.try_get("email_id")?),
        thread: Some(ThreadId(row.try_get("thread_id")?)),
        preview: row.try_get("preview")?,
        ready: Arc::new(ready(row)?),
        parts: row.try_get("parts")?,
        header: row.try_get("header")?,
        skeleton: row.try_get("skeleton")?,
        cuts: row.try_get("cuts")?,
    })
}

impl TenantTx {
    /// The messages that are still there, by UID: one query. It stops after
    /// the message with which 4 MiB are read, so that neither many messages nor
    /// long ones fill the memory; ask again for those behind the last.
    pub async fn fetch(
        &mut self,
        folder: FolderId,
        uids: &[u32],
        columns: Columns,
    ) -> Result<Vec<Fetched>, Error> {
        let rows = sqlx::query(FETCH)
            .bind(folder.0)
            .bind(bigints(uids))
            .bind(columns.envelope)
            .bind(columns.body)
            .bind(columns.body_structure)
            .bind(columns.header)
            .bind(columns.source)
            .bind(FETCH_BYTES)
            .bind(columns.preview)
            .fetch_all(self.conn())
            .await?;
        rows.iter().map(fetched).collect()
    }
}
