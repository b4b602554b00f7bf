//! Whose is a recipient, and may a mailbox log in.

use sqlx::types::Uuid;

use crate::domain::address::Address;
use crate::domain::ids::{AddressId, TenantId};
use crate::store::db::Db;
use crate::store::error::Error;

/// The mailboxes behind a recipient address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resolved {
    /// Their organisation.
    pub tenant: TenantId,
    /// Whether the organisation is active.
    pub active: bool,
    /// The mailboxes; several where an alias names several.
    pub mailboxes: Vec<AddressId>,
    /// Whether every one of these mailboxes is suspended.
    pub suspended: bool,
}

impl Db {
    /// Exact address, sub-address, alias, catch-all; `None` when nobody's.
    /// One round trip.
    pub async fn resolve_recipient(&self, address: &Address) -> Result<Option<Resolved>, Error> {
        let row: Option<(Uuid, String, Vec<Uuid>, bool)> = sqlx::query_as(
            "SELECT tenant_id, tenant_status, address_ids, suspended FROM public.resolve_recipient($1)",
        )
        .bind(address.as_str())
        .fetch_optional(self.pool())
        .await?;
        Ok(row.map(resolved))
    }

    /// As [`Db::resolve_recipient`], where the organisation has proven that the
    /// domain is its own: a mere claim must not catch mail of somebody else.
    pub async fn resolve_proven(&self, address: &Address) -> Result<Option<Resolved>, Error> {
        let row: Option<(Uuid, String, Vec<Uuid>, bool)> = sqlx::query_as(
            "SELECT r.tenant_id, r.tenant_status, r.address_ids, r.suspended FROM public.resolve_recipient($1) r
             WHERE EXISTS (SELECT 1 FROM public.tenant_domains d
                WHERE d.tenant_id = r.tenant_id AND d.domain = $2 AND d.verified_at IS NOT NULL)",
        )
        .bind(address.as_str())
        .bind(address.domain())
        .fetch_optional(self.pool())
        .await?;
        Ok(row.map(resolved))
    }

    /// Whether any organisation has proven that this domain is its own.
    pub async fn domain_is_proven(&self, domain: &str) -> Result<bool, Error> {
        Ok(sqlx::query_scalar(
            "SELECT EXISTS (SELECT 1 FROM public.tenant_domains WHERE domain = $1 AND verified_at IS NOT NULL)",
        )
        .bind(domain)
        .fetch_one(self.pool())
        .await?)
    }

    /// Whether any organisation here has this domain, proven or claimed.
    pub async fn hosts_domain(&self, domain: &str) -> Result<bool, Error> {
        Ok(sqlx::query_scalar(
            "SELECT EXISTS (SELECT 1 FROM public.tenant_domains WHERE domain = $1)",
        )
        .bind(domain)
        .fetch_one(self.pool())
        .await?)
    }
}

fn resolved((tenant, status, mailboxes, suspended): (Uuid, String, Vec<Uuid>, bool)) -> Resolved {
    Resolved {
        tenant: TenantId(tenant),
        active: status == "active",
        mailboxes: mailboxes.into_iter().map(AddressId).collect(),
        suspended,
    }
}
