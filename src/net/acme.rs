//! Certificates from an ACME server (RFC 8555), proven by HTTP-01 (§8.3) through our own edge.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use instant_acme::{
    Account, AccountBuilder, AuthorizationStatus, ChallengeType, Error, Identifier, NewAccount,
    NewOrder, OrderStatus, RetryPolicy,
};
use time::OffsetDateTime;

use super::tls::{ServerTls, inspect, save_pair};
use crate::config;

/// A certificate is renewed when it ends within this time.
const EARLY: time::Duration = time::Duration::days(30);
/// How often that is looked at, and how soon again for a name that failed.
const PERIOD: Duration = Duration::from_mins(10);
const AGAIN: Duration = Duration::from_hours(1);
/// Certificates that are asked for in one look: ACME servers bound what they issue in an hour.
const AT_ONCE: usize = 30;
/// How long the server may take over a proof, or a certificate.
const PATIENCE: Duration = Duration::from_mins(5);

/// What the ACME server asks our edge for: the answer to each token. Clones share it.
#[derive(Clone, Default)]
pub struct Challenges(Arc<RwLock<HashMap<String, String>>>);

impl Challenges {
    /// The answer to `token`; `None` for one that nobody waits for.
    pub fn answer(&self, token: &str) -> Option<String> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).get(token).cloned()
    }

    fn expect(&self, token: &str, answer: &str) {
        let mut all = self.0.write().unwrap_or_else(PoisonError::into_inner);
        all.insert(token.to_owned(), answer.to_owned());
    }

    fn forget_all(&self) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

/// Keeps the certificates of this node's names fresh.
pub struct Acme {
    settings: config::Acme,
    names: Vec<String>,
    certs_dir: PathBuf,
    account_file: PathBuf,
    challenges: Challenges,
    tls: ServerTls,
    /// Names for which none was issued, and when.
    failed: HashMap<String, Instant>,
}

impl Acme {
    /// For `hostname` and the names that are configured; `None` where no ACME server is.
    pub fn new(
        config: &config::Config,
        hostname: &str,
        tls: ServerTls,
        challenges: Challenges,
    ) -> Option<Self> {
        let settings = config.acme.clone();
        let names = std::iter::once(hostname).chain(settings.names.iter().map(String::as_str));
        let names = names.map(str::to_ascii_lowercase).collect();
        let on = !settings.directory.is_empty();
        on.then_some(Self {
            names,
            certs_dir: config.server.certs_dir.clone(),
            account_file: config.server.data_dir.join("acme-account.json"),
            settings,
            challenges,
            tls,
            failed: HashMap::new(),
        })
    }

    /// Looks at every name now and then, for ever; also at those that `others` finds each time.
    pub async fn run<F: Future<Output = Vec<String>>>(mut self, others: impl Fn() -> F) {
        loop {
            let names = self.names.iter().cloned().chain(others().await);
            let due = names.filter(|name| self.is_due(name)).take(AT_ONCE).collect();
            self.renew(due).await;
            tokio::time::sleep(PERIOD).await;
        }
    }

    async fn renew(&mut self, due: Vec<String>) {
        if due.is_empty() {
            return;
        }
        let account = match self.account().await {
            Ok(account) => account,
            Err(error) => {
                tracing::warn!(%error, "the ACME server does not know us");
                return self.failed.extend(due.into_iter().map(|name| (name, Instant::now())));
            }
        };
        for name in due {
            match self.obtain(&account, &name).await {
                Ok(()) => {
                    tracing::info!(%name, "a certificate was issued");
                    self.failed.remove(&name);
                }
                Err(error) => {
                    tracing::warn!(%name, %error, "no certificate was issued");
                    self.failed.insert(name, Instant::now());
                }
            }
            self.challenges.forget_all();
        }
        self.failed.retain(|_, at| at.elapsed() < AGAIN);
        if let Err(error) = self.tls.reload() {
            tracing::warn!(%error, "the server's own certificate cannot be read");
        }
    }

    fn is_due(&self, name: &str) -> bool {
        if self.failed.get(name).is_some_and(|at| at.elapsed() < AGAIN) {
            return false;
        }
        let facts = inspect(&self.certs_dir.join(name), name);
        !facts.is_ok_and(|facts| {
            let late = OffsetDateTime::now_utc() + EARLY;
            facts.names_host && facts.not_after.is_some_and(|end| end > late)
        })
    }

    /// The account of this node, made the first time. To ask for one is to agree to the terms.
    async fn account(&self) -> Result<Account, Error> {
        if let Ok(known) = std::fs::read(&self.account_file)
            && let Ok(credentials) = serde_json::from_slice(&known)
        {
            return self.builder()?.from_credentials(credentials).await;
        }
        let contact = format!("mailto:{}", self.settings.contact);
        let contacts: &[&str] = if self.settings.contact.is_empty() { &[] } else { &[&contact] };
        let new = NewAccount {
            contact: contacts,
            terms_of_service_agreed: true,
            only_return_existing: false,
        };
        let directory = self.settings.directory.clone();
        let (account, credentials) = self.builder()?.create(&new, directory, None).await?;
        let text = serde_json::to_vec(&credentials).map_err(|error| Error::Other(error.into()))?;
        write_private(&self.account_file, &text).map_err(|error| Error::Other(error.into()))?;
        Ok(account)
    }

    fn builder(&self) -> Result<AccountBuilder, Error> {
        match self.settings.root.as_os_str().is_empty() {
            true => Account::builder(),
            false => Account::builder_with_root(&self.settings.root),
        }
    }

    /// Proves that `name` is ours, asks for a certificate, keeps it in a folder of that name.
    async fn obtain(&self, account: &Account, name: &str) -> Result<(), Error> {
        let patience = RetryPolicy::new().timeout(PATIENCE);
        let identifiers = [Identifier::Dns(name.to_owned())];
        let mut order = account.new_order(&NewOrder::new(&identifiers)).await?;
        let mut authorizations = order.authorizations();
        while let Some(authorization) = authorizations.next().await {
            let mut authorization = authorization?;
            if authorization.status == AuthorizationStatus::Valid {
                continue;
            }
            let challenge = authorization.challenge(ChallengeType::Http01);
            let mut challenge = challenge.ok_or(Error::Str("HTTP-01 is not offered"))?;
            self.challenges.expect(&challenge.token, challenge.key_authorization().as_str());
            challenge.set_ready().await?;
        }
        if order.poll_ready(&patience).await? != OrderStatus::Ready {
            return Err(Error::Str("the proof was not accepted"));
        }
        let key = order.finalize().await?;
        let chain = order.poll_certificate(&patience).await?;
        save_pair(&self.certs_dir.join(name), &chain, &key)
            .map_err(|error| Error::Other(error.into()))
    }
}

/// Whole or not at all, and for this user alone.
fn write_private(path: &Path, text: &[u8]) -> std::io::Result<()> {
    use std::io::Write as _;
    use std::os::unix::fs::OpenOptionsExt as _;
    let draft = path.with_extension("new");
    let _ = std::fs::remove_file(&draft);
    let mut file =
        std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft)?;
    file.write_all(text)?;
    file.sync_all()?;
    std::fs::rename(&draft, path)
}
