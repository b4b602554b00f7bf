//! What mailboxes hold, what they may hold, and what EXPUNGE would free.

use std::collections::HashMap;

use sqlx::types::Uuid;

use crate::domain::ids::{AddressId, FolderId};
use crate::store::error::Error;
use crate::store::tenant::TenantTx;

/// What a mailbox holds, and may hold; `None` is without a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quota {
    /// Octets of all its messages.
    pub size: u64,
    /// The most octets.
    pub max_size: Option<u64>,
    /// Messages.
    pub messages: u64,
    /// The most messages.
    pub max_messages: Option<u64>,
}

/// The messages of a folder with `\Deleted`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Deleted {
    /// How many.
    pub messages: u64,
    /// Their octets.
    pub size: u64,
}

/// What cannot be negative in the table.
fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

impl TenantTx {
    /// What a mailbox holds by the counters of its folders, and its limits as they are now.
    pub async fn quota(&mut self, address: AddressId) -> Result<Quota, Error> {
        let row: (i64, Option<i64>, i64, Option<i64>) = sqlx::query_as(
            "SELECT u.size::bigint, coalesce(a.quota_bytes, t.default_quota_bytes),
                u.messages::bigint, a.quota_messages
             FROM public.email_addresses a JOIN public.tenants t ON t.id = a.tenant_id
             CROSS JOIN LATERAL (SELECT coalesce(sum(f.size_bytes), 0) AS size,
                coalesce(sum(f.message_count), 0) AS messages
                FROM folders f WHERE f.address_id = a.id) u
             WHERE a.id = $1",
        )
        .bind(address.0)
        .fetch_one(self.conn())
        .await?;
        Ok(Quota {
            size: unsigned(row.0),
            max_size: row.1.map(unsigned),
            messages: unsigned(row.2),
            max_messages: row.3.map(unsigned),
        })
    }

    /// What EXPUNGE would free in each of these folders; one that is missing has nothing to free.
    /// One query.
    pub async fn deleted(
        &mut self,
        folders: &[FolderId],
    ) -> Result<HashMap<FolderId, Deleted>, Error> {
        let ids: Vec<Uuid> = folders.iter().map(|folder| folder.0).collect();
        let rows: Vec<(Uuid, i64, i64)> = sqlx::query_as(
            "SELECT e.folder_id, count(*), sum(m.size_bytes)::bigint
             FROM folder_entries e JOIN emails m ON m.id = e.email_id
             WHERE e.folder_id = ANY ($1) AND e.deleted GROUP BY e.folder_id",
        )
        .bind(ids)
        .fetch_all(self.conn())
        .await?;
        let deleted = |(folder, messages, size): (Uuid, i64, i64)| {
            (FolderId(folder), Deleted { messages: unsigned(messages), size: unsigned(size) })
        };
        Ok(rows.into_iter().map(deleted).collect())
    }
}
