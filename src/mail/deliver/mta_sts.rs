//! What domains say about TLS with their servers (MTA-STS, RFC 8461): asked for before a connection
//! is made, kept for as long as it holds.

mod fetch;

use std::sync::Arc;
use std::time::{Duration, Instant};

use moka::sync::Cache;
use tokio::sync::Mutex;

use crate::net::dns::{DnsError, Resolver, ascii_domain};
use crate::net::tls::{ClientTls, Roots, Unproven};
use crate::wire::mta_sts::{Mode, Policy, record_id};

use fetch::Fetcher;

/// What a domain's policy means for mail to it now.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum Standing {
    /// It has none.
    #[default]
    Unpublished,
    /// It has this one.
    Published(Arc<Policy>),
    /// It announces one that cannot be had; nothing is known of an earlier one.
    Unavailable(Unavailable),
}

/// Why an announced policy cannot be had (RFC 8460 §4.3.2.2).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unavailable {
    /// Its server cannot be reached, or says something else.
    Fetch,
    /// Its server does not prove its name.
    Certificate,
    /// What its server says is no policy.
    Invalid,
}

/// The policies of domains. Cheap to clone, clones share what is kept.
#[derive(Clone)]
pub struct Policies(Option<Arc<Inner>>);

struct Inner {
    resolver: Resolver,
    fetcher: Fetcher,
    kept: Cache<String, Arc<Kept>>,
    /// One at a time asks about a domain, and remembers when that failed last.
    asking: Cache<String, Arc<Mutex<Option<Failure>>>>,
}

/// A policy that was fetched.
struct Kept {
    id: String,
    policy: Arc<Policy>,
    at: Instant,
}

struct Failure {
    why: Unavailable,
    at: Instant,
}

/// Octets of policies that are kept.
const KEPT: u64 = 32 * 1024 * 1024;
/// Domains that are asked about at once, or whose failures are remembered.
const ASKED: u64 = 10_000;
/// After a failure nobody is asked for this long (RFC 8461 §3.3).
const PAUSE: Duration = Duration::from_mins(5);
/// A policy that is older is fetched anew while it still holds (RFC 8461 §3.3, §10.2).
const FRESH: Duration = Duration::from_hours(24);

impl Policies {
    /// Policies fetched from `port`; nobody is asked unless `on`.
    pub fn new(on: bool, port: u16, resolver: &Resolver, roots: &Roots) -> Self {
        let tls = match ClientTls::verified(roots) {
            Ok(tls) if on => tls,
            Ok(_) => return Self(None),
            Err(error) => {
                tracing::warn!(%error, "no policies of TLS (MTA-STS) can be fetched");
                return Self(None);
            }
        };
        let weigh = |domain: &String, kept: &Arc<Kept>| {
            let names: usize = kept.policy.mx.iter().map(|name| name.len() + 32).sum();
            u32::try_from(names + domain.len() + 256).unwrap_or(u32::MAX)
        };
        Self(Some(Arc::new(Inner {
            resolver: resolver.clone(),
            fetcher: Fetcher { resolver: resolver.clone(), tls, port },
            kept: Cache::builder().weigher(weigh).max_capacity(KEPT).build(),
            asking: Cache::new(ASKED),
        })))
    }

    /// What holds for mail to `domain` now.
    pub async fn of(&self, domain: &str) -> Standing {
        match (&self.0, ascii_domain(domain)) {
            (Some(inner), Some(domain)) => inner.of(&domain).await,
            _ => Standing::Unpublished,
        }
    }
}

impl Inner {
    async fn of(&self, domain: &str) -> Standing {
        let records = match self.resolver.txt(&format!("_mta-sts.{domain}")).await {
            Ok(records) => records,
            Err(error) => {
                if error != DnsError::NotFound {
                    tracing::debug!(domain, %error, "whether there is a policy of TLS is not known");
                }
                Vec::new()
            }
        };
        // Whoever can take a record away must not be able to take the policy away.
        let Some(id) = record_id(&records) else {
            return self.valid(domain).map_or(Standing::Unpublished, |kept| kept.standing());
        };
        if let Some(kept) = self.valid(domain).filter(|kept| kept.is_current(id)) {
            return kept.standing();
        }
        let asking = self.asking.get_with_by_ref(domain, Arc::default);
        let mut failure = asking.lock().await;
        // Somebody else may just have asked.
        let kept = self.valid(domain);
        if let Some(kept) = kept.as_ref().filter(|kept| kept.is_current(id)) {
            return kept.standing();
        }
        let failed = match &*failure {
            Some(failure) if failure.at.elapsed() < PAUSE => failure.why,
            _ => match self.fetcher.fetch(domain).await {
                Ok(policy) => {
                    *failure = None;
                    return self.keep(domain, id, policy).standing();
                }
                Err(why) => {
                    *failure = Some(Failure { why, at: Instant::now() });
                    why
                }
            },
        };
        kept.map_or(Standing::Unavailable(failed), |kept| kept.standing())
    }

    fn valid(&self, domain: &str) -> Option<Arc<Kept>> {
        self.kept.get(domain).filter(|kept| kept.at.elapsed() < kept.policy.max_age)
    }

    fn keep(&self, domain: &str, id: &str, policy: Policy) -> Arc<Kept> {
        tracing::info!(domain, mode = ?policy.mode, "policy of TLS (MTA-STS) fetched");
        let (id, policy) = (id.to_owned(), Arc::new(policy));
        let kept = Arc::new(Kept { id, policy, at: Instant::now() });
        self.kept.insert(domain.to_owned(), Arc::clone(&kept));
        kept
    }
}

impl Kept {
    /// Whether there is no need to fetch it again.
    fn is_current(&self, id: &str) -> bool {
        self.id == id && self.at.elapsed() < FRESH.min(self.policy.max_age / 2)
    }

    fn standing(&self) -> Standing {
        match self.policy.mode {
            Mode::None => Standing::Unpublished,
            Mode::Enforce | Mode::Testing => Standing::Published(Arc::clone(&self.policy)),
        }
    }
}

impl Standing {
    /// The policy that keeps mail from servers that do not obey it.
    pub fn enforced(&self) -> Option<&Policy> {
        match self {
            Self::Published(policy) if policy.mode == Mode::Enforce => Some(policy),
            _ => None,
        }
    }

    /// Why a connection under TLS is as it is, for people.
    pub fn why(&self, proof: Result<(), Unproven>) -> String {
        let asks = match self {
            Self::Unpublished => "no policy asks for it",
            Self::Unavailable(_) => "the policy (MTA-STS) is not available",
            Self::Published(policy) if policy.mode == Mode::Enforce => "MTA-STS",
            Self::Published(_) => "MTA-STS, testing",
        };
        match proof {
            Ok(()) => format!("verified ({asks})"),
            Err(why) => format!("not verified: {why} ({asks})"),
        }
    }
}
