//! Mailboxes: making, listing, passwords.

use crate::domain::address::Address;
use crate::domain::ids::TenantId;
use crate::mail::directory::Directory;
use crate::mail::login::scram::keep_keys;
use crate::mail::{Error, Reason, password};
use crate::store;
use crate::store::addresses::Mailbox;
use crate::store::scram::ScramOf;

/// What a mailbox is made of.
#[derive(Clone, Copy, Debug)]
pub struct NewMailbox<'a> {
    /// Its organisation; `None` takes the one whose domain it is.
    pub tenant: Option<TenantId>,
    /// Its address.
    pub address: &'a Address,
    /// The person's name.
    pub display_name: Option<&'a str>,
    /// Without one, only app passwords open it.
    pub password: Option<&'a str>,
}

impl Directory {
    /// Makes a mailbox that receives at once.
    ///
    /// # Errors
    /// [`Error::NotFound`] when the organisation is not given and the domain
    /// does not tell it; [`Error::Exists`]; [`Reason::DomainElsewhere`];
    /// [`Reason::BadPassword`].
    pub async fn add_mailbox(&self, new: NewMailbox<'_>) -> Result<Mailbox, Error> {
        let tenant = match new.tenant {
            Some(tenant) => tenant,
            None => self
                .db
                .domain_owner(new.address.domain())
                .await?
                .ok_or(Error::NotFound("organisation"))?,
        };
        let hash = match new.password {
            Some(password) => Some(hash(password).await?),
            None => None,
        };
        self.db
            .tenant(tenant)
            .add_mailbox(new.address, new.display_name, hash.as_deref())
            .await
            .map_err(|error| {
                if error.is_conflict("email_addresses_address_key") {
                    Error::Exists("mailbox")
                } else if error.is_conflict("email_addresses_domain_owner") {
                    Reason::DomainElsewhere.into()
                } else {
                    error.into()
                }
            })?;
        let mailbox = self.mailbox(new.address).await?;
        if let (Some(password), Some(hash)) = (new.password, &hash) {
            keep_keys(&self.db, mailbox.id, ScramOf::Password(hash), password.to_owned()).await?;
        }
        Ok(mailbox)
    }

    /// The mailboxes of one organisation, or all of them.
    pub async fn mailboxes(&self, tenant: Option<TenantId>) -> Result<Vec<Mailbox>, Error> {
        Ok(self.db.mailboxes(tenant).await?)
    }

    /// The mailbox of exactly this address.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn mailbox(&self, address: &Address) -> Result<Mailbox, Error> {
        self.db.mailbox(address).await.map_err(|error| match error {
            store::Error::NotFound => Error::NotFound("mailbox"),
            other => other.into(),
        })
    }

    /// Sets a mailbox's password; the old one stops working at once.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Reason::BadPassword`].
    pub async fn set_password(&self, address: &Address, password: &str) -> Result<(), Error> {
        let mailbox = self.mailbox(address).await?;
        let hash = hash(password).await?;
        self.db.tenant(mailbox.tenant_id).set_password(mailbox.id, &hash).await?;
        keep_keys(&self.db, mailbox.id, ScramOf::Password(&hash), password.to_owned()).await
    }
}

/// Off the runtime's threads: hashing is slow on purpose.
async fn hash(password: &str) -> Result<String, Error> {
    if !(password::MIN_LENGTH..=password::MAX_LENGTH).contains(&password.len()) {
        return Err(Reason::BadPassword.into());
    }
    let password = password.to_owned();
    tokio::task::spawn_blocking(move || password::hash(&password))
        .await
        .map_err(|error| Error::Internal(format!("argon2 task: {error}")))?
}
