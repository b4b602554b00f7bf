//! What a login is checked against.

use sqlx::types::Uuid;

use crate::domain::address::Address;
use crate::domain::ids::{AddressId, TenantId};
use crate::store::db::Db;
use crate::store::error::Error;

/// A mailbox as login sees it.
#[derive(Clone, Debug)]
pub struct Credentials {
    /// Its organisation.
    pub tenant: TenantId,
    /// The mailbox.
    pub address: AddressId,
    /// Neither the organisation nor the mailbox is suspended.
    pub active: bool,
    /// Argon2id in PHC form, where there is a password.
    pub password_hash: Option<String>,
    /// The app password that was asked for exists and is not revoked.
    pub app_password: Option<Uuid>,
}

/// Organisation, mailbox, active, hash, app password.
type Row = (Uuid, Uuid, bool, Option<String>, Option<Uuid>);

impl Db {
    /// The credentials of a mailbox and whether `secret_sha256` is one of its
    /// app passwords. One round trip.
    pub async fn credentials(
        &self,
        address: &Address,
        secret_sha256: &[u8],
    ) -> Result<Option<Credentials>, Error> {
        let row: Option<Row> = sqlx::query_as(
            "SELECT a.tenant_id, a.id, a.status = 'active' AND t.status = 'active', a.password_hash,
                (SELECT p.id FROM public.app_passwords p
                 WHERE p.address_id = a.id AND p.secret_sha256 = $2 AND p.revoked_at IS NULL)
             FROM public.email_addresses a JOIN public.tenants t ON t.id = a.tenant_id
             WHERE a.address = $1",
        )
        .bind(address.as_str())
        .bind(secret_sha256)
        .fetch_optional(self.pool())
        .await?;
        Ok(row.map(|(tenant, address, active, password_hash, app_password)| Credentials {
            tenant: TenantId(tenant),
            address: AddressId(address),
            active,
            password_hash,
            app_password,
        }))
    }

    /// Notes a login, at most once an hour: a busy client opens many connections.
    pub async fn note_login(
        &self,
        address: AddressId,
        app_password: Option<Uuid>,
    ) -> Result<(), Error> {
        sqlx::query(
            "WITH app AS (
                UPDATE public.app_passwords SET last_used_at = now()
                WHERE id = $2 AND coalesce(last_used_at, '-infinity') < now() - interval '1 hour')
             UPDATE public.email_addresses SET last_login_at = now()
             WHERE id = $1 AND coalesce(last_login_at, '-infinity') < now() - interval '1 hour'",
        )
        .bind(address.0)
        .bind(app_password)
        .execute(self.pool())
        .await?;
        Ok(())
    }
}
