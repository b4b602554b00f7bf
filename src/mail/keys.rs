//! DKIM keys: made for every domain, sealed, and opened to sign with.

use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::error::Unspecified;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _, RsaKeyPair};
use moka::sync::Cache;
use time::{Date, OffsetDateTime};
use tokio::sync::Notify;
use uuid::Uuid;

use crate::domain::ids::TenantId;
use crate::mail::Error;
use crate::mail::dkim::{Algorithm, Signer};
use crate::mail::seal::Seal;
use crate::store::db::Db;
use crate::store::domain_keys::{KeyRow, NewKey};
use crate::store::master_key::MasterKey;

/// Signers of domains that are kept at hand. A key takes some 3 KiB.
const CACHED: u64 = 10_000;
/// How long a signer is used without asking whether its key still is current.
const TRUSTED: Duration = Duration::from_mins(5);
/// How often domains without keys are looked for when nobody tells of a change.
const POLL: Duration = Duration::from_mins(5);
/// Changes come in bursts; they are looked at together.
const GATHER: Duration = Duration::from_millis(250);

/// The keys of all domains. Cheap to clone.
#[derive(Clone)]
pub struct Keys(Arc<Inner>);

struct Inner {
    db: Db,
    seal: Seal,
    signers: Cache<(TenantId, String), Arc<Vec<Signer>>>,
    changed: Notify,
}

impl Keys {
    /// Sealed under `master`, kept in `db`.
    ///
    /// # Errors
    /// [`Error::Internal`] when the cipher cannot be set up.
    pub fn new(db: Db, master: &MasterKey) -> Result<Self, Error> {
        let seal = Seal::new(master)?;
        let signers = Cache::builder().max_capacity(CACHED).time_to_live(TRUSTED).build();
        Ok(Self(Arc::new(Inner { db, seal, signers, changed: Notify::new() })))
    }

    /// Whether the keys of the database open with this node's master key.
    pub async fn open(&self) -> Result<bool, Error> {
        let samples = self.0.db.sealed_samples().await?;
        Ok(samples.iter().all(|(id, sealed)| self.0.seal.open(*id, sealed).is_ok()))
    }

    /// Says so in the log when they do not: all signed mail of this node would wait, and nothing
    /// else tell why.
    pub async fn warn_of_another_master(&self) {
        match self.open().await {
            Ok(true) => {}
            Ok(false) => tracing::error!(
                "the DKIM keys in the database were sealed with another master key than this node's: \
                 mail that is to be signed waits; give every node the same master.key or \
                 KOLTRIX_MASTER_KEY"
            ),
            Err(error) => tracing::warn!(%error, "whether the DKIM keys open is not known"),
        }
    }

    /// Takes in that organisations, domains or keys changed: forgets the signers at hand and has
    /// [`Keys::keep`] look for domains without keys.
    pub fn directory_changed(&self) {
        self.0.signers.invalidate_all();
        self.0.changed.notify_one();
    }

    /// Makes keys wherever they lack, now and after every change, for ever. Every node may run it.
    pub async fn keep(self) {
        loop {
            if let Err(error) = self.ensure_all().await {
                tracing::warn!(%error, "DKIM keys could not be made; tried again");
            }
            // Either way it is time to look.
            let _ = tokio::time::timeout(POLL, self.0.changed.notified()).await;
            tokio::time::sleep(GATHER).await;
        }
    }

    /// Makes the keys that any domain lacks or wants anew, and says how many; domains at which another node is
    /// are left to it. A key of either algorithm takes up to half a second of CPU.
    pub async fn ensure_all(&self) -> Result<usize, Error> {
        let mut made = 0;
        while let Some(domain) = self.0.db.next_keyless_domain().await? {
            let id = domain.id;
            let missing = Algorithm::ALL
                .into_iter()
                .filter(|a| !domain.has.iter().any(|has| has == a.name()));
            let mut keys = Vec::new();
            for algorithm in missing {
                let selector =
                    selector(algorithm, OffsetDateTime::now_utc().date(), &domain.selectors);
                keys.push(self.make(algorithm, selector).await?);
            }
            domain.keep(&keys).await?;
            made += keys.len();
            tracing::info!(domain = %id, keys = keys.len(), "DKIM keys made");
        }
        Ok(made)
    }

    async fn make(&self, algorithm: Algorithm, selector: String) -> Result<NewKey, Error> {
        let pair = tokio::task::spawn_blocking(move || Pair::generate(algorithm))
            .await
            .map_err(|error| Error::Internal(format!("key task: {error}")))?
            .map_err(|_| Error::Internal(format!("no {} key could be made", algorithm.name())))?;
        let id = Uuid::new_v4();
        let sealed = self.0.seal.seal(id, &pair.pkcs8)?;
        Ok(NewKey { id, selector, algorithm: algorithm.name(), sealed, public_key: pair.public })
    }

    /// What mail of `tenant` from `domain` is signed with: a signer of each algorithm, or none while
    /// the domain is not proven to be the organisation's or its keys are being made.
    ///
    /// # Errors
    /// [`Error::Temporary`] when the database does not answer or a key does not open: mail waits
    /// rather than leaves unsigned.
    pub async fn signers(&self, tenant: TenantId, domain: &str) -> Result<Arc<Vec<Signer>>, Error> {
        let key = (tenant, domain.to_ascii_lowercase());
        if let Some(signers) = self.0.signers.get(&key) {
            return Ok(signers);
        }
        let rows = self.0.db.tenant(tenant).signing_keys(&key.1).await?;
        let signers: Result<Vec<Signer>, Error> =
            rows.iter().map(|row| self.signer(&key.1, row)).collect();
        let signers = Arc::new(signers?);
        // That there is none is soon over: nobody tells when keys are made.
        if !signers.is_empty() {
            self.0.signers.insert(key, Arc::clone(&signers));
        }
        Ok(signers)
    }

    fn signer(&self, domain: &str, row: &KeyRow) -> Result<Signer, Error> {
        let algorithm = Algorithm::named(&row.algorithm)
            .ok_or_else(|| Error::Internal(format!("DKIM key {}: unknown algorithm", row.id)))?;
        let pkcs8 = (self.0.seal)
            .open(row.id, &row.sealed)
            .map_err(|error| Error::Temporary(format!("DKIM key {}: {error}", row.id)))?;
        Signer::new(domain, &row.selector, algorithm, &pkcs8)
    }
}

/// A fresh key.
pub(super) struct Pair {
    /// The private half.
    pub(super) pkcs8: Vec<u8>,
    /// The public half as the `p=` tag carries it: SubjectPublicKeyInfo of RSA (RFC 6376 §3.6.1),
    /// the bare 32 octets of Ed25519 (RFC 8463 §4).
    pub(super) public: Vec<u8>,
}

impl Pair {
    /// Up to half a second of CPU for RSA: call it on a blocking thread.
    pub(super) fn generate(algorithm: Algorithm) -> Result<Self, Unspecified> {
        match algorithm {
            Algorithm::Rsa => {
                let pair = RsaKeyPair::generate(KeySize::Rsa2048)?;
                let pkcs8: Pkcs8V1Der<'_> = pair.as_der()?;
                let public: PublicKeyX509Der<'_> = pair.public_key().as_der()?;
                Ok(Self { pkcs8: pkcs8.as_ref().to_vec(), public: public.as_ref().to_vec() })
            }
            Algorithm::Ed25519 => {
                let pkcs8 = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new())?;
                let pair = Ed25519KeyPair::from_pkcs8(pkcs8.as_ref()).map_err(|_| Unspecified)?;
                let public = pair.public_key().as_ref().to_vec();
                Ok(Self { pkcs8: pkcs8.as_ref().to_vec(), public })
            }
        }
    }
}

/// `kx-r-20270131` or `kx-e-20270131`: the day a key was made; a second one of that day ends in
/// `-2`. A selector is never used again, so that no cache takes the new key for the old.
fn selector(algorithm: Algorithm, today: Date, taken: &[String]) -> String {
    let letter = match algorithm {
        Algorithm::Rsa => 'r',
        Algorithm::Ed25519 => 'e',
    };
    let (year, month, day) = today.to_calendar_date();
    let first = format!("kx-{letter}-{year:04}{:02}{day:02}", u8::from(month));
    let mut selector = first.clone();
    let mut number = 1;
    while taken.contains(&selector) {
        number += 1;
        selector = format!("{first}-{number}");
    }
    selector
}

#[cfg(test)]
mod tests {
    use time::macros::date;

    use super::*;

    #[test]
    fn selectors_tell_the_day_and_never_come_twice() {
        let day = date!(2027 - 01 - 31);
        let first = selector(Algorithm::Rsa, day, &[]);
        assert_eq!(first, "kx-r-20270131");
        let second = selector(Algorithm::Rsa, day, std::slice::from_ref(&first));
        assert_eq!(second, "kx-r-20270131-2");
        assert_eq!(selector(Algorithm::Rsa, day, &[first, second]), "kx-r-20270131-3");
        assert_eq!(selector(Algorithm::Ed25519, day, &[]), "kx-e-20270131");
    }

    #[test]
    fn public_halves_are_what_dns_carries() {
        let rsa = Pair::generate(Algorithm::Rsa).unwrap();
        // SEQUENCE { AlgorithmIdentifier, BIT STRING } of a 2048 bit key with e = 65537.
        assert_eq!((rsa.public.len(), &rsa.public[..4]), (294, &[0x30, 0x82, 0x01, 0x22][..]));
        assert_eq!(Pair::generate(Algorithm::Ed25519).unwrap().public.len(), 32);
    }
}
