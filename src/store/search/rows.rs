//! What SORT and THREAD look at of the messages found, one row after the other.

use std::fmt::Write as _;

use futures_util::TryStreamExt as _;
use sqlx::Row as _;
use sqlx::postgres::PgRow;
use sqlx::types::time::OffsetDateTime;

use super::{Numbering, select};
use crate::domain::ids::FolderId;
use crate::store::emails::to_u32;
use crate::store::error::Error;
use crate::store::tenant::TenantTx;
use crate::wire::imap::command::SearchKey;

/// Which parts of a [`Row`] are read; the others are empty.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Wanted {
    /// `subject`
    pub subject: bool,
    /// `from`, `to` and `cc`
    pub people: bool,
    /// `message_id`, `in_reply_to` and `references`
    pub identifiers: bool,
}

/// A message found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Row {
    /// Its UID.
    pub uid: u32,
    /// When it came.
    pub arrival: OffsetDateTime,
    /// Its Date, in seconds since 1970; when it came where there is none (RFC 5256 §2.2).
    pub sent: i64,
    /// Octets.
    pub size: i64,
    /// Decoded subject, at most 1,000 characters.
    pub subject: String,
    /// The first From mailbox: display name and address.
    pub from: (Option<String>, String),
    /// The first To mailbox.
    pub to: (Option<String>, String),
    /// The first Cc mailbox.
    pub cc: (Option<String>, String),
    /// Message-ID without `<>`.
    pub message_id: Option<String>,
    /// In-Reply-To without `<>`.
    pub in_reply_to: Vec<String>,
    /// References without `<>`, and behind them those of In-Reply-To.
    pub references: Vec<String>,
}

impl TenantTx {
    /// As [`TenantTx::search`], but hands each message found to `each`: one query, and no row is
    /// kept here.
    pub async fn search_rows(
        &mut self,
        folder: FolderId,
        keys: &[SearchKey],
        numbering: Numbering<'_>,
        wanted: Wanted,
        mut each: impl FnMut(Row) + Send,
    ) -> Result<(), Error> {
        let mut query = select(&columns(wanted), &[folder], keys, numbering, None);
        let mut rows = query.build().persistent(false).fetch(self.conn());
        while let Some(found) = rows.try_next().await? {
            each(row(&found)?);
        }
        Ok(())
    }
}

fn columns(wanted: Wanted) -> String {
    let mut columns = "e.uid, m.internal_date AS arrival, m.size_bytes AS size,
        extract(epoch FROM coalesce(m.sent_at, m.internal_date))::bigint AS sent"
        .to_owned();
    if wanted.subject {
        columns.push_str(", left(m.subject, 1000) AS subject");
    }
    if wanted.people {
        for field in ["from", "to", "cc"] {
            let _ = write!(
                columns,
                ", m.recipients -> '{field}' -> 0 ->> 'name' AS {field}_name, \
                 coalesce(m.recipients -> '{field}' -> 0 ->> 'address', '') AS {field}_address"
            );
        }
    }
    if wanted.identifiers {
        columns.push_str(", m.message_id, m.in_reply_to, m.reference_ids");
    }
    columns
}

fn row(found: &PgRow) -> Result<Row, Error> {
    let has = |column: &str| found.try_get_raw(column).is_ok();
    let person = |name: &str, address: &str| -> Result<_, Error> {
        if !has(name) {
            return Ok((None, String::new()));
        }
        Ok((found.try_get(name)?, found.try_get(address)?))
    };
    let with_ids = has("message_id");
    Ok(Row {
        uid: to_u32(found.try_get("uid")?)?,
        arrival: found.try_get("arrival")?,
        sent: found.try_get("sent")?,
        size: found.try_get("size")?,
        subject: if has("subject") { found.try_get("subject")? } else { String::new() },
        from: person("from_name", "from_address")?,
        to: person("to_name", "to_address")?,
        cc: person("cc_name", "cc_address")?,
        message_id: if with_ids { found.try_get("message_id")? } else { None },
        in_reply_to: if with_ids { found.try_get("in_reply_to")? } else { Vec::new() },
        references: if with_ids { found.try_get("reference_ids")? } else { Vec::new() },
    })
}
