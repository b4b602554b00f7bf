//! Recipients: who is behind an address, and may they have mail now.

use crate::domain::address::Address;
use crate::domain::ids::{AddressId, TenantId};
use crate::mail::{Error, Reason};
use crate::store::db::Db;

/// The mailboxes behind a recipient.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Local {
    /// Their organisation.
    pub tenant: TenantId,
    /// The mailboxes, at least one.
    pub mailboxes: Vec<AddressId>,
}

/// Asks the directory. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Recipients {
    db: Db,
}

impl Recipients {
    /// Over `db`.
    pub fn new(db: Db) -> Self {
        Self { db }
    }

    /// Exact address, sub-address (RFC 5233), alias, catch-all. One round trip
    /// for a recipient that exists.
    ///
    /// # Errors
    /// [`Reason::UnknownRecipient`] in a domain of ours,
    /// [`Reason::RelayDenied`] elsewhere, [`Reason::Suspended`].
    pub async fn resolve(&self, address: &Address) -> Result<Local, Error> {
        match self.db.resolve_recipient(address).await? {
            Some(found) if !found.active || found.suspended => Err(Reason::Suspended.into()),
            Some(found) => Ok(Local { tenant: found.tenant, mailboxes: found.mailboxes }),
            None if self.db.hosts_domain(address.domain()).await? => {
                Err(Reason::UnknownRecipient.into())
            }
            None => Err(Reason::RelayDenied.into()),
        }
    }
}
