//! Once a day, each domain that asked is told: one node takes a domain at a time, and what it could
//! not do comes again later.

use std::time::Duration;

use crate::domain::address::Address;
use crate::domain::report::Kind;
use crate::mail::Error;
use crate::mail::authenticity::Authenticity;
use crate::mail::reporting::post::{Letter, Post};
use crate::mail::reporting::{bounds, dmarc, tls};
use crate::net::dns::{DnsError, Resolver};
use crate::store::db::Db;
use crate::store::report_counts::DueReport;
use crate::wire::report::{pack, tls as record};

/// Between two looks at what is due.
const POLL: Duration = Duration::from_secs(5);
/// Rows of one report; the rarest are left out.
const MOST_ROWS: u32 = 10_000;
/// Addresses that one report goes to.
const MOST_ADDRESSES: usize = 5;
/// After so many tries, most of a day, a report is given up.
const MAX_ATTEMPTS: u32 = 8;

/// Tells domains. Cheap to clone.
#[derive(Clone)]
pub struct Daily {
    /// What was counted.
    pub db: Db,
    /// Who wants DMARC reports.
    pub authenticity: Authenticity,
    /// Who wants TLS reports.
    pub resolver: Resolver,
    /// How they go.
    pub post: Post,
}

/// Somebody who asked for reports, and the octets of the largest that are wanted.
pub type Destination = (Address, Option<u64>);

impl Daily {
    /// Tells whoever is due, for ever. Every node may run it.
    pub async fn run(self) {
        loop {
            match self.next().await {
                Ok(true) => {}
                Ok(false) => tokio::time::sleep(POLL).await,
                Err(error) => {
                    tracing::warn!(%error, "reports wait");
                    tokio::time::sleep(POLL).await;
                }
            }
        }
    }

    /// Tells one domain; whether there was one to tell.
    async fn next(&self) -> Result<bool, Error> {
        let Some(due) = self.db.lease_report().await? else { return Ok(false) };
        match self.tell(&due).await {
            Ok(()) => self.db.end_report(&due).await?,
            Err(error) if due.attempts >= MAX_ATTEMPTS => {
                tracing::warn!(report = %due.id, %error, "a report is given up");
                self.db.end_report(&due).await?;
            }
            Err(error) => tracing::warn!(report = %due.id, %error, "a report is tried again"),
        }
        Ok(true)
    }

    async fn tell(&self, due: &DueReport) -> Result<(), Error> {
        let destinations = match due.kind {
            Kind::Dmarc => self.authenticity.report_destinations(&due.domain).await?,
            Kind::Tls => self.tls_destinations(&due.domain).await?,
        };
        let counts = self.db.counts_of(due, MOST_ROWS).await?;
        if destinations.is_empty() || counts.is_empty() {
            return Ok(());
        }
        let (begin, end) = bounds(due.day);
        let period = (begin.unix_timestamp(), end.unix_timestamp());
        let id = due.id.simple().to_string();
        let who = (self.post.organization(), self.post.contact(), id.as_str());
        let report = match due.kind {
            Kind::Dmarc => dmarc::report(who, period, counts)?,
            Kind::Tls => tls::report(who, &due.domain, (begin, end), counts)?,
        };
        let packed = pack(&report).map_err(|e| Error::Internal(format!("gzip: {e}")))?;
        let is_tls = due.kind == Kind::Tls;
        let letter = Letter { id: due.id, domain: &due.domain, is_tls, period, packed: &packed };
        for (address, most) in destinations.into_iter().take(MOST_ADDRESSES) {
            if most.is_some_and(|most| packed.len() as u64 > most) {
                tracing::info!(report = %due.id, size = packed.len(), "a report is larger than wanted");
                continue;
            }
            self.post.send(&letter, &address).await?;
        }
        tracing::info!(report = %due.id, kind = due.kind.as_str(), "report sent");
        Ok(())
    }

    /// Who wants TLS reports about `domain` (RFC 8460 §3).
    async fn tls_destinations(&self, domain: &str) -> Result<Vec<Destination>, Error> {
        let records = match self.resolver.txt(&format!("_smtp._tls.{domain}")).await {
            Ok(records) => records,
            Err(DnsError::NotFound) => return Ok(Vec::new()),
            Err(error) => return Err(Error::Temporary(format!("DNS: {error}"))),
        };
        let asked: Vec<String> =
            records.iter().flat_map(|text| record::destinations(text)).collect();
        Ok(asked.iter().filter_map(|to| Some((Address::parse(to).ok()?, None))).collect())
    }
}
