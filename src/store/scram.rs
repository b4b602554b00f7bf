//! What SCRAM is checked against: keys of the password and of each app password, one salt for all.

use sqlx::types::Uuid;

use crate::domain::address::Address;
use crate::domain::ids::{AddressId, TenantId};
use crate::store::db::Db;
use crate::store::error::Error;

/// A mailbox as SCRAM sees it.
#[derive(Clone, Debug)]
pub struct ScramAccount {
    /// Its organisation.
    pub tenant: TenantId,
    /// The mailbox.
    pub address: AddressId,
    /// Neither the organisation nor the mailbox is suspended.
    pub active: bool,
    /// The salt of all its keys.
    pub salt: Vec<u8>,
    /// StoredKey and ServerKey of each password, with the app password that it is.
    pub keys: Vec<(Vec<u8>, Option<Uuid>)>,
}

type Row = (Uuid, Uuid, bool, Vec<u8>, Option<Vec<u8>>, Vec<Vec<u8>>, Vec<Uuid>);

impl Db {
    /// The mailbox of this address. One round trip.
    pub async fn scram_account(&self, address: &Address) -> Result<Option<ScramAccount>, Error> {
        let row: Option<Row> = sqlx::query_as(
            "SELECT a.tenant_id, a.id, a.status = 'active' AND t.status = 'active', a.scram_salt, a.scram_keys,
                coalesce(array_agg(p.scram_keys ORDER BY p.id) FILTER (WHERE p.id IS NOT NULL), '{}'),
                coalesce(array_agg(p.id ORDER BY p.id) FILTER (WHERE p.id IS NOT NULL), '{}')
             FROM public.email_addresses a JOIN public.tenants t ON t.id = a.tenant_id
             LEFT JOIN public.app_passwords p
                ON p.address_id = a.id AND p.revoked_at IS NULL AND p.scram_keys IS NOT NULL
             WHERE a.address = $1 GROUP BY a.id, t.id",
        )
        .bind(address.as_str())
        .fetch_optional(self.pool())
        .await?;
        Ok(row.map(|(tenant, address, active, salt, own, of_apps, apps)| {
            let of_apps = of_apps.into_iter().zip(apps.into_iter().map(Some));
            let keys = own.map(|keys| (keys, None)).into_iter().chain(of_apps).collect();
            ScramAccount {
                tenant: TenantId(tenant),
                address: AddressId(address),
                active,
                salt,
                keys,
            }
        }))
    }

    /// The salt of a mailbox, where the password (or the app password) has no keys yet.
    pub async fn missing_scram_keys(
        &self,
        address: AddressId,
        app_password: Option<Uuid>,
    ) -> Result<Option<Vec<u8>>, Error> {
        Ok(sqlx::query_scalar(
            "SELECT a.scram_salt FROM public.email_addresses a
             LEFT JOIN public.app_passwords p ON p.id = $2 AND p.address_id = a.id
             WHERE a.id = $1 AND CASE WHEN $2 IS NULL THEN a.scram_keys IS NULL ELSE p.scram_keys IS NULL END",
        )
        .bind(address.0)
        .bind(app_password)
        .fetch_optional(self.pool())
        .await?)
    }

    /// Keeps the keys of the password whose hash is `password_hash`, or of an app password. Where
    /// the password is another one by now, nothing happens.
    pub async fn keep_scram_keys(
        &self,
        address: AddressId,
        password: ScramOf<'_>,
        keys: &[u8],
    ) -> Result<(), Error> {
        let query = match password {
            ScramOf::Password(hash) => sqlx::query(
                "UPDATE public.email_addresses SET scram_keys = $3 WHERE id = $1 AND password_hash = $2",
            )
            .bind(address.0)
            .bind(hash),
            ScramOf::AppPassword(id) => sqlx::query(
                "UPDATE public.app_passwords SET scram_keys = $3 WHERE address_id = $1 AND id = $2",
            )
            .bind(address.0)
            .bind(id),
        };
        query.bind(keys).execute(self.pool()).await?;
        Ok(())
    }
}

/// Whose keys they are.
#[derive(Clone, Copy, Debug)]
pub enum ScramOf<'a> {
    /// The mailbox's password, by its Argon2id hash.
    Password(&'a str),
    /// An app password.
    AppPassword(Uuid),
}
