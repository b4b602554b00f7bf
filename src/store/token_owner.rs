//! Which mailboxes a Clerk user owns.

use sqlx::types::Uuid;

use crate::domain::address::Address;
use crate::domain::ids::{AddressId, TenantId};
use crate::store::db::Db;
use crate::store::error::Error;

/// A mailbox as a login by token sees it.
#[derive(Clone, Debug)]
pub struct OwnedMailbox {
    /// Its organisation.
    pub tenant: TenantId,
    /// The mailbox.
    pub address_id: AddressId,
    /// Its address.
    pub address: Address,
    /// Neither the organisation, the user nor the mailbox is suspended.
    pub active: bool,
}

type Row = (Uuid, Uuid, String, bool);

impl Db {
    /// The mailbox `address` of this Clerk user, or the one that is the user's only one, in an
    /// organisation that is bound to none of Clerk's organisations, or to `organisation`. One
    /// round trip.
    pub async fn mailbox_of_user(
        &self,
        clerk_user_id: &str,
        organisation: Option<&str>,
        address: Option<&Address>,
    ) -> Result<Option<OwnedMailbox>, Error> {
        let rows: Vec<Row> = sqlx::query_as(
            "SELECT a.tenant_id, a.id, a.address,
                a.status = 'active' AND u.status = 'active' AND t.status = 'active'
             FROM public.tenant_users u
             JOIN public.tenants t ON t.id = u.tenant_id
             JOIN public.email_addresses a ON a.user_id = u.id AND a.tenant_id = u.tenant_id
             WHERE u.clerk_user_id = $1 AND (t.clerk_org_id IS NULL OR t.clerk_org_id = $2)
                AND ($3::text IS NULL OR a.address = $3)
             LIMIT 2",
        )
        .bind(clerk_user_id)
        .bind(organisation)
        .bind(address.map(Address::as_str))
        .fetch_all(self.pool())
        .await?;
        let [(tenant, id, address, active)] = &rows[..] else { return Ok(None) };
        let address = Address::parse(address)
            .map_err(|_| Error::Corrupt(format!("address of mailbox {id}")))?;
        Ok(Some(OwnedMailbox {
            tenant: TenantId(*tenant),
            address_id: AddressId(*id),
            address,
            active: *active,
        }))
    }
}
