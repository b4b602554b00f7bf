//! Whose tokens open mailboxes: the issuer and its keys.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::config::Oauth;
use crate::mail::Error;
use crate::net::http_client::{HttpError, HttpService};
use crate::net::tls::Roots;
use crate::wire::jwt::{Claims, Expected, Key, KeySet, Unverified};

/// How long asking for the keys may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// The keys are asked for at most this often, whatever key a token names.
const SELDOM: Duration = Duration::from_mins(1);
/// How long they are used without asking again: as the issuer says within these bounds, or for
/// this long where it says nothing.
const SHORTEST: Duration = Duration::from_mins(5);
const LONGEST: Duration = Duration::from_hours(24);
const USUAL: Duration = Duration::from_hours(1);

/// An issuer. Clones share its keys.
#[derive(Clone)]
pub struct Issuer(Arc<Inner>);

struct Inner {
    expected: Expected,
    configuration: String,
    service: HttpService,
    kept: RwLock<Kept>,
    /// Held by the one that asks; it was asked last at that time.
    asking: Mutex<Option<Instant>>,
}

/// The keys, and until when they are not asked for again.
#[derive(Default)]
struct Kept {
    keys: Arc<KeySet>,
    until: Option<Instant>,
}

impl Issuer {
    /// The one of the settings; `None` where none is named.
    ///
    /// # Errors
    /// Where its address is none, or its name could not be believed.
    pub fn new(settings: &Oauth) -> Result<Option<Self>, Error> {
        if settings.issuer.is_empty() {
            return Ok(None);
        }
        let other = |error: &dyn std::fmt::Display| Error::Internal(error.to_string());
        let base = settings.issuer.trim_end_matches('/');
        let url = match settings.jwks_url.as_str() {
            "" => format!("{base}/.well-known/jwks.json"),
            url => url.to_owned(),
        };
        let roots = Roots::load(&settings.root).map_err(|e| other(&e))?;
        let service = HttpService::secure(&url, PATIENCE, &roots).map_err(|e| other(&e))?;
        Ok(Some(Self(Arc::new(Inner {
            expected: Expected {
                issuer: settings.issuer.clone(),
                audiences: settings.audience.clone(),
                parties: settings.authorized_parties.clone(),
            },
            configuration: format!("{base}/.well-known/openid-configuration"),
            service,
            kept: RwLock::default(),
            asking: Mutex::default(),
        }))))
    }

    /// Where a client finds whom to ask for a token (OpenID Connect Discovery §4).
    pub(super) fn configuration(&self) -> &str {
        &self.0.configuration
    }

    /// What the token claims, where it is the issuer's, for us and for now; else why not.
    pub(super) async fn claims(&self, token: &str) -> Result<Claims, String> {
        let token = Unverified::parse(token).ok_or("not a token that could be believed")?;
        let key = self.key(token.key_id()).await.ok_or("an unknown key")?;
        let claims = token.verify(&key).ok_or("a forged signature")?;
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        claims.check(&self.0.expected, now.as_secs_f64()).map_err(|wrong| wrong.to_string())?;
        Ok(claims)
    }

    /// The key of this name: one that is known, also where the issuer cannot be asked now.
    async fn key(&self, name: &str) -> Option<Key> {
        if let (Some(key), true) = self.known(name) {
            return Some(key);
        }
        // Whoever waits behind another one that asks finds what that one has found.
        let mut asked = self.0.asking.lock().await;
        let (key, fresh) = self.known(name);
        let late = asked.is_none_or(|last| last.elapsed() >= SELDOM);
        if !late || (fresh && key.is_some()) {
            return key;
        }
        *asked = Some(Instant::now());
        if let Err(error) = self.ask().await {
            tracing::warn!(%error, "the issuer of tokens does not tell its keys; known ones stay");
        }
        self.known(name).0
    }

    /// The key of this name, and whether the keys are still to be used without asking.
    fn known(&self, name: &str) -> (Option<Key>, bool) {
        let kept = self.0.kept.read().unwrap_or_else(PoisonError::into_inner);
        let fresh = kept.until.is_some_and(|until| Instant::now() < until);
        (kept.keys.get(name).cloned(), fresh)
    }

    async fn ask(&self) -> Result<(), HttpError> {
        let answer = self.0.service.get("").await?;
        if answer.status != 200 {
            return Err(HttpError::Protocol(format!("status {}", answer.status)));
        }
        let keys = KeySet::parse(&answer.body).filter(|keys| !keys.is_empty());
        let keys = keys.ok_or_else(|| HttpError::Protocol("no set of usable keys".to_owned()))?;
        let until = answer.max_age.unwrap_or(USUAL).clamp(SHORTEST, LONGEST);
        let kept = Kept { keys: Arc::new(keys), until: Some(Instant::now() + until) };
        *self.0.kept.write().unwrap_or_else(PoisonError::into_inner) = kept;
        Ok(())
    }
}
