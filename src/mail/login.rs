//! Login, for every protocol: one place that says yes.

mod bearer;
mod issuer;
pub mod sasl;
pub mod scram;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::hmac;
use moka::sync::Cache;
use tokio::sync::Semaphore;
use uuid::Uuid;

use crate::domain::address::Address;
use crate::mail::client::Identity;
use crate::mail::throttle::Throttle;
use crate::mail::{Error, password};
use crate::store::db::Db;

pub use issuer::Issuer;

/// Checks user names and passwords. Cheap to clone.
#[derive(Clone)]
pub struct Login {
    db: Db,
    throttle: Throttle,
    /// Each check takes 19 MiB and a core for 20 ms: few at a time.
    workers: Arc<Semaphore>,
    /// Checks that succeeded a moment ago, by a keyed digest of hash and
    /// password: a client opens five connections, and a changed password has
    /// another digest at once.
    recent: Cache<[u8; 32], ()>,
    key: Arc<hmac::Key>,
    /// Passwords that were refused, each with its user and the hash that it was held against.
    refused: Cache<[u8; 32], ()>,
    /// What an unknown user is checked against, so that time tells nothing.
    nobody: Arc<str>,
    /// Makes the salts of unknown users.
    salts: Arc<hmac::Key>,
    /// Passwords whose SCRAM keys were looked after a moment ago.
    learned: Cache<Uuid, ()>,
    /// SCRAM-SHA-256 is offered.
    scram: bool,
    /// Whose tokens open mailboxes.
    issuer: Option<Issuer>,
}

/// What a password is.
enum Checked {
    Right(Identity),
    Wrong,
    /// As it was a while ago: a client that has yet to hear of a new password says the old one
    /// again and again. That is no guessing, and costs us no work.
    WrongAgain,
}

/// How long a refusal waits that was told before.
const AGAIN: Duration = Duration::from_secs(2);

impl Login {
    /// Takes 20 ms: it makes the hash that unknown users are checked against.
    pub fn new(db: Db) -> Result<Self, Error> {
        let key = hmac::Key::generate(hmac::HMAC_SHA256, &aws_lc_rs::rand::SystemRandom::new())
            .map_err(|_| Error::Internal("no randomness".into()))?;
        let nobody = password::hash(&password::generate()?)?;
        let workers = std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
        Ok(Self {
            db,
            throttle: Throttle::default(),
            workers: Arc::new(Semaphore::new(workers)),
            recent: Cache::builder()
                .max_capacity(50_000)
                .time_to_live(Duration::from_mins(5))
                .build(),
            refused: Cache::builder()
                .max_capacity(50_000)
                .time_to_live(Duration::from_hours(24))
                .build(),
            salts: Arc::new(key.clone()),
            key: Arc::new(key),
            nobody: nobody.into(),
            learned: Cache::builder()
                .max_capacity(50_000)
                .time_to_live(Duration::from_mins(5))
                .build(),
            scram: false,
            issuer: None,
        })
    }

    /// The same, by SCRAM-SHA-256 too.
    #[must_use]
    pub fn offering_scram(self, scram: bool) -> Self {
        Self { scram, ..self }
    }

    /// The same, by tokens of `issuer` too.
    #[must_use]
    pub fn believing(self, issuer: Option<Issuer>) -> Self {
        Self { issuer, ..self }
    }

    /// The same, with salts for unknown users that are made from `secret`: all nodes with one
    /// secret tell the same ones, today and tomorrow.
    #[must_use]
    pub fn salting_with(self, secret: &[u8; 32]) -> Self {
        let root = hmac::Key::new(hmac::HMAC_SHA256, secret);
        let own = hmac::sign(&root, b"koltrix SCRAM salts of nobody");
        Self { salts: Arc::new(hmac::Key::new(hmac::HMAC_SHA256, own.as_ref())), ..self }
    }

    /// Whose mailbox `username` and `password` open.
    ///
    /// # Errors
    /// [`Error::Denied`] alike for an unknown user, a wrong password, a
    /// suspended mailbox and a peer that failed too often, after a delay that
    /// grows with each failure; [`Error::Temporary`] without the database.
    pub async fn check(
        &self,
        username: &str,
        password: &str,
        peer: IpAddr,
    ) -> Result<Identity, Error> {
        self.unless_blocked(peer, username).await?;
        let checked = match Address::parse(username) {
            Ok(address) if password.len() <= password::MAX_LENGTH => {
                self.open(address, password).await?
            }
            _ => Checked::Wrong,
        };
        match checked {
            Checked::Right(identity) => {
                self.throttle.succeeded(peer, username);
                Ok(identity)
            }
            Checked::Wrong => Err(self.deny(peer, username).await),
            Checked::WrongAgain => {
                tokio::time::sleep(AGAIN).await;
                Err(Error::Denied)
            }
        }
    }

    /// Whoever has failed too often is not heard.
    async fn unless_blocked(&self, peer: IpAddr, username: &str) -> Result<(), Error> {
        if self.throttle.is_blocked(peer, username) {
            tokio::time::sleep(Duration::from_secs(1)).await;
            return Err(Error::Denied);
        }
        Ok(())
    }

    /// Counts a failure and lets it wait for its answer.
    async fn deny(&self, peer: IpAddr, username: &str) -> Error {
        tokio::time::sleep(self.throttle.failed(peer, username)).await;
        Error::Denied
    }

    async fn open(&self, address: Address, password: &str) -> Result<Checked, Error> {
        let found = self.db.credentials(&address, &password::digest(password)).await?;
        let phc = found.as_ref().and_then(|c| c.password_hash.as_deref()).unwrap_or(&self.nobody);
        let app_password = found.as_ref().and_then(|c| c.app_password);
        if app_password.is_none() {
            let said = self.digest(password, &format!("{address} {phc}"));
            if self.refused.contains_key(&said) {
                return Ok(Checked::WrongAgain);
            }
            if !self.verify(password, phc).await? {
                self.refused.insert(said, ());
                return Ok(Checked::Wrong);
            }
        }
        let Some(credentials) = found.filter(|c| c.active) else {
            return Ok(Checked::Wrong);
        };
        self.db.note_login(credentials.address, app_password).await?;
        let phc = credentials.password_hash.as_deref().unwrap_or_default();
        self.learn(credentials.address, app_password, phc, password);
        let (tenant, address_id) = (credentials.tenant, credentials.address);
        Ok(Checked::Right(Identity { tenant, address_id, address }))
    }

    async fn verify(&self, password: &str, phc: &str) -> Result<bool, Error> {
        let digest = self.digest(password, phc);
        if self.recent.contains_key(&digest) {
            return Ok(true);
        }
        let _worker = self.workers.acquire().await.map_err(|e| Error::Internal(e.to_string()))?;
        // Of connections that a client opens at once, one was checked meanwhile.
        if self.recent.contains_key(&digest) {
            return Ok(true);
        }
        let (password, phc) = (password.to_owned(), phc.to_owned());
        let ok = tokio::task::spawn_blocking(move || password::verify(&password, &phc))
            .await
            .map_err(|e| Error::Internal(format!("argon2 task: {e}")))?;
        if ok {
            self.recent.insert(digest, ());
        }
        Ok(ok)
    }

    /// Of a password and what it was held against, whose length comes first: no two pairs run
    /// together.
    fn digest(&self, password: &str, with: &str) -> [u8; 32] {
        let mut context = hmac::Context::with_key(&self.key);
        context.update(&with.len().to_be_bytes());
        context.update(with.as_bytes());
        context.update(password.as_bytes());
        let mut out = [0; 32];
        out.copy_from_slice(context.sign().as_ref());
        out
    }
}
