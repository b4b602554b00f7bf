//! The organisation of a first start: all of it or nothing.

use sqlx::types::Uuid;

use crate::domain::address::Address;
use crate::domain::slug::Slug;
use crate::store::db::Db;
use crate::store::error::Error;

/// What the first organisation is made of.
#[derive(Clone, Copy, Debug)]
pub struct Demo<'a> {
    /// Its slug.
    pub slug: &'a Slug,
    /// Its name for people.
    pub name: &'a str,
    /// Its domain, taken as proven: it is nobody's.
    pub domain: &'a str,
    /// Its mailboxes, with names for people.
    pub mailboxes: &'a [(Address, &'a str)],
    /// The Argon2id hash of the password of all of them.
    pub password_hash: &'a str,
}

impl Db {
    /// Makes the organisation, in one transaction, unless there is any organisation; tells whether
    /// it did.
    pub async fn add_demo(&self, demo: Demo<'_>) -> Result<bool, Error> {
        let mut tx = self.begin().await?;
        let tenant: Option<Uuid> = sqlx::query_scalar(
            "INSERT INTO public.tenants (slug, name)
             SELECT $1, $2 WHERE NOT EXISTS (SELECT 1 FROM public.tenants) RETURNING id",
        )
        .bind(demo.slug.as_str())
        .bind(demo.name)
        .fetch_optional(&mut *tx)
        .await?;
        let Some(tenant) = tenant else { return Ok(false) };
        sqlx::query(
            "INSERT INTO public.tenant_domains (tenant_id, domain, verified_at) VALUES ($1, $2, now())",
        )
        .bind(tenant)
        .bind(demo.domain)
        .execute(&mut *tx)
        .await?;
        for (address, name) in demo.mailboxes {
            sqlx::query(
                "INSERT INTO public.email_addresses (tenant_id, address, display_name, password_hash)
                 VALUES ($1, $2, $3, $4)",
            )
            .bind(tenant)
            .bind(address.as_str())
            .bind(name)
            .bind(demo.password_hash)
            .execute(&mut *tx)
            .await?;
        }
        tx.commit().await?;
        Ok(true)
    }
}
