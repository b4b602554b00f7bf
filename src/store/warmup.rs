//! `public.domain_warmup`: how much may leave today for a domain.

use sqlx::Row as _;
use sqlx::postgres::PgRow;
use sqlx::types::Uuid;

use crate::domain::ids::{DomainId, NodeId, OutboundId, TenantId};
use crate::domain::warmup::Warmup;
use crate::store::db::Db;
use crate::store::error::Error;
use crate::store::tx::Tx;

/// The warm-ups of one domain, locked against other deliveries. Dropped,
/// nothing has changed.
pub struct Warmups {
    tx: Tx,
    tenant: TenantId,
    domain: String,
    ids: Vec<Uuid>,
    /// Of each group of receivers that there is one for.
    pub all: Vec<Warmup>,
}

/// What begins the reason of what a warm-up holds.
fn prefix(provider: &str) -> String {
    format!("warm-up: {provider}: ")
}

/// Counts are never negative: CHECKs see to it.
fn count(stored: i32) -> u32 {
    u32::try_from(stored).unwrap_or(0)
}

fn stored(count: u32) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}

fn read(row: &PgRow) -> Result<Warmup, Error> {
    let number = |name: &str| row.try_get(name).map(count);
    let status: String = row.try_get("status")?;
    Ok(Warmup {
        provider: row.try_get("provider")?,
        schedule: row.try_get::<Vec<i32>, _>("schedule")?.into_iter().map(count).collect(),
        step: number("step")?,
        budget: number("daily_budget")?,
        day: row.try_get("budget_day")?,
        sent: number("sent_count")?,
        deferred: number("deferred_count")?,
        complained: number("complained_count")?,
        status: status.parse().map_err(Error::Corrupt)?,
        reason: row.try_get("reason")?,
    })
}

impl Db {
    /// Whether a domain has any warm-up.
    pub async fn warms_up(&self, tenant: TenantId, domain: &str) -> Result<bool, Error> {
        Ok(sqlx::query_scalar(
            "SELECT EXISTS (SELECT 1 FROM public.tenant_domains d JOIN public.domain_warmup w ON w.domain_id = d.id
             WHERE d.tenant_id = $1 AND d.domain = $2)",
        )
        .bind(tenant.0)
        .bind(domain)
        .fetch_one(self.pool())
        .await?)
    }

    /// The domains of `tenant` that have one.
    pub async fn warming_domains(&self, tenant: TenantId) -> Result<Vec<String>, Error> {
        Ok(sqlx::query_scalar(
            "SELECT DISTINCT d.domain FROM public.domain_warmup w JOIN public.tenant_domains d ON d.id = w.domain_id
             WHERE w.tenant_id = $1 ORDER BY d.domain",
        )
        .bind(tenant.0)
        .fetch_all(self.pool())
        .await?)
    }

    /// The warm-ups of a domain, in the order of their groups.
    pub async fn warmups(&self, tenant: TenantId, domain: &str) -> Result<Warmups, Error> {
        let mut tx = self.begin().await?;
        let rows = sqlx::query(
            "SELECT w.* FROM public.domain_warmup w JOIN public.tenant_domains d ON d.id = w.domain_id
             WHERE d.tenant_id = $1 AND d.domain = $2 ORDER BY w.provider FOR UPDATE OF w",
        )
        .bind(tenant.0)
        .bind(domain)
        .fetch_all(&mut *tx)
        .await?;
        let ids = rows.iter().map(|row| row.try_get("id")).collect::<Result<_, _>>()?;
        let all = rows.iter().map(read).collect::<Result<_, _>>()?;
        Ok(Warmups { tx, tenant, domain: domain.to_owned(), ids, all })
    }

    /// Begins a warm-up, or resumes it; a schedule that is given begins anew.
    ///
    /// # Errors
    /// [`Error::Conflict`] of `domain_warmup_schedule_check` when it is none.
    pub async fn start_warmup(
        &self,
        tenant: TenantId,
        domain: DomainId,
        provider: &str,
        schedule: Option<&[i32]>,
    ) -> Result<(), Error> {
        sqlx::query(
            "INSERT INTO public.domain_warmup AS w (tenant_id, domain_id, provider, schedule, daily_budget)
             VALUES ($1, $2, $3, coalesce($4, '{50,100,200,400,800,1600,3200,6400,12800,25600}'), coalesce($4[1], 50))
             ON CONFLICT ON CONSTRAINT domain_warmup_domain_id_provider_key DO UPDATE SET status = 'warming',
                schedule = coalesce($4, w.schedule), step = CASE WHEN $4 IS NULL THEN w.step ELSE 1 END,
                daily_budget = coalesce($4[1], w.daily_budget),
                reason = CASE WHEN $4 IS NULL THEN 'resumed: ' || w.daily_budget || ' a day' ELSE 'a new schedule' END",
        )
        .bind(tenant.0)
        .bind(domain.0)
        .bind(provider)
        .bind(schedule)
        .execute(self.pool())
        .await?;
        Ok(())
    }

    /// Keeps the budget of a warm-up as it is. Whether there is one.
    pub async fn pause_warmup(&self, domain: DomainId, provider: &str) -> Result<bool, Error> {
        let done = sqlx::query(
            "UPDATE public.domain_warmup SET status = 'paused', reason = 'paused by hand: ' || daily_budget || ' a day'
             WHERE domain_id = $1 AND provider = $2",
        )
        .bind(domain.0)
        .bind(provider)
        .execute(self.pool())
        .await?;
        Ok(done.rows_affected() > 0)
    }

    /// Ends a warm-up: there is no limit any more. Whether there was one.
    pub async fn stop_warmup(&self, domain: DomainId, provider: &str) -> Result<bool, Error> {
        let done =
            sqlx::query("DELETE FROM public.domain_warmup WHERE domain_id = $1 AND provider = $2")
                .bind(domain.0)
                .bind(provider)
                .execute(self.pool())
                .await?;
        Ok(done.rows_affected() > 0)
    }

    /// Counts attempts that receivers put off because of who sends.
    pub async fn count_deferrals(
        &self,
        tenant: TenantId,
        domain: &str,
        providers: &[&str],
        many: usize,
    ) -> Result<(), Error> {
        sqlx::query(
            "UPDATE public.domain_warmup w SET deferred_count = w.deferred_count + $4
             FROM public.tenant_domains d
             WHERE d.id = w.domain_id AND d.tenant_id = $1 AND d.domain = $2 AND w.provider = ANY ($3)",
        )
        .bind(tenant.0)
        .bind(domain)
        .bind(providers)
        .bind(i32::try_from(many).unwrap_or(i32::MAX))
        .execute(self.pool())
        .await?;
        Ok(())
    }

    /// Lets go what a warm-up holds that is over or gone. Says how many rows.
    pub async fn release_unlimited(&self, tenant: TenantId) -> Result<u64, Error> {
        let done = sqlx::query(
            "UPDATE public.outbound_messages o SET state = 'queued', held_reason = NULL, next_attempt_at = now()
             WHERE o.tenant_id = $1 AND o.state = 'held' AND o.held_reason LIKE 'warm-up: %' AND NOT EXISTS (
                SELECT 1 FROM public.domain_warmup w JOIN public.tenant_domains d ON d.id = w.domain_id
                WHERE d.tenant_id = o.tenant_id AND d.domain = lower(split_part(o.from_address, '@', 2))
                    AND w.status <> 'done' AND starts_with(o.held_reason, 'warm-up: ' || w.provider || ': '))",
        )
        .bind(tenant.0)
        .execute(self.pool())
        .await?;
        Ok(done.rows_affected())
    }
}

impl Warmups {
    /// Those of these rows that an operator has released.
    pub async fn overruled(&mut self, rows: &[OutboundId]) -> Result<Vec<OutboundId>, Error> {
        let ids: Vec<Uuid> = sqlx::query_scalar(
            "SELECT id FROM public.outbound_messages WHERE id = ANY ($1) AND metadata ? 'overruled'",
        )
        .bind(rows.iter().map(|id| id.0).collect::<Vec<_>>())
        .fetch_all(&mut *self.tx)
        .await?;
        Ok(ids.into_iter().map(OutboundId).collect())
    }

    /// Holds rows that `node` has leased for the group `provider`: their attempt
    /// has not begun.
    pub async fn hold(
        &mut self,
        node: NodeId,
        rows: &[OutboundId],
        provider: &str,
        why: &str,
    ) -> Result<(), Error> {
        sqlx::query(
            "UPDATE public.outbound_messages
             SET state = 'held', held_reason = $3, attempts = attempts - 1, leased_until = NULL, leased_by = NULL
             WHERE id = ANY ($2) AND state = 'sending' AND leased_by = $1",
        )
        .bind(node.0)
        .bind(rows.iter().map(|id| id.0).collect::<Vec<_>>())
        .bind(prefix(provider) + why)
        .execute(&mut *self.tx)
        .await?;
        Ok(())
    }

    /// Lets go what is held for the group `provider`, the oldest first, `most` at most.
    pub async fn release(&mut self, provider: &str, most: u32) -> Result<u64, Error> {
        let done = sqlx::query(
            "WITH free AS (
                SELECT o.id FROM public.outbound_messages o
                WHERE o.tenant_id = $1 AND o.state = 'held' AND starts_with(o.held_reason, $3)
                    AND lower(split_part(o.from_address, '@', 2)) = $2
                ORDER BY o.queued_at LIMIT $4 FOR UPDATE SKIP LOCKED)
             UPDATE public.outbound_messages o SET state = 'queued', held_reason = NULL, next_attempt_at = now()
             FROM free f WHERE o.id = f.id",
        )
        .bind(self.tenant.0)
        .bind(&self.domain)
        .bind(prefix(provider))
        .bind(i64::from(most))
        .execute(&mut *self.tx)
        .await?;
        Ok(done.rows_affected())
    }

    /// Keeps what has changed.
    pub async fn commit(mut self) -> Result<(), Error> {
        for (id, warmup) in self.ids.iter().zip(&self.all) {
            sqlx::query(
                "UPDATE public.domain_warmup SET step = $2, daily_budget = $3, budget_day = $4, sent_count = $5,
                    deferred_count = $6, complained_count = $7, status = $8, reason = $9 WHERE id = $1",
            )
            .bind(id)
            .bind(stored(warmup.step))
            .bind(stored(warmup.budget))
            .bind(warmup.day)
            .bind(stored(warmup.sent))
            .bind(stored(warmup.deferred))
            .bind(stored(warmup.complained))
            .bind(warmup.status.as_str())
            .bind(&warmup.reason)
            .execute(&mut *self.tx)
            .await?;
        }
        self.tx.commit().await
    }
}
