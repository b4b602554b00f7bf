//! Which emails are in a folder, and what of them never changes.

use sqlx::Row as _;
use sqlx::postgres::PgRow;
use sqlx::types::Uuid;

use crate::domain::ids::{EmailId, FolderId};
use crate::store::entries::{Entry, entry, from_bigints};
use crate::store::error::Error;
use crate::store::tenant::TenantTx;

/// How far a folder has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reached {
    /// HIGHESTMODSEQ.
    pub highestmodseq: i64,
    /// Messages in it.
    pub messages: u32,
}

/// What became of a folder's messages since a MODSEQ.
#[derive(Clone, Debug)]
pub struct News {
    /// New and changed ones, by UID.
    pub members: Vec<(Entry, EmailId)>,
    /// UIDs that are gone, by UID.
    pub expunged: Vec<u32>,
}

/// What FETCH tells of an email that never changes, ready for the wire.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ready {
    /// INTERNALDATE, in seconds since 1970.
    pub internal_date: i64,
    /// RFC822.SIZE.
    pub size: u64,
    /// ENVELOPE.
    pub envelope: Box<[u8]>,
    /// BODY, the structure without extension data.
    pub body: Box<[u8]>,
    /// BODYSTRUCTURE.
    pub body_structure: Box<[u8]>,
}

impl TenantTx {
    /// How far a folder has come.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn reached(&mut self, folder: FolderId) -> Result<Reached, Error> {
        let (highestmodseq, messages): (i64, i64) = sqlx::query_as(
            "SELECT highestmodseq, message_count::bigint FROM folders WHERE id = $1",
        )
        .bind(folder.0)
        .fetch_one(self.conn())
        .await?;
        Ok(Reached { highestmodseq, messages: u32::try_from(messages).unwrap_or(u32::MAX) })
    }

    /// What happened since `modseq`; all messages since 0. Call it in a snapshot.
    pub async fn news(&mut self, folder: FolderId, modseq: i64) -> Result<News, Error> {
        let rows = sqlx::query(
            "SELECT uid, modseq, seen, answered, flagged, deleted, draft, keywords, email_id
             FROM folder_entries WHERE folder_id = $1 AND modseq > $2 ORDER BY uid",
        )
        .bind(folder.0)
        .bind(modseq)
        .fetch_all(self.conn())
        .await?;
        let members = rows.iter().map(member).collect::<Result<_, _>>()?;
        if modseq == 0 {
            return Ok(News { members, expunged: Vec::new() });
        }
        let expunged = sqlx::query_scalar(
            "SELECT uid FROM expunged_entries WHERE folder_id = $1 AND modseq > $2 ORDER BY uid",
        )
        .bind(folder.0)
        .bind(modseq)
        .fetch_all(self.conn())
        .await?;
        Ok(News { members, expunged: from_bigints(expunged)? })
    }

    /// What is ready of these emails, in any order; of those that are gone, nothing.
    pub async fn ready(&mut self, emails: &[EmailId]) -> Result<Vec<(EmailId, Ready)>, Error> {
        let ids: Vec<Uuid> = emails.iter().map(|email| email.0).collect();
        let rows = sqlx::query(
            "SELECT id, extract(epoch FROM internal_date)::bigint AS internal_date, size_bytes,
                envelope, body, body_structure FROM emails WHERE id = ANY ($1)",
        )
        .bind(ids)
        .fetch_all(self.conn())
        .await?;
        rows.iter().map(|row| Ok((EmailId(row.try_get("id")?), ready(row)?))).collect()
    }
}

fn member(row: &PgRow) -> Result<(Entry, EmailId), Error> {
    Ok((entry(row)?, EmailId(row.try_get("email_id")?)))
}

/// From the columns of that name.
pub(in crate::store) fn ready(row: &PgRow) -> Result<Ready, Error> {
    Ok(Ready {
        internal_date: row.try_get("internal_date")?,
        size: u64::try_from(row.try_get::<i64, _>("size_bytes")?).unwrap_or(0),
        envelope: row.try_get::<&[u8], _>("envelope")?.into(),
        body: row.try_get::<&[u8], _>("body")?.into(),
        body_structure: row.try_get::<&[u8], _>("body_structure")?.into(),
    })
}
