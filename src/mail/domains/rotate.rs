//! New DKIM keys in place of old ones, without a moment at which signatures do not verify.
//!
//! New keys are published first and sign once their records are seen, by a check of the domain or
//! by [`Domains::keep_keys`]. Those they follow sign no more, but their records stay: mail they signed is still
//! under way, and is verified where it arrives.

use std::time::Duration;

use futures_util::{StreamExt as _, stream};
use serde::Serialize;
use tokio::time::Instant;

use crate::domain::ids::{DomainId, TenantId};
use crate::mail::Error;
use crate::mail::dkim::Algorithm;
use crate::mail::domains::check::Report;
use crate::mail::domains::records::Record;
use crate::mail::domains::{Domains, look};
use crate::net::dns::Resolver;
use crate::store::domain_keys::Standing;
use crate::store::domain_keys::rotate::PendingKey;
use crate::store::domains::Domain;
use crate::store::notify::Channel;
use crate::wire::dkim::key_record;

/// How often the records of new keys are looked for.
const LOOK: Duration = Duration::from_mins(1);
/// Records that are asked for at once.
const AT_ONCE: usize = 16;
/// How long a running server is given to make keys: some two seconds of CPU at most.
const MAKING: Duration = Duration::from_secs(10);
/// How often it is asked whether it has.
const AGAIN: Duration = Duration::from_millis(100);

/// New keys that were asked for.
#[derive(Clone, Debug, Serialize)]
pub struct Rotation {
    /// The domain.
    pub domain: String,
    /// They are made; else no server runs that would, and it is done when one does.
    pub made: bool,
    /// The records to publish for them.
    pub records: Vec<Record>,
}

impl Domains {
    /// Asks for new keys of a domain, and waits up to ten seconds for a running server to make
    /// them. Keys that are pending already are the new ones.
    pub async fn rotate_keys(&self, domain: &Domain) -> Result<Rotation, Error> {
        let tenant = self.db.tenant(domain.tenant_id);
        tenant.request_keys(domain.id).await?;
        let until = Instant::now() + MAKING;
        let mut waits = true;
        while waits && Instant::now() < until {
            tokio::time::sleep(AGAIN).await;
            waits = tenant.awaits_keys(domain.id).await?;
        }
        let mut records = self.dns_records(domain).await?.records;
        records.retain(|record| record.key == Some(Standing::Pending));
        Ok(Rotation { domain: domain.domain.clone(), made: !waits, records })
    }

    /// Has new keys sign whose records the report found as they should be.
    pub(super) async fn take_over(
        &self,
        domain: &Domain,
        report: &mut Report,
    ) -> Result<(), Error> {
        for finding in &mut report.findings {
            let record = &mut finding.record;
            let Some((selector, _)) = record.name.split_once("._domainkey.") else { continue };
            if finding.ok
                && record.key == Some(Standing::Pending)
                && self.activate(domain.tenant_id, domain.id, selector).await?
            {
                report.taken_over.push(selector.to_owned());
                record.key = Some(Standing::Active);
            }
        }
        Ok(())
    }

    /// Has a pending key sign, on every node; false when it is none any more.
    async fn activate(
        &self,
        tenant: TenantId,
        domain: DomainId,
        selector: &str,
    ) -> Result<bool, Error> {
        let overlap = self.site.key_overlap;
        let activated = self.db.tenant(tenant).activate_key(domain, selector, overlap).await?;
        if activated {
            tracing::info!(%domain, selector, "a new DKIM key signs");
            self.db.notify(Channel::Directory, "").await?;
        }
        Ok(activated)
    }

    /// Looks for the records of new keys and retires old ones, now and every minute, for ever.
    /// Every node may run it.
    pub async fn keep_keys(self) {
        loop {
            if let Err(error) = self.look_for_new_keys().await {
                tracing::warn!(%error, "DKIM keys could not follow each other; tried again");
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Has every pending key of all domains sign whose record is seen, and retires those whose
    /// time is over.
    pub async fn look_for_new_keys(&self) -> Result<(), Error> {
        let mut after = None;
        loop {
            let pending = self.db.pending_keys(after).await?;
            let Some(last) = pending.last() else { break };
            after = Some(last.id);
            let mut seen = stream::iter(pending)
                .map(async |key| published(&self.resolver, &key).await.then_some(key))
                .buffer_unordered(AT_ONCE);
            while let Some(key) = seen.next().await {
                let Some(PendingKey { tenant, domain_id, key, .. }) = key else { continue };
                self.activate(tenant, domain_id, &key.selector).await?;
            }
        }
        let retired = self.db.retire_keys().await?;
        if retired > 0 {
            tracing::info!(keys = retired, "DKIM keys retired; their records may be removed");
        }
        Ok(())
    }
}

async fn published(resolver: &Resolver, pending: &PendingKey) -> bool {
    let Some(algorithm) = Algorithm::named(&pending.key.algorithm) else { return false };
    let wanted = key_record(algorithm.key_type(), &pending.key.public_key);
    let name = format!("{}._domainkey.{}", pending.key.selector, pending.domain);
    let texts = resolver.txt(&name).await.unwrap_or_default();
    look::publishes_key(&texts, &wanted)
}
