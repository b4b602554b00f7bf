//! Logging in with a token (OAUTHBEARER, RFC 7628).

use std::net::IpAddr;

use super::Login;
use crate::domain::address::Address;
use crate::mail::Error;
use crate::mail::client::Identity;
use crate::wire::sasl::{OAuthBearer, Refusal};

impl Login {
    /// Whose mailbox it is that the token opens: the one that is named, where the token's user owns
    /// it, or the user's only one.
    ///
    /// # Errors
    /// As [`Login::check`].
    pub(super) async fn bearer(&self, said: &OAuthBearer, peer: IpAddr) -> Result<Identity, Error> {
        self.unless_blocked(peer, &said.authzid).await?;
        match self.owned(said).await? {
            Some(identity) => {
                self.throttle.succeeded(peer, identity.address.as_str());
                Ok(identity)
            }
            None => Err(self.deny(peer, &said.authzid).await),
        }
    }

    /// What a client is told whose token opens nothing.
    pub(super) fn refusal(&self) -> String {
        let configuration = self.issuer.as_ref().map_or("", |issuer| issuer.configuration());
        Refusal::invalid_token(configuration).message()
    }

    async fn owned(&self, said: &OAuthBearer) -> Result<Option<Identity>, Error> {
        let Some(issuer) = &self.issuer else { return Ok(None) };
        let claims = match issuer.claims(&said.token).await {
            Ok(claims) => claims,
            Err(why) => {
                tracing::info!(%why, "a token was refused");
                return Ok(None);
            }
        };
        let address = match said.authzid.as_str() {
            "" => None,
            named => match Address::parse(named) {
                Ok(address) => Some(address),
                Err(_) => return Ok(None),
            },
        };
        let (subject, organisation) = (claims.subject(), claims.organisation());
        let found = self.db.mailbox_of_user(subject, organisation, address.as_ref()).await?;
        let Some(mailbox) = found.filter(|mailbox| mailbox.active) else { return Ok(None) };
        self.db.note_login(mailbox.address_id, None).await?;
        let (tenant, address_id, address) = (mailbox.tenant, mailbox.address_id, mailbox.address);
        Ok(Some(Identity { tenant, address_id, address }))
    }
}
