//! App passwords: one for each client, made by the server, shown once.

use uuid::Uuid;

use crate::domain::address::Address;
use crate::mail::directory::Directory;
use crate::mail::login::scram::keep_keys;
use crate::mail::{Error, Reason, password};
use crate::store;
use crate::store::app_passwords::AppPassword;
use crate::store::scram::ScramOf;

/// An app password at the only moment when its secret is known.
#[derive(Clone)]
pub struct NewAppPassword {
    /// To revoke it by.
    pub id: Uuid,
    /// What to type into the client.
    pub secret: String,
}

impl Directory {
    /// Makes an app password for one client of a mailbox; `name` says which, 1 to 100 characters.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Reason::BadName`].
    pub async fn add_app_password(
        &self,
        address: &Address,
        name: &str,
    ) -> Result<NewAppPassword, Error> {
        let mailbox = self.mailbox(address).await?;
        let secret = password::generate()?;
        let digest = password::digest(&secret);
        let tenant = self.db.tenant(mailbox.tenant_id);
        let id = tenant.add_app_password(mailbox.id, name, &digest).await.map_err(|error| {
            if error.is_conflict("app_passwords_name_check") {
                Reason::BadName.into()
            } else {
                Error::from(error)
            }
        })?;
        keep_keys(&self.db, mailbox.id, ScramOf::AppPassword(id), secret.clone()).await?;
        Ok(NewAppPassword { id, secret })
    }

    /// The app passwords of a mailbox, oldest first, revoked ones too.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn app_passwords(&self, address: &Address) -> Result<Vec<AppPassword>, Error> {
        let mailbox = self.mailbox(address).await?;
        Ok(self.db.tenant(mailbox.tenant_id).app_passwords(mailbox.id).await?)
    }

    /// Revokes one; it opens nothing from now on.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn revoke_app_password(&self, address: &Address, id: Uuid) -> Result<(), Error> {
        let mailbox = self.mailbox(address).await?;
        let tenant = self.db.tenant(mailbox.tenant_id);
        tenant.revoke_app_password(mailbox.id, id).await.map_err(|error| match error {
            store::Error::NotFound => Error::NotFound("app password"),
            other => other.into(),
        })
    }
}
