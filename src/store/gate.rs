//! What organisations turned on against strangers, and the strangers that were asked to come again.

use sqlx::types::Uuid;

use crate::domain::ids::TenantId;
use crate::store::db::Db;
use crate::store::error::Error;

/// What an organisation turned on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GateRow {
    /// Whose it is.
    pub tenant: TenantId,
    /// How long strangers wait, in seconds; none: they do not.
    pub greylist_seconds: Option<i32>,
    /// Zones of DNS blocklists.
    pub blocklists: Vec<String>,
}

impl Db {
    /// Every organisation that turned anything on.
    pub async fn gates(&self) -> Result<Vec<GateRow>, Error> {
        let rows: Vec<(Uuid, Option<i32>, Vec<String>)> = sqlx::query_as(
            "SELECT tenant_id, CASE WHEN greylisting THEN greylist_seconds END, dns_blocklists
             FROM public.tenant_mail_settings WHERE greylisting OR dns_blocklists <> '{}'",
        )
        .fetch_all(self.pool())
        .await?;
        let row = |(tenant, greylist_seconds, blocklists)| GateRow {
            tenant: TenantId(tenant),
            greylist_seconds,
            blocklists,
        };
        Ok(rows.into_iter().map(row).collect())
    }

    /// Takes note of a stranger, and says whether it may come in: it has waited long enough since
    /// it was first seen, or did once.
    pub async fn greylist(
        &self,
        tenant: TenantId,
        triplet: &[u8],
        seconds: i32,
    ) -> Result<bool, Error> {
        Ok(sqlx::query_scalar(
            "INSERT INTO public.greylist_triplets AS g (tenant_id, triplet) VALUES ($1, $2)
             ON CONFLICT ON CONSTRAINT greylist_triplets_tenant_id_triplet_key DO UPDATE
                 SET last_seen_at = now(),
                     passed = g.passed OR g.first_seen_at <= now() - make_interval(secs => $3)
             RETURNING g.passed",
        )
        .bind(tenant.0)
        .bind(triplet)
        .bind(f64::from(seconds))
        .fetch_one(self.pool())
        .await?)
    }

    /// Forgets strangers that did not come again within a day, friends that were not seen for five
    /// weeks, and of each organisation all beyond the newest `most`.
    pub async fn sweep_greylist(&self, most: i64) -> Result<u64, Error> {
        let done = sqlx::query(
            "DELETE FROM public.greylist_triplets WHERE id IN (
                SELECT r.id FROM (
                    SELECT g.id, g.passed, g.last_seen_at,
                        row_number() OVER (PARTITION BY g.tenant_id ORDER BY g.passed DESC, g.last_seen_at DESC) AS rank
                    FROM public.greylist_triplets g) r
                WHERE r.rank > $1
                    OR r.last_seen_at < now() - CASE WHEN r.passed THEN interval '35 days' ELSE interval '1 day' END)",
        )
        .bind(most)
        .execute(self.pool())
        .await?;
        Ok(done.rows_affected())
    }
}
