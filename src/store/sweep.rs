//! Removing what nothing needs any more.

use std::collections::HashSet;

use sqlx::types::Uuid;

use crate::domain::ids::TenantId;
use crate::store::db::Db;
use crate::store::error::Error;
use crate::store::tenant::TenantTx;

/// Emails removed in one transaction.
const BATCH: i64 = 500;

impl Db {
    /// Every organisation, whatever its status.
    pub async fn tenant_ids(&self) -> Result<Vec<TenantId>, Error> {
        let ids: Vec<Uuid> = sqlx::query_scalar("SELECT id FROM public.tenants ORDER BY id")
            .fetch_all(self.pool())
            .await?;
        Ok(ids.into_iter().map(TenantId).collect())
    }
}

impl TenantTx {
    /// Removes emails that no folder has held for three days and that nothing
    /// in the queue needs, with their threads; returns how many. Three days,
    /// because a peer's retry of the same message is known by the row.
    ///
    /// Whether another batch is due is told by a full one.
    pub async fn sweep_emails(&mut self) -> Result<u64, Error> {
        let threads: Vec<Uuid> = sqlx::query_scalar(
            "DELETE FROM emails WHERE id IN (
                SELECT e.id FROM emails e
                WHERE e.orphaned_at < now() - interval '72 hours'
                  AND NOT EXISTS (SELECT 1 FROM folder_entries f WHERE f.email_id = e.id)
                  AND NOT EXISTS (SELECT 1 FROM public.outbound_messages o
                        WHERE o.tenant_id = $1 AND o.email_id = e.id AND o.state IN ('queued', 'held', 'sending'))
                LIMIT $2 FOR UPDATE SKIP LOCKED)
             RETURNING thread_id",
        )
        .bind(self.id().0)
        .bind(BATCH)
        .fetch_all(self.conn())
        .await?;
        sqlx::query(
            "WITH gone AS (SELECT id, count(*)::int AS emails FROM unnest($1::uuid[]) AS id GROUP BY id),
                  left_over AS (
                UPDATE threads t SET message_count = t.message_count - g.emails FROM gone g
                WHERE t.id = g.id AND t.message_count > g.emails)
             DELETE FROM threads t USING gone g
             WHERE t.id = g.id AND NOT EXISTS (SELECT 1 FROM emails e WHERE e.thread_id = t.id)",
        )
        .bind(&threads)
        .execute(self.conn())
        .await?;
        Ok(threads.len() as u64)
    }

    /// Those of `keys` that something points to.
    pub async fn objects_in_use(&mut self, keys: &[String]) -> Result<HashSet<String>, Error> {
        let used: Vec<String> = sqlx::query_scalar(
            "SELECT object_key FROM attachments WHERE object_key = ANY($1)
             UNION SELECT object_key FROM files WHERE object_key = ANY($1)",
        )
        .bind(keys)
        .fetch_all(self.conn())
        .await?;
        Ok(used.into_iter().collect())
    }

    /// Whether this transaction has the tenant's sweep to itself; it keeps it
    /// to its end.
    pub async fn lock_sweep(&mut self) -> Result<bool, Error> {
        let key = format!("sweep {}", self.id());
        Ok(sqlx::query_scalar("SELECT pg_try_advisory_xact_lock(hashtextextended($1, 0))")
            .bind(key)
            .fetch_one(self.conn())
            .await?)
    }
}
