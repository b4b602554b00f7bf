//! What mail clients and other servers ask about a domain over HTTP, and the names they ask at.

use std::sync::Arc;

use crate::config::is_host_name;
use crate::mail::Error;
use crate::mail::domains::Site;
use crate::net::dns::{Resolver, ascii_domain, unicode_domain};
use crate::store::db::Db;

/// Where the policy of TLS is asked for, before the domain (RFC 8461 §3.3).
const POLICY_HOST: &str = "mta-sts.";
/// Where clients ask for their settings, before the domain.
pub(in crate::mail) const SETUP_HOSTS: [&str; 2] = ["autoconfig.", "autodiscover."];

/// Answers them for proven domains. Cheap to clone.
#[derive(Clone)]
pub struct Discovery {
    db: Db,
    resolver: Resolver,
    site: Arc<Site>,
}

/// How the mailboxes of a domain are reached.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Setup {
    /// The domain.
    pub domain: String,
    /// The server of all services.
    pub hostname: String,
    /// The HTTP edge.
    pub web_host: String,
    /// Submission over TLS, submission with STARTTLS, IMAP over TLS, IMAP with STARTTLS.
    pub ports: [u16; 4],
}

impl Discovery {
    /// For the services of `site`.
    pub fn new(db: Db, resolver: Resolver, site: Site) -> Self {
        Self { db, resolver, site: Arc::new(site) }
    }

    /// The policy of TLS that is asked for at `host` (RFC 8461 §3.2).
    ///
    /// # Errors
    /// [`Error::NotFound`] unless the host is `mta-sts.` before a domain that is proven.
    pub async fn policy(&self, host: &str) -> Result<String, Error> {
        let domain = host.strip_prefix(POLICY_HOST).ok_or(Error::NotFound("policy"))?;
        self.proven(domain).await?;
        let mut text = self.site.policy.lines().join("\r\n");
        text.push_str("\r\n");
        Ok(text)
    }

    /// How the mailbox `address` is reached; the mailbox itself is not looked for.
    ///
    /// # Errors
    /// [`Error::NotFound`] unless its domain is proven.
    pub async fn setup_for(&self, address: &str) -> Result<Setup, Error> {
        let (_, domain) = address.rsplit_once('@').ok_or(Error::NotFound("address"))?;
        self.setup(domain).await
    }

    /// How mailboxes are reached in the domain that `host` belongs to.
    ///
    /// # Errors
    /// [`Error::NotFound`] unless that is proven.
    pub async fn setup_at(&self, host: &str) -> Result<Setup, Error> {
        let domain = SETUP_HOSTS.iter().find_map(|prefix| host.strip_prefix(prefix));
        self.setup(domain.unwrap_or(host)).await
    }

    async fn setup(&self, domain: &str) -> Result<Setup, Error> {
        let domain = self.proven(domain).await?;
        let Site { hostname, web_host, ports, .. } = &*self.site;
        Ok(Setup { domain, hostname: hostname.clone(), web_host: web_host.clone(), ports: *ports })
    }

    /// The domain as it was proven.
    async fn proven(&self, domain: &str) -> Result<String, Error> {
        let domain = unicode_domain(domain).ok_or(Error::NotFound("domain"))?;
        match self.db.domain_is_proven(&domain).await? {
            true => Ok(domain),
            false => Err(Error::NotFound("domain")),
        }
    }

    /// The names of proven domains that lead here, each of which wants a certificate: of tracking
    /// links, of the policy and of settings.
    pub async fn names(&self) -> Vec<String> {
        let domains = match self.db.domains(None, None).await {
            Ok(domains) => domains,
            Err(error) => {
                tracing::warn!(%error, "the names that want certificates are not known");
                return Vec::new();
            }
        };
        let Ok(ours) = self.resolver.addresses(&self.site.web_host).await else {
            return Vec::new();
        };
        let mut names = Vec::new();
        for domain in domains.into_iter().filter(|domain| domain.verified_at.is_some()) {
            let prefixes = [POLICY_HOST].into_iter().chain(SETUP_HOSTS);
            let of_domain = prefixes.map(|prefix| format!("{prefix}{}", domain.domain));
            for name in domain.tracking_host.clone().into_iter().chain(of_domain) {
                let Some(name) = ascii_domain(&name).filter(|name| is_host_name(name)) else {
                    continue;
                };
                let found = self.resolver.addresses(&name).await.unwrap_or_default();
                if found.iter().any(|address| ours.contains(address)) {
                    names.push(name);
                }
            }
        }
        names
    }
}
