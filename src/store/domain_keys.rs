//! `public.domain_keys`: the DKIM keys of domains, sealed.

pub mod rotate;

use serde::Serialize;
use sqlx::types::Uuid;
use sqlx::types::time::OffsetDateTime;

use crate::domain::ids::{DomainId, TenantId};
use crate::store::db::Db;
use crate::store::error::Error;
use crate::store::tenant::Tenant;
use crate::store::tx::Tx;

/// The private half of a key, to sign with.
#[derive(Clone, PartialEq, Eq)]
pub struct KeyRow {
    /// The row's id, which it was sealed for.
    pub id: Uuid,
    /// Names the key in DNS and in signatures (RFC 6376 §3.1).
    pub selector: String,
    /// `rsa-sha256` or `ed25519-sha256`.
    pub algorithm: String,
    /// PKCS#8, sealed.
    pub sealed: Vec<u8>,
}

/// The public half of a key, to publish.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PublicKeyRow {
    /// Names the key in DNS and in signatures.
    pub selector: String,
    /// `rsa-sha256` or `ed25519-sha256`.
    pub algorithm: String,
    /// What the `p=` tag of its record carries, decoded.
    pub public_key: Vec<u8>,
    /// Whether it signs.
    pub standing: Standing,
}

/// Where a key that is to be published stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Standing {
    /// It will sign once its record is seen.
    Pending,
    /// It signs.
    Active,
    /// It signs no more; mail that it signed is under way.
    Retiring {
        /// Its record has to stay that long.
        #[serde(with = "time::serde::rfc3339")]
        keep_until: OffsetDateTime,
    },
}

/// A key to be kept.
pub struct NewKey {
    /// Chosen beforehand, as the private half is sealed for it.
    pub id: Uuid,
    /// Names the key in DNS and in signatures.
    pub selector: String,
    /// `rsa-sha256` or `ed25519-sha256`.
    pub algorithm: &'static str,
    /// PKCS#8, sealed.
    pub sealed: Vec<u8>,
    /// What the `p=` tag of its record carries, decoded.
    pub public_key: Vec<u8>,
}

/// A domain that lacks an active key or wants new ones, locked against other
/// nodes that look for such. Dropped, it is free again.
pub struct KeylessDomain {
    tx: Tx,
    tenant: TenantId,
    /// Which domain.
    pub id: DomainId,
    /// Whether its keys are there and are to be followed by others: those to be
    /// made are pending then.
    pub rotates: bool,
    /// Algorithms of which it has an active key, or where it rotates a pending one.
    pub has: Vec<String>,
    /// Every selector it ever had, and so cannot have again.
    pub selectors: Vec<String>,
}

impl Db {
    /// A domain of any organisation, proven or not, that lacks an active key
    /// of some algorithm or wants new ones, and that no other node is at. The
    /// lock lets mailboxes be added meanwhile.
    pub async fn next_keyless_domain(&self) -> Result<Option<KeylessDomain>, Error> {
        let mut tx = self.begin().await?;
        let found: Option<(Uuid, Uuid)> = sqlx::query_as(
            "SELECT d.id, d.tenant_id FROM public.tenant_domains d
             WHERE d.rotate_keys OR (SELECT count(*) FROM public.domain_keys k
                    WHERE k.domain_id = d.id AND k.state = 'active') < 2
             LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED",
        )
        .fetch_optional(&mut *tx)
        .await?;
        let Some((id, tenant)) = found else { return Ok(None) };
        // Asked after the lock: another node may just have made them.
        let keys: Vec<(String, String, String)> = sqlx::query_as(
            "SELECT selector, algorithm, state FROM public.domain_keys WHERE domain_id = $1",
        )
        .bind(id)
        .fetch_all(&mut *tx)
        .await?;
        let of = |wanted: &str| -> Vec<String> {
            let those = keys.iter().filter(|(_, _, state)| state == wanted);
            those.map(|(_, algorithm, _)| algorithm.clone()).collect()
        };
        let (active, pending) = (of("active"), of("pending"));
        let rotates = active.len() >= 2;
        let has = if rotates { pending } else { active };
        let selectors = keys.into_iter().map(|(selector, _, _)| selector).collect();
        let (tenant, id) = (TenantId(tenant), DomainId(id));
        Ok(Some(KeylessDomain { tx, tenant, id, rotates, has, selectors }))
    }
}

impl Db {
    /// The first and the last key that was made and may be needed: both were sealed under the one
    /// master key of an installation.
    pub async fn sealed_samples(&self) -> Result<Vec<(Uuid, Vec<u8>)>, Error> {
        Ok(sqlx::query_as(
            "(SELECT id, private_key_sealed FROM public.domain_keys WHERE state <> 'retired'
              ORDER BY created_at LIMIT 1)
             UNION (SELECT id, private_key_sealed FROM public.domain_keys WHERE state <> 'retired'
              ORDER BY created_at DESC LIMIT 1)",
        )
        .fetch_all(self.pool())
        .await?)
    }
}

impl KeylessDomain {
    /// Keeps the keys, all or none; one that another program made meanwhile
    /// stands, and ours of that algorithm is dropped.
    pub async fn keep(mut self, keys: &[NewKey]) -> Result<(), Error> {
        for key in keys {
            sqlx::query(
                "INSERT INTO public.domain_keys (id, tenant_id, domain_id, selector, algorithm,
                                                 private_key_sealed, public_key, active_from)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, CASE WHEN $8 THEN NULL ELSE now() END)
                 ON CONFLICT DO NOTHING",
            )
            .bind(key.id)
            .bind(self.tenant.0)
            .bind(self.id.0)
            .bind(&key.selector)
            .bind(key.algorithm)
            .bind(&key.sealed)
            .bind(&key.public_key)
            .bind(self.rotates)
            .execute(&mut *self.tx)
            .await?;
        }
        if self.rotates {
            sqlx::query("UPDATE public.tenant_domains SET rotate_keys = false WHERE id = $1")
                .bind(self.id.0)
                .execute(&mut *self.tx)
                .await?;
        }
        self.tx.commit().await
    }
}

impl Tenant {
    /// The keys that mail from `domain` is signed with now: none when the
    /// domain is not this organisation's or not proven.
    pub async fn signing_keys(&self, domain: &str) -> Result<Vec<KeyRow>, Error> {
        let mut tx = self.begin().await?;
        let rows: Vec<(Uuid, String, String, Vec<u8>)> = sqlx::query_as(
            "SELECT k.id, k.selector, k.algorithm, k.private_key_sealed
             FROM public.tenant_domains d JOIN public.domain_keys k ON k.domain_id = d.id
             WHERE d.tenant_id = $1 AND d.domain = $2 AND d.verified_at IS NOT NULL
               AND k.state = 'active' AND k.active_from <= now()
             ORDER BY k.algorithm DESC",
        )
        .bind(self.id().0)
        .bind(domain)
        .fetch_all(tx.conn())
        .await?;
        tx.commit().await?;
        let row = |(id, selector, algorithm, sealed)| KeyRow { id, selector, algorithm, sealed };
        Ok(rows.into_iter().map(row).collect())
    }

    /// The keys of a domain that are to be published: those that sign first.
    pub async fn public_keys(&self, domain: DomainId) -> Result<Vec<PublicKeyRow>, Error> {
        type Row = (String, String, Vec<u8>, String, Option<OffsetDateTime>);
        let mut tx = self.begin().await?;
        let rows: Vec<Row> = sqlx::query_as(
            "SELECT selector, algorithm, public_key, state, keep_until FROM public.domain_keys
             WHERE tenant_id = $1 AND domain_id = $2 AND state <> 'retired'
             ORDER BY state <> 'active', state, algorithm DESC, selector",
        )
        .bind(self.id().0)
        .bind(domain.0)
        .fetch_all(tx.conn())
        .await?;
        tx.commit().await?;
        let row = |(selector, algorithm, public_key, state, keep_until): (_, _, _, String, _)| {
            let standing = match keep_until {
                Some(keep_until) => Standing::Retiring { keep_until },
                None if state == "pending" => Standing::Pending,
                None => Standing::Active,
            };
            PublicKeyRow { selector, algorithm, public_key, standing }
        };
        Ok(rows.into_iter().map(row).collect())
    }
}
