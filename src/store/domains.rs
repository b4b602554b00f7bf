//! `public.tenant_domains`: which domains an organisation claims, and which it has proven.

use serde::Serialize;
use sqlx::types::time::OffsetDateTime;
use sqlx::types::{Json, Uuid};

use crate::domain::ids::{DomainId, TenantId};
use crate::store::db::Db;
use crate::store::error::Error;
use crate::store::tenant::Tenant;

/// A domain of an organisation.
#[derive(Clone, Debug, Serialize)]
pub struct Domain {
    /// Its id.
    pub id: DomainId,
    /// Whose it is, or would be.
    pub tenant_id: TenantId,
    /// That organisation's slug.
    pub tenant: String,
    /// Its name, lower case, without the final dot.
    pub domain: String,
    /// What proves it when published in its DNS: 32 hexadecimal digits.
    pub verification_token: String,
    /// When it was proven; `None`: it may not send.
    #[serde(with = "time::serde::rfc3339::option")]
    pub verified_at: Option<OffsetDateTime>,
    /// When its records were last checked.
    #[serde(with = "time::serde::rfc3339::option")]
    pub checked_at: Option<OffsetDateTime>,
    /// Host of the links in tracked mail from it; `None` is the server's own.
    pub tracking_host: Option<String>,
    /// When it was added.
    #[serde(with = "time::serde::rfc3339")]
    pub created_at: OffsetDateTime,
}

type Row = (
    Uuid,
    Uuid,
    String,
    String,
    String,
    Option<OffsetDateTime>,
    Option<OffsetDateTime>,
    Option<String>,
    OffsetDateTime,
);

impl From<Row> for Domain {
    fn from(row: Row) -> Self {
        Self {
            id: DomainId(row.0),
            tenant_id: TenantId(row.1),
            tenant: row.2,
            domain: row.3,
            verification_token: row.4,
            verified_at: row.5,
            checked_at: row.6,
            tracking_host: row.7,
            created_at: row.8,
        }
    }
}

/// Those of one organisation and of one name, where these are given.
const SELECT: &str = "SELECT d.id, d.tenant_id, t.slug, d.domain, d.verification_token,
        d.verified_at, d.checked_at, d.tracking_host, d.created_at
     FROM public.tenant_domains d JOIN public.tenants t ON t.id = d.tenant_id
     WHERE ($1::uuid IS NULL OR d.tenant_id = $1) AND ($2::text IS NULL OR d.domain = $2)
     ORDER BY t.slug, d.domain";

impl Db {
    /// The domains of one organisation, or of all, or everybody's claims on
    /// one name; by slug and name.
    pub async fn domains(
        &self,
        tenant: Option<TenantId>,
        name: Option<&str>,
    ) -> Result<Vec<Domain>, Error> {
        let rows: Vec<Row> = sqlx::query_as(SELECT)
            .bind(tenant.map(|t| t.0))
            .bind(name)
            .fetch_all(self.pool())
            .await?;
        Ok(rows.into_iter().map(Domain::from).collect())
    }
}

impl Tenant {
    /// Claims a domain; nothing is proven by it.
    ///
    /// # Errors
    /// [`Error::Conflict`] of `tenant_domains_tenant_id_domain_key` when it
    /// is claimed already, of `tenant_domains_domain_check` when it is no name.
    pub async fn add_domain(
        &self,
        name: &str,
        tracking_host: Option<&str>,
    ) -> Result<DomainId, Error> {
        let mut tx = self.begin().await?;
        let id: Uuid = sqlx::query_scalar(
            "INSERT INTO public.tenant_domains (tenant_id, domain, tracking_host)
             VALUES ($1, $2, $3) RETURNING id",
        )
        .bind(self.id().0)
        .bind(name)
        .bind(tracking_host)
        .fetch_one(tx.conn())
        .await?;
        tx.commit().await?;
        Ok(DomainId(id))
    }

    /// Keeps what a check of a domain's records found.
    ///
    /// # Errors
    /// [`Error::NotFound`] when it is not this organisation's.
    pub async fn keep_domain_report<R>(&self, id: DomainId, report: &R) -> Result<(), Error>
    where
        R: Serialize + Sync,
    {
        self.change_domain(
            sqlx::query(
                "UPDATE public.tenant_domains SET checked_at = now(), check_report = $2
                 WHERE id = $1",
            )
            .bind(id.0)
            .bind(Json(report)),
        )
        .await
    }

    /// Keeps that a domain is proven; the moment of the first proof stands.
    ///
    /// # Errors
    /// [`Error::Conflict`] of `tenant_domains_verified_key` when another
    /// organisation has proven it before; [`Error::NotFound`].
    pub async fn verify_domain(&self, id: DomainId) -> Result<(), Error> {
        self.change_domain(
            sqlx::query(
                "UPDATE public.tenant_domains SET verified_at = coalesce(verified_at, now())
                 WHERE id = $1",
            )
            .bind(id.0),
        )
        .await
    }

    pub(in crate::store) async fn change_domain(
        &self,
        update: sqlx::query::Query<'_, sqlx::Postgres, sqlx::postgres::PgArguments>,
    ) -> Result<(), Error> {
        let mut tx = self.begin().await?;
        if update.execute(tx.conn()).await?.rows_affected() == 0 {
            return Err(Error::NotFound);
        }
        tx.commit().await
    }
}
