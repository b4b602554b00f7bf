//! Double opt-in: who subscribes to a list that wants consent is asked by mail, and gets the list
//! once they have confirmed.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use crate::domain::token::Token;
use crate::mail::Error;
use crate::store;
use crate::store::db::Db;
pub use crate::store::opt_in::OptIn;
use crate::store::opt_in::{Asking, Proof};

/// How often it is looked whom to ask, and how many are asked in one go.
const PAUSE: Duration = Duration::from_secs(5);
const BATCH: i64 = 100;
/// Octets of a browser's name that are kept.
const AGENT: usize = 500;

/// Asks, and hears the answers. Cheap to clone.
#[derive(Clone)]
pub struct OptIns {
    db: Db,
    /// Begin of links where the sender's domain has no host for them.
    public_url: Arc<str>,
}

impl OptIns {
    /// Over the store.
    pub fn new(db: Db, public_url: &str) -> Self {
        Self { db, public_url: public_url.into() }
    }

    /// What `token` is for. Asking changes nothing.
    ///
    /// # Errors
    /// [`Error::NotFound`] alike for what is no token and for nobody's; [`Error::Refused`] once it is
    /// too late; [`Error::Temporary`] without the database.
    pub async fn find(&self, token: &str) -> Result<OptIn, Error> {
        let unknown = Error::NotFound("confirmation link");
        let Some(token) = Token::parse(token) else { return Err(unknown) };
        match self.db.opt_in(&token).await {
            Ok(found) if found.expired && !found.confirmed => Err(Error::Refused(
                "This link was good for seven days. Please subscribe again.".to_owned(),
            )),
            Ok(found) => Ok(found),
            Err(store::Error::NotFound) => Err(unknown),
            Err(error) => Err(error.into()),
        }
    }

    /// Confirms; committed when this returns. Asked twice it has happened once.
    ///
    /// # Errors
    /// As [`Self::find`].
    pub async fn confirm(&self, token: &str, from: IpAddr, agent: &str) -> Result<OptIn, Error> {
        let who = self.find(token).await?;
        if !who.confirmed {
            let agent = agent.get(..agent.floor_char_boundary(AGENT)).unwrap_or_default();
            self.db.confirm(&who, Proof { from, agent }).await?;
            tracing::info!(tenant = %who.tenant, id = %who.id, "a subscriber confirmed");
        }
        Ok(who)
    }

    /// Asks whoever is to be asked, for ever. Several nodes may run it.
    pub async fn ask(self) {
        loop {
            if let Err(error) = self.ask_all().await {
                tracing::warn!(%error, "subscribers are asked to confirm later");
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    async fn ask_all(&self) -> Result<(), Error> {
        for whom in self.db.unasked(BATCH).await? {
            let compose = |facts: &Asking| self.compose(facts);
            if let Err(error) = self.db.ask(&whom, compose).await {
                tracing::warn!(tenant = %whom.tenant, id = %whom.id, %error, "asked to confirm later");
            }
        }
        Ok(())
    }

    /// Subject and text; nothing where the organisation has no proven domain to ask from.
    fn compose(&self, facts: &Asking) -> Option<(String, String)> {
        if facts.from.is_none() {
            tracing::warn!(list = %facts.list, "no proven domain: a subscriber cannot be asked to confirm");
            return None;
        }
        let base = match &facts.link_host {
            Some(host) => format!("https://{host}"),
            None => self.public_url.to_string(),
        };
        let Asking { token, address, list, sender, .. } = facts;
        let subject = format!("Please confirm: {list}");
        let text = format!(
            "Somebody, most likely you, asked {sender} to send {list} to {address}.\n\n\
             To confirm it, open this page and press the button:\n\n{base}/confirm/{token}\n\n\
             The link is good for seven days. If it was not you, do nothing: nothing will be sent.\n"
        );
        Some((subject, text))
    }
}
