//! Recipients that are no longer written to.

use crate::domain::ids::OutboundId;
use crate::store::db::Db;
use crate::store::error::Error;

impl Db {
    /// Counts the failed attempts of a row that has expired against its recipient, who is suppressed
    /// after five over three days without a success. Says whether that is now.
    pub async fn note_expired(&self, row: OutboundId) -> Result<bool, Error> {
        Ok(sqlx::query_scalar("SELECT public.note_expired($1)")
            .bind(row.0)
            .fetch_one(self.pool())
            .await?)
    }
}
