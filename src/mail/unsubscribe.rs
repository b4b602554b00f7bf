//! Leaving a list by the URL that its mail carries (RFC 8058).

use std::net::IpAddr;

use crate::domain::token::Token;
use crate::mail::Error;
use crate::store;
use crate::store::db::Db;
pub use crate::store::unsubscribes::{Method, Unsubscription};

/// Unsubscribes. Cheap to clone.
#[derive(Clone)]
pub struct Unsubscribe {
    db: Db,
}

impl Unsubscribe {
    /// Over the store.
    pub fn new(db: Db) -> Self {
        Self { db }
    }

    /// Whom `token` is for. Asking changes nothing.
    ///
    /// # Errors
    /// [`Error::NotFound`] alike for what is no token and for nobody's;
    /// [`Error::Temporary`] without the database.
    pub async fn find(&self, token: &str) -> Result<Unsubscription, Error> {
        let token = Token::parse(token).ok_or(Error::NotFound("unsubscribe link"))?;
        self.db.unsubscription(&token).await.map_err(|error| match error {
            store::Error::NotFound => Error::NotFound("unsubscribe link"),
            error => error.into(),
        })
    }

    /// Unsubscribes whom `token` is for; committed when this returns. Asked
    /// twice it has happened once.
    ///
    /// # Errors
    /// As [`Self::find`].
    pub async fn leave(
        &self,
        token: &str,
        method: Method,
        from: IpAddr,
    ) -> Result<Unsubscription, Error> {
        let who = self.find(token).await?;
        self.db.unsubscribe(&who, method, from).await?;
        tracing::info!(tenant = %who.tenant, id = %who.id, ?method, "unsubscribed");
        Ok(who)
    }
}
