//! Logging in with SCRAM-SHA-256 and -PLUS (RFC 5802, RFC 7677): the password is never sent.

use std::net::IpAddr;

use uuid::Uuid;

use crate::domain::address::Address;
use crate::domain::ids::AddressId;
use crate::mail::client::Identity;
use crate::mail::login::Login;
use crate::mail::{Error, password};
use crate::net::stream::ChannelBindings;
use crate::store::db::Db;
use crate::store::scram::{ScramAccount, ScramOf};
use crate::wire::scram::{Binding, Challenge, ClientFirst, Keys, LEN};

/// A login that waits for the client's proof.
pub(super) struct Exchange {
    challenge: Challenge,
    address: Option<Address>,
    account: Option<ScramAccount>,
    user: String,
    channel: Vec<u8>,
}

impl Exchange {
    /// What the client is told.
    pub(super) fn challenge(&self) -> &str {
        self.challenge.message()
    }
}

impl Login {
    /// Begins a login. Whoever is unknown gets a salt like everybody else, the same each time.
    ///
    /// # Errors
    /// [`Error::Denied`] where the first message does not fit the channel, names somebody else to
    /// act as, or comes from a peer that failed too often; [`Error::Temporary`] without the
    /// database.
    pub(super) async fn scram(
        &self,
        first: ClientFirst,
        plus: bool,
        bindings: &ChannelBindings,
        peer: IpAddr,
    ) -> Result<Exchange, Error> {
        let user = first.user.clone();
        self.unless_blocked(peer, &user).await?;
        let channel = bound(&first, plus, bindings);
        let Some(channel) = channel else { return Err(self.deny(peer, &user).await) };
        let address = Address::parse(&user).ok();
        let account = match &address {
            Some(address) => self.db.scram_account(address).await?,
            None => None,
        };
        let nobody = self.salt_of_nobody(&user);
        let salt = account.as_ref().map_or(&nobody[..], |account| &account.salt);
        let nonce = password::generate()?;
        let challenge = Challenge::new(first, &nonce, salt, password::SCRAM_ITERATIONS);
        Ok(Exchange { challenge, address, account, user, channel })
    }

    /// Ends it: whose mailbox it is, and the proof that we know its password too.
    ///
    /// # Errors
    /// As [`Login::check`].
    pub(super) async fn scram_proof(
        &self,
        exchange: Exchange,
        message: &[u8],
        peer: IpAddr,
    ) -> Result<(Identity, String), Error> {
        let Exchange { challenge, address, account, user, channel } = exchange;
        let answer = challenge.answered(message, &channel);
        let known = account.filter(|account| account.active).zip(address).zip(answer);
        if let Some(((account, address), answer)) = known {
            for (keys, app_password) in &account.keys {
                let Some(keys) = keys_of(keys) else { continue };
                if let Some(proof) = answer.verify(&keys) {
                    self.db.note_login(account.address, *app_password).await?;
                    self.throttle.succeeded(peer, &user);
                    let (tenant, address_id) = (account.tenant, account.address);
                    return Ok((Identity { tenant, address_id, address }, proof));
                }
            }
        }
        Err(self.deny(peer, &user).await)
    }

    /// Keeps the keys of a password that has just been used, unless they are there: from then on it
    /// opens the mailbox by SCRAM too. In its own time; a login does not wait for it.
    pub(super) fn learn(
        &self,
        address: AddressId,
        app_password: Option<Uuid>,
        phc: &str,
        password: &str,
    ) {
        let of = app_password.unwrap_or(address.0);
        if self.learned.contains_key(&of) {
            return;
        }
        self.learned.insert(of, ());
        let (login, phc, password) = (self.clone(), phc.to_owned(), password.to_owned());
        tokio::spawn(async move {
            let of = match app_password {
                Some(id) => ScramOf::AppPassword(id),
                None => ScramOf::Password(&phc),
            };
            let Ok(_worker) = login.workers.acquire().await else { return };
            if let Err(error) = keep_keys(&login.db, address, of, password).await {
                tracing::debug!(mailbox = %address, %error, "SCRAM has to wait for another login");
            }
        });
    }

    /// A salt that nobody can tell from a mailbox's own.
    fn salt_of_nobody(&self, user: &str) -> [u8; 16] {
        let tag = aws_lc_rs::hmac::sign(&self.salts, user.to_lowercase().as_bytes());
        let mut salt = [0; 16];
        salt.iter_mut().zip(tag.as_ref()).for_each(|(to, from)| *to = *from);
        // Real ones are UUIDs of version 4.
        *uuid::Builder::from_random_bytes(salt).into_uuid().as_bytes()
    }
}

/// Derives and keeps the keys of `password`, unless they are there.
pub(in crate::mail) async fn keep_keys(
    db: &Db,
    mailbox: AddressId,
    of: ScramOf<'_>,
    password: String,
) -> Result<(), Error> {
    let app_password = match of {
        ScramOf::AppPassword(id) => Some(id),
        ScramOf::Password(_) => None,
    };
    let Some(salt) = db.missing_scram_keys(mailbox, app_password).await? else {
        return Ok(());
    };
    let keys = tokio::task::spawn_blocking(move || password::scram_keys(&password, &salt))
        .await
        .map_err(|error| Error::Internal(format!("SCRAM task: {error}")))?;
    Ok(db.keep_scram_keys(mailbox, of, &keys).await?)
}

/// The octets that the client's last message has to repeat; `None` where its first one does not go
/// with the channel (RFC 5802 §6): a client that believes we cannot bind, where we offered to, was
/// lied to.
fn bound(first: &ClientFirst, plus: bool, bindings: &ChannelBindings) -> Option<Vec<u8>> {
    if !first.authzid.is_empty() && first.authzid != first.user {
        return None;
    }
    match (&first.binding, plus) {
        (Binding::Type(name), true) => bindings.of_type(name).map(<[u8]>::to_vec),
        (Binding::Unknown, false) => Some(Vec::new()),
        (Binding::NotOffered, false) if bindings.is_empty() => Some(Vec::new()),
        _ => None,
    }
}

/// As they are stored: one behind the other.
fn keys_of(octets: &[u8]) -> Option<Keys> {
    let (stored, server) = octets.split_at_checked(LEN)?;
    Some(Keys { stored: stored.try_into().ok()?, server: server.try_into().ok()? })
}
