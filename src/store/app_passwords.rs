//! `public.app_passwords`: passwords for one client each.

use serde::Serialize;
use sqlx::types::Uuid;
use sqlx::types::time::OffsetDateTime;

use crate::domain::ids::AddressId;
use crate::store::error::Error;
use crate::store::tenant::Tenant;

/// An app password without its secret, which is not kept.
#[derive(Clone, Debug, Serialize)]
pub struct AppPassword {
    /// Its id.
    pub id: Uuid,
    /// Which client it is for.
    pub name: String,
    /// When it was made.
    #[serde(with = "time::serde::rfc3339")]
    pub created_at: OffsetDateTime,
    /// To the hour.
    #[serde(with = "time::serde::rfc3339::option")]
    pub last_used_at: Option<OffsetDateTime>,
    /// Since when it opens nothing.
    #[serde(with = "time::serde::rfc3339::option")]
    pub revoked_at: Option<OffsetDateTime>,
}

impl Tenant {
    /// Adds an app password by its digest.
    pub async fn add_app_password(
        &self,
        mailbox: AddressId,
        name: &str,
        secret_sha256: &[u8],
    ) -> Result<Uuid, Error> {
        let mut tx = self.begin().await?;
        let id = sqlx::query_scalar(
            "INSERT INTO public.app_passwords (tenant_id, address_id, name, secret_sha256)
             VALUES ($1, $2, $3, $4) RETURNING id",
        )
        .bind(self.id().0)
        .bind(mailbox.0)
        .bind(name)
        .bind(secret_sha256)
        .fetch_one(tx.conn())
        .await?;
        tx.commit().await?;
        Ok(id)
    }

    /// The app passwords of a mailbox, oldest first, revoked ones too.
    pub async fn app_passwords(&self, mailbox: AddressId) -> Result<Vec<AppPassword>, Error> {
        type Row = (Uuid, String, OffsetDateTime, Option<OffsetDateTime>, Option<OffsetDateTime>);
        let mut tx = self.begin().await?;
        let rows: Vec<Row> = sqlx::query_as(
            "SELECT id, name, created_at, last_used_at, revoked_at FROM public.app_passwords
             WHERE address_id = $1 ORDER BY created_at, id",
        )
        .bind(mailbox.0)
        .fetch_all(tx.conn())
        .await?;
        Ok(rows
            .into_iter()
            .map(|(id, name, created_at, last_used_at, revoked_at)| AppPassword {
                id,
                name,
                created_at,
                last_used_at,
                revoked_at,
            })
            .collect())
    }

    /// Revokes an app password; once more changes nothing.
    ///
    /// # Errors
    /// [`Error::NotFound`] when it is not this mailbox's.
    pub async fn revoke_app_password(&self, mailbox: AddressId, id: Uuid) -> Result<(), Error> {
        let mut tx = self.begin().await?;
        let done = sqlx::query(
            "UPDATE public.app_passwords SET revoked_at = coalesce(revoked_at, now())
             WHERE id = $1 AND address_id = $2",
        )
        .bind(id)
        .bind(mailbox.0)
        .execute(tx.conn())
        .await?;
        if done.rows_affected() == 0 {
            return Err(Error::NotFound);
        }
        tx.commit().await
    }
}
