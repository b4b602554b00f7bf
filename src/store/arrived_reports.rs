//! Messages that brought a report, and the events that are made of it.

use sqlx::types::Uuid;
use time::OffsetDateTime;

use crate::domain::ids::{EmailId, TenantId};
use crate::store::db::Db;
use crate::store::error::Error;
use crate::store::tenant::TenantTx;

/// A message that may hold a report.
#[derive(Clone, Copy, Debug)]
pub struct ArrivedReport {
    /// The row.
    pub id: Uuid,
    /// Whose message it is.
    pub tenant: TenantId,
    /// The message.
    pub email: EmailId,
    /// How often it was tried, this time included.
    pub attempts: u32,
}

/// An event made of a report.
#[derive(Clone, Debug)]
pub struct ReportEvent {
    /// The same for the same report, however often it comes.
    pub id: Uuid,
    /// Whose.
    pub tenant: TenantId,
    /// `dmarc.report` or `tls.report`.
    pub event: &'static str,
    /// The message that brought it.
    pub email: EmailId,
    /// The end of the time it is about.
    pub occurred_at: OffsetDateTime,
    /// What it says.
    pub properties: serde_json::Value,
}

impl Db {
    /// Takes note of a message that is about to be stored.
    pub async fn note_report(&self, tenant: TenantId, email: EmailId) -> Result<(), Error> {
        sqlx::query("INSERT INTO public.arrived_reports (tenant_id, email_id) VALUES ($1, $2)")
            .bind(tenant.0)
            .bind(email.0)
            .execute(self.pool())
            .await?;
        Ok(())
    }

    /// Takes up to `most` messages that are due. Each is due again later, the later the more often
    /// it was tried, unless it is ended.
    pub async fn lease_arrived_reports(&self, most: u32) -> Result<Vec<ArrivedReport>, Error> {
        let rows: Vec<(Uuid, Uuid, Uuid, i32)> = sqlx::query_as(
            "UPDATE public.arrived_reports r SET attempts = r.attempts + 1,
                 next_attempt_at = now() + interval '5 seconds' * power(4, least(r.attempts, 6))
             WHERE r.id IN (SELECT d.id FROM public.arrived_reports d WHERE d.next_attempt_at <= now()
                 ORDER BY d.next_attempt_at LIMIT $1 FOR UPDATE SKIP LOCKED)
             RETURNING r.id, r.tenant_id, r.email_id, r.attempts",
        )
        .bind(i64::from(most))
        .fetch_all(self.pool())
        .await?;
        let arrived = |(id, tenant, email, attempts): (Uuid, Uuid, Uuid, i32)| ArrivedReport {
            id,
            tenant: TenantId(tenant),
            email: EmailId(email),
            attempts: u32::try_from(attempts).unwrap_or(0),
        };
        Ok(rows.into_iter().map(arrived).collect())
    }

    /// It was read, or never will be.
    pub async fn end_arrived_report(&self, id: Uuid) -> Result<(), Error> {
        sqlx::query("DELETE FROM public.arrived_reports WHERE id = $1")
            .bind(id)
            .execute(self.pool())
            .await?;
        Ok(())
    }

    /// Whether a domain is one of `tenant`, above or below one.
    pub async fn is_domain_of(&self, tenant: TenantId, domain: &str) -> Result<bool, Error> {
        Ok(sqlx::query_scalar(
            "SELECT EXISTS (SELECT 1 FROM public.tenant_domains d WHERE d.tenant_id = $1
                 AND (d.domain = $2 OR starts_with(reverse($2), reverse('.' || d.domain))
                      OR $2 LIKE '%.%' AND starts_with(reverse(d.domain), reverse('.' || $2))))",
        )
        .bind(tenant.0)
        .bind(domain)
        .fetch_one(self.pool())
        .await?)
    }

    /// Writes an event, once.
    pub async fn record_report(&self, event: &ReportEvent) -> Result<bool, Error> {
        let done = sqlx::query(
            "INSERT INTO public.analytics_events (id, tenant_id, event, email_id, occurred_at, properties)
             VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT ON CONSTRAINT analytics_events_pkey DO NOTHING",
        )
        .bind(event.id)
        .bind(event.tenant.0)
        .bind(event.event)
        .bind(event.email.0)
        .bind(event.occurred_at)
        .bind(&event.properties)
        .execute(self.pool())
        .await?;
        Ok(done.rows_affected() == 1)
    }
}

impl TenantTx {
    /// What was found out about who a message is from, or [`Error::NotFound`].
    pub async fn verdict_of(&mut self, email: EmailId) -> Result<serde_json::Value, Error> {
        Ok(sqlx::query_scalar("SELECT e.verdict FROM emails e WHERE e.id = $1")
            .bind(email.0)
            .fetch_one(self.conn())
            .await?)
    }
}
