//! One key after the other: pending, active, retiring, retired.

use std::time::Duration;

use sqlx::types::Uuid;

use crate::domain::ids::{DomainId, TenantId};
use crate::store::db::Db;
use crate::store::domain_keys::{PublicKeyRow, Standing};
use crate::store::error::Error;
use crate::store::outbound::interval;
use crate::store::tenant::Tenant;

/// A key whose record is to be looked for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PendingKey {
    /// Its id, by which they are ordered.
    pub id: Uuid,
    /// Whose it is.
    pub tenant: TenantId,
    /// Of which domain.
    pub domain_id: DomainId,
    /// That domain's name.
    pub domain: String,
    /// What is published.
    pub key: PublicKeyRow,
}

/// Keys that are looked at together.
const BATCH: i64 = 200;

impl Db {
    /// Some pending keys of all domains, those behind `after`.
    pub async fn pending_keys(&self, after: Option<Uuid>) -> Result<Vec<PendingKey>, Error> {
        type Row = (Uuid, Uuid, Uuid, String, String, String, Vec<u8>);
        let rows: Vec<Row> = sqlx::query_as(
            "SELECT k.id, k.tenant_id, k.domain_id, d.domain, k.selector, k.algorithm, k.public_key
             FROM public.domain_keys k JOIN public.tenant_domains d ON d.id = k.domain_id
             WHERE k.state = 'pending' AND ($1::uuid IS NULL OR k.id > $1) ORDER BY k.id LIMIT $2",
        )
        .bind(after)
        .bind(BATCH)
        .fetch_all(self.pool())
        .await?;
        let key = |(id, tenant, domain_id, domain, selector, algorithm, public_key)| PendingKey {
            id,
            tenant: TenantId(tenant),
            domain_id: DomainId(domain_id),
            domain,
            key: PublicKeyRow { selector, algorithm, public_key, standing: Standing::Pending },
        };
        Ok(rows.into_iter().map(key).collect())
    }

    /// Retires the keys whose records need not stay any longer, and says how many.
    pub async fn retire_keys(&self) -> Result<u64, Error> {
        let retired = sqlx::query(
            "UPDATE public.domain_keys SET retired_at = now()
             WHERE state = 'retiring' AND keep_until <= now()",
        )
        .execute(self.pool())
        .await?;
        Ok(retired.rows_affected())
    }
}

impl Tenant {
    /// Asks whichever server runs for new keys of a domain; those it has pending stay.
    ///
    /// # Errors
    /// [`Error::NotFound`] when it is not this organisation's.
    pub async fn request_keys(&self, domain: DomainId) -> Result<(), Error> {
        let update = "UPDATE public.tenant_domains SET rotate_keys = true WHERE id = $1";
        self.change_domain(sqlx::query(update).bind(domain.0)).await
    }

    /// Whether keys that were asked for are still to be made.
    pub async fn awaits_keys(&self, domain: DomainId) -> Result<bool, Error> {
        let mut tx = self.begin().await?;
        let asked = "SELECT rotate_keys FROM public.tenant_domains WHERE id = $1";
        let waits: Option<bool> =
            sqlx::query_scalar(asked).bind(domain.0).fetch_optional(tx.conn()).await?;
        tx.commit().await?;
        waits.ok_or(Error::NotFound)
    }

    /// Has a pending key sign from now on; the one it follows retires, and its record stays for
    /// `overlap`. False when the key is not pending (any more).
    pub async fn activate_key(
        &self,
        domain: DomainId,
        selector: &str,
        overlap: Duration,
    ) -> Result<bool, Error> {
        let mut tx = self.begin().await?;
        sqlx::query(
            "UPDATE public.domain_keys SET keep_until = now() + $4
             WHERE tenant_id = $1 AND domain_id = $2 AND state = 'active' AND algorithm =
                (SELECT k.algorithm FROM public.domain_keys k WHERE k.tenant_id = $1
                    AND k.domain_id = $2 AND k.selector = $3 AND k.state = 'pending')",
        )
        .bind(self.id().0)
        .bind(domain.0)
        .bind(selector)
        .bind(interval(overlap)?)
        .execute(tx.conn())
        .await?;
        let activated = sqlx::query(
            "UPDATE public.domain_keys SET active_from = now()
             WHERE tenant_id = $1 AND domain_id = $2 AND selector = $3 AND state = 'pending'",
        )
        .bind(self.id().0)
        .bind(domain.0)
        .bind(selector)
        .execute(tx.conn())
        .await?;
        tx.commit().await?;
        Ok(activated.rows_affected() > 0)
    }
}
