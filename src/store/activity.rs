//! `public.activity_log`: what happened, in words that people understand.

use sqlx::types::Uuid;

use crate::domain::ids::TenantId;
use crate::store::db::Db;
use crate::store::error::Error;

impl Db {
    /// Writes down that a filter cannot be read; once for each filter and
    /// reason, however often it is told.
    pub async fn note_unreadable_filter(
        &self,
        tenant: TenantId,
        filter: Uuid,
        summary: &str,
    ) -> Result<(), Error> {
        // The row's id says what it is about, so that it is there once.
        sqlx::query(
            "INSERT INTO public.activity_log (id, tenant_id, action, object_kind, object_id, summary)
             VALUES (md5('filter.unreadable ' || $2::text || $3)::uuid, $1, 'filter.unreadable', 'email_filters', $2, $3)
             ON CONFLICT DO NOTHING",
        )
        .bind(tenant.0)
        .bind(filter)
        .bind(summary)
        .execute(self.pool())
        .await?;
        Ok(())
    }
}
