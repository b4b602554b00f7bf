//! Domains of organisations: claiming one, the DNS records it needs, and the proof that it is theirs.
//!
//! Anybody may claim a domain. It is proven by publishing the token of the claim at
//! `_koltrix.<domain>`, which nothing but control over its DNS allows; a domain that is not proven
//! neither sends nor signs. A proof stands once given: records that go missing later are reported,
//! but mail does not stop because somebody tidied a zone. One organisation at most can prove a
//! domain. The database itself tells every node of each change.

mod check;
mod look;
mod records;
mod rotate;
mod site;

pub use check::{Finding, Report, State};
pub use records::{DnsRecords, Kind, Need, Purpose, Record};
pub use rotate::Rotation;
pub use site::Site;

use std::sync::Arc;

use crate::domain::address::is_domain;
use crate::domain::ids::TenantId;
use crate::mail::{Error, Reason};
use crate::net::dns::Resolver;
use crate::store::db::Db;
use crate::store::domains::Domain;

/// Manages domains. Cheap to clone.
#[derive(Clone)]
pub struct Domains {
    db: Db,
    resolver: Resolver,
    site: Arc<Site>,
}

impl Domains {
    /// Over `db`; records name the services of `site` and are looked up with `resolver`.
    pub fn new(db: Db, resolver: Resolver, site: Site) -> Self {
        Self { db, resolver, site: Arc::new(site) }
    }

    /// Claims a domain for an organisation. Its DKIM keys are made by a running server within a
    /// second. `tracking_host` is the host of the links in tracked mail from it, where that is to be
    /// another than the server's own.
    ///
    /// # Errors
    /// [`Reason::BadDomain`]; [`Error::Exists`] when the organisation has claimed it already.
    pub async fn add(
        &self,
        tenant: TenantId,
        name: &str,
        tracking_host: Option<&str>,
    ) -> Result<Domain, Error> {
        let name = canonical(name)?;
        let tracking_host = tracking_host.map(canonical).transpose()?;
        let added = self.db.tenant(tenant).add_domain(&name, tracking_host.as_deref()).await;
        added.map_err(|error| {
            if error.is_conflict("tenant_domains_tenant_id_domain_key") {
                Error::Exists("domain")
            } else if error.is_conflict("tenant_domains_domain_check") {
                Reason::BadDomain.into()
            } else {
                error.into()
            }
        })?;
        self.find(Some(tenant), &name).await
    }

    /// The domains of one organisation, or of all; by slug and name.
    pub async fn list(&self, tenant: Option<TenantId>) -> Result<Vec<Domain>, Error> {
        Ok(self.db.domains(tenant, None).await?)
    }

    /// The claim of one organisation on a domain. Without an organisation, the proven claim, else
    /// the only one.
    ///
    /// # Errors
    /// [`Reason::BadDomain`]; [`Error::NotFound`], also when several claim it and none has proven it.
    pub async fn find(&self, tenant: Option<TenantId>, name: &str) -> Result<Domain, Error> {
        let mut claims = self.db.domains(tenant, Some(&canonical(name)?)).await?;
        match claims.iter().position(|claim| claim.verified_at.is_some()) {
            Some(proven) => Ok(claims.swap_remove(proven)),
            None if claims.len() > 1 => Err(Error::NotFound("one organisation for the domain")),
            None => claims.pop().ok_or(Error::NotFound("domain")),
        }
    }

    /// The records to publish for a domain.
    pub async fn dns_records(&self, domain: &Domain) -> Result<DnsRecords, Error> {
        let keys = self.db.tenant(domain.tenant_id).public_keys(domain.id).await?;
        Ok(records::records(&self.site, domain, &keys))
    }

    /// Looks up every record of a domain, and changes nothing.
    pub async fn look(&self, domain: &Domain) -> Result<Report, Error> {
        let wanted = self.dns_records(domain).await?;
        Ok(check::check(&self.resolver, domain, wanted).await)
    }

    /// Looks up every record of a domain, keeps the report, and takes the domain for proven when the
    /// verification record is right. A new key signs from the check on that sees its record.
    ///
    /// As slow as the slowest of some fifteen questions asked at once; see `[dns]` of the settings.
    pub async fn check(&self, domain: &Domain) -> Result<Report, Error> {
        let mut report = self.look(domain).await?;
        let tenant = self.db.tenant(domain.tenant_id);
        if domain.verified_at.is_none() && report.proof_found() {
            match tenant.verify_domain(domain.id).await {
                Ok(()) => report.proven(),
                Err(error) if error.is_conflict("tenant_domains_verified_key") => {
                    report.proven_elsewhere();
                }
                Err(error) => return Err(error.into()),
            }
        }
        self.take_over(domain, &mut report).await?;
        tenant.keep_domain_report(domain.id, &report).await?;
        Ok(report)
    }
}

/// Lower case, without the final dot.
fn canonical(name: &str) -> Result<String, Error> {
    let name = name.trim().strip_suffix('.').unwrap_or(name.trim()).to_lowercase();
    if is_domain(&name) { Ok(name) } else { Err(Reason::BadDomain.into()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_brought_to_one_form() {
        assert_eq!(canonical(" Acme.Example. ").unwrap(), "acme.example");
        for bad in ["", ".", "a..b", "a b", "jo@acme.example", "https://acme.example"] {
            assert!(matches!(canonical(bad), Err(Error::Rejected(Reason::BadDomain))), "{bad}");
        }
    }
}
