//! `public.tenants`: the organisations themselves.

use serde::Serialize;
use sqlx::types::Uuid;
use sqlx::types::time::OffsetDateTime;

use crate::domain::ids::TenantId;
use crate::domain::slug::Slug;
use crate::store::db::Db;
use crate::store::error::Error;

/// An organisation as its operator sees it.
#[derive(Clone, Debug, Serialize)]
pub struct Organisation {
    /// Its id.
    pub id: TenantId,
    /// What its schema `org_<slug>` is named by.
    pub slug: String,
    /// For people.
    pub name: String,
    /// `active`, `suspended` or `closed`.
    pub status: String,
    /// The last step of setting up that was reached with none left out.
    pub onboarding_state: String,
    /// How many domains it has, proven or not.
    pub domains: i64,
    /// How many mailboxes it has.
    pub mailboxes: i64,
    /// When it was made.
    #[serde(with = "time::serde::rfc3339")]
    pub created_at: OffsetDateTime,
}

type Row = (Uuid, String, String, String, String, i64, i64, OffsetDateTime);

impl From<Row> for Organisation {
    fn from(row: Row) -> Self {
        let (id, slug, name, status, onboarding_state, domains, mailboxes, created_at) = row;
        let id = TenantId(id);
        Self { id, slug, name, status, onboarding_state, domains, mailboxes, created_at }
    }
}

/// By slug, or all of them in the order of slugs.
const SELECT: &str = "SELECT t.id, t.slug, t.name, t.status, t.onboarding_state,
        (SELECT count(*) FROM public.tenant_domains d WHERE d.tenant_id = t.id),
        (SELECT count(*) FROM public.email_addresses a WHERE a.tenant_id = t.id), t.created_at
     FROM public.tenants t WHERE $1::text IS NULL OR t.slug = $1 ORDER BY t.slug";

impl Db {
    /// Makes an organisation: its row, its role and its schema, in one transaction.
    ///
    /// # Errors
    /// [`Error::Conflict`] of `tenants_slug_key` when there is one, of
    /// `tenants_slug_check` for a reserved slug.
    pub async fn add_organisation(&self, slug: &Slug, name: &str) -> Result<TenantId, Error> {
        let id: Uuid = sqlx::query_scalar(
            "INSERT INTO public.tenants (slug, name) VALUES ($1, $2) RETURNING id",
        )
        .bind(slug.as_str())
        .bind(name)
        .fetch_one(self.pool())
        .await?;
        Ok(TenantId(id))
    }

    /// Every organisation, by slug.
    pub async fn organisations(&self) -> Result<Vec<Organisation>, Error> {
        let rows: Vec<Row> =
            sqlx::query_as(SELECT).bind(None::<&str>).fetch_all(self.pool()).await?;
        Ok(rows.into_iter().map(Organisation::from).collect())
    }

    /// The organisation of that slug.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn organisation(&self, slug: &Slug) -> Result<Organisation, Error> {
        let row: Row =
            sqlx::query_as(SELECT).bind(Some(slug.as_str())).fetch_one(self.pool()).await?;
        Ok(row.into())
    }

    /// Sets whether an organisation is `active` or `suspended`.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn set_organisation_status(&self, slug: &Slug, status: &str) -> Result<(), Error> {
        let done = sqlx::query("UPDATE public.tenants SET status = $2 WHERE slug = $1")
            .bind(slug.as_str())
            .bind(status)
            .execute(self.pool())
            .await?;
        if done.rows_affected() == 0 { Err(Error::NotFound) } else { Ok(()) }
    }
}
