//! Who has mail for `<Postmaster>` without a domain (RFC 5321 §4.5.1).

use std::sync::Arc;

use crate::domain::address::Address;
use crate::mail::recipients::Recipients;
use crate::mail::{Error, Reason};
use crate::store::db::Db;

/// Finds the postmaster. Cheap to clone.
#[derive(Clone)]
pub struct Postmaster {
    db: Db,
    recipients: Recipients,
    /// The one that is configured, or postmaster at our own name.
    first: Option<Arc<Address>>,
}

impl Postmaster {
    /// `configured` goes before postmaster at `hostname`.
    pub fn new(
        db: Db,
        recipients: Recipients,
        configured: Option<&Address>,
        hostname: &str,
    ) -> Self {
        let ours = || Address::parse(&format!("postmaster@{hostname}")).ok();
        let first = configured.cloned().or_else(ours).map(Arc::new);
        Self { db, recipients, first }
    }

    /// The address that it stands for. Where the first choice leads nowhere: postmaster at
    /// the domain that was proven first, else the oldest mailbox there.
    ///
    /// # Errors
    /// As [`Recipients::resolve`]; [`Reason::UnknownRecipient`] while nobody has a mailbox.
    pub async fn find(&self) -> Result<Address, Error> {
        if let Some(address) = &self.first
            && self.leads_somewhere(address).await?
        {
            return Ok(Address::clone(address));
        }
        for address in self.db.likely_postmasters().await? {
            if self.leads_somewhere(&address).await? {
                return Ok(address);
            }
        }
        Err(Reason::UnknownRecipient.into())
    }

    async fn leads_somewhere(&self, address: &Address) -> Result<bool, Error> {
        match self.recipients.resolve(address).await {
            Ok(_) => Ok(true),
            Err(Error::Rejected(_)) => Ok(false),
            Err(error) => Err(error),
        }
    }
}
