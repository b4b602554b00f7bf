//! `public.email_addresses`: the mailboxes.

use serde::Serialize;
use sqlx::types::Uuid;
use sqlx::types::time::OffsetDateTime;

use crate::domain::address::Address;
use crate::domain::ids::{AddressId, TenantId};
use crate::store::db::Db;
use crate::store::error::Error;
use crate::store::tenant::Tenant;

/// A mailbox as its operator sees it.
#[derive(Clone, Debug, Serialize)]
pub struct Mailbox {
    /// Its id.
    pub id: AddressId,
    /// Its organisation.
    pub tenant_id: TenantId,
    /// Its organisation's slug.
    pub tenant: String,
    /// Its address in canonical form.
    pub address: String,
    /// The person's name.
    pub display_name: Option<String>,
    /// `active` or `suspended`.
    pub status: String,
    /// Whether it opens with a password; if not, only with app passwords.
    pub has_password: bool,
    /// App passwords that are not revoked.
    pub app_passwords: i64,
    /// To the hour.
    #[serde(with = "time::serde::rfc3339::option")]
    pub last_login_at: Option<OffsetDateTime>,
    /// When it was made.
    #[serde(with = "time::serde::rfc3339")]
    pub created_at: OffsetDateTime,
}

type Row = (
    Uuid,
    Uuid,
    String,
    String,
    Option<String>,
    String,
    bool,
    i64,
    Option<OffsetDateTime>,
    OffsetDateTime,
);

impl From<Row> for Mailbox {
    fn from(row: Row) -> Self {
        Self {
            id: AddressId(row.0),
            tenant_id: TenantId(row.1),
            tenant: row.2,
            address: row.3,
            display_name: row.4,
            status: row.5,
            has_password: row.6,
            app_passwords: row.7,
            last_login_at: row.8,
            created_at: row.9,
        }
    }
}

/// Those of one organisation and of one address, where these are given.
const SELECT: &str = "SELECT a.id, a.tenant_id, t.slug, a.address, a.display_name, a.status,
        a.password_hash IS NOT NULL,
        (SELECT count(*) FROM public.app_passwords p WHERE p.address_id = a.id AND p.revoked_at IS NULL),
        a.last_login_at, a.created_at
     FROM public.email_addresses a JOIN public.tenants t ON t.id = a.tenant_id
     WHERE ($1::uuid IS NULL OR a.tenant_id = $1) AND ($2::text IS NULL OR a.address = $2)
     ORDER BY t.slug, a.address";

impl Db {
    /// The mailboxes of one organisation, or all of them; by slug and address.
    pub async fn mailboxes(&self, tenant: Option<TenantId>) -> Result<Vec<Mailbox>, Error> {
        let rows: Vec<Row> = sqlx::query_as(SELECT)
            .bind(tenant.map(|t| t.0))
            .bind(None::<&str>)
            .fetch_all(self.pool())
            .await?;
        Ok(rows.into_iter().map(Mailbox::from).collect())
    }

    /// The mailbox of exactly this address.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn mailbox(&self, address: &Address) -> Result<Mailbox, Error> {
        let row: Row = sqlx::query_as(SELECT)
            .bind(None::<Uuid>)
            .bind(Some(address.as_str()))
            .fetch_one(self.pool())
            .await?;
        Ok(row.into())
    }

    /// Whose a domain is: the organisation that has proven it, else the only
    /// one that claims it; `None` when nobody does, or several.
    pub async fn domain_owner(&self, domain: &str) -> Result<Option<TenantId>, Error> {
        let claims: Vec<(Uuid, bool)> = sqlx::query_as(
            "SELECT tenant_id, verified_at IS NOT NULL FROM public.tenant_domains
             WHERE domain = $1 ORDER BY verified_at NULLS LAST LIMIT 2",
        )
        .bind(domain)
        .fetch_all(self.pool())
        .await?;
        Ok(match claims.as_slice() {
            [(owner, true), ..] | [(owner, false)] => Some(TenantId(*owner)),
            _ => None,
        })
    }
}

impl Tenant {
    /// Makes a mailbox with its folders. An unknown domain is added, unproven.
    ///
    /// # Errors
    /// [`Error::Conflict`] of `email_addresses_address_key` when the address
    /// is taken, of `email_addresses_domain_owner` when another organisation
    /// has proven the domain; [`Error::NotFound`] without the organisation.
    pub async fn add_mailbox(
        &self,
        address: &Address,
        display_name: Option<&str>,
        password_hash: Option<&str>,
    ) -> Result<AddressId, Error> {
        let mut tx = self.begin().await?;
        // The trigger fills domain_id from the address.
        let id: Uuid = sqlx::query_scalar(
            "INSERT INTO public.email_addresses (tenant_id, address, display_name, password_hash)
             VALUES ($1, $2, $3, $4) RETURNING id",
        )
        .bind(self.id().0)
        .bind(address.as_str())
        .bind(display_name)
        .bind(password_hash)
        .fetch_one(tx.conn())
        .await?;
        tx.commit().await?;
        Ok(AddressId(id))
    }

    /// Sets a mailbox's password.
    ///
    /// # Errors
    /// [`Error::NotFound`] when the mailbox is not this organisation's.
    pub async fn set_password(&self, mailbox: AddressId, hash: &str) -> Result<(), Error> {
        let mut tx = self.begin().await?;
        let done =
            sqlx::query("UPDATE public.email_addresses SET password_hash = $2 WHERE id = $1")
                .bind(mailbox.0)
                .bind(hash)
                .execute(tx.conn())
                .await?;
        if done.rows_affected() == 0 {
            return Err(Error::NotFound);
        }
        tx.commit().await
    }
}
