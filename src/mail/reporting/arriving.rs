//! Reports that come: noted before their message is stored, read after it, so that no report that
//! was taken is lost and no sender waits for it.
//!
//! Believed is what is proven: a DMARC pass; where the sender's domain has no policy, a pass of SPF
//! or DKIM; and what our own queue delivered. It has to be about a domain of the organisation that
//! it came to, or one above or below.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;

use crate::domain::ids::TenantId;
use crate::domain::verdict::{Outcome, Verdict};
use crate::mail::Error;
use crate::mail::body::Bodies;
use crate::mail::reporting::events::{self, Told};
use crate::store::arrived_reports::{ArrivedReport, ReportEvent};
use crate::store::db::Db;
use crate::store::emails::NewEmail;
use crate::wire::report::{Found, find, is_likely};

/// How often reports are looked for when nobody tells of one, or it was not yet to be seen.
const POLL: Duration = Duration::from_secs(5);
/// Messages taken at once.
const BATCH: u32 = 4;
/// After so many tries, half a day, a message is given up, or was never stored.
const MAX_ATTEMPTS: u32 = 9;
/// Messages larger than this bring no report.
const MAX_SIZE: usize = 20 * 1024 * 1024;

/// Takes note of reports, and reads them. Cheap to clone.
#[derive(Clone)]
pub struct Arriving {
    db: Db,
    wake: Arc<Notify>,
}

impl Arriving {
    /// Over the database.
    pub fn new(db: Db) -> Self {
        Self { db, wake: Arc::default() }
    }

    /// Takes note of a message that is about to be stored, if it looks as if it brought a report:
    /// then [`Arriving::stored`] is due after the commit. Ordinary mail costs no statement.
    pub(in crate::mail) async fn note(
        &self,
        tenant: TenantId,
        email: &NewEmail,
    ) -> Result<bool, Error> {
        let parts = email.attachments.iter();
        let parts = parts.map(|part| (part.content_type.as_str(), part.filename.as_deref()));
        let likely = is_likely(&email.fields.subject, parts);
        if likely {
            self.db.note_report(tenant, email.fields.id).await?;
        }
        Ok(likely)
    }

    /// What was noted is committed.
    pub(in crate::mail) fn stored(&self) {
        self.wake.notify_one();
    }

    /// Reads what came, for ever. Every node may run it.
    pub async fn read(self, bodies: Bodies) {
        loop {
            match self.round(&bodies).await {
                Ok(0) => {
                    // Either way it is time to look.
                    let _ = tokio::time::timeout(POLL, self.wake.notified()).await;
                }
                Ok(_) => {}
                Err(error) => {
                    tracing::warn!(%error, "arrived reports wait");
                    tokio::time::sleep(POLL).await;
                }
            }
        }
    }

    async fn round(&self, bodies: &Bodies) -> Result<usize, Error> {
        let arrived = self.db.lease_arrived_reports(BATCH).await?;
        for report in &arrived {
            match self.take(bodies, report).await {
                Ok(()) => self.db.end_arrived_report(report.id).await?,
                Err(error) if report.attempts >= MAX_ATTEMPTS => {
                    tracing::info!(tenant = %report.tenant, email = %report.email, %error, "report given up");
                    self.db.end_arrived_report(report.id).await?;
                }
                // Not found: its transaction may still be open.
                Err(error) => {
                    tracing::debug!(tenant = %report.tenant, email = %report.email, %error, "report not read yet");
                }
            }
        }
        Ok(arrived.len())
    }

    /// Reads one message. Rubbish is an end, too.
    async fn take(&self, bodies: &Bodies, arrived: &ArrivedReport) -> Result<(), Error> {
        let ArrivedReport { tenant, email, .. } = *arrived;
        let verdict = self.db.tenant(tenant).snapshot().await?.verdict_of(email).await?;
        let Some(proof) = proof(verdict) else {
            tracing::info!(%tenant, %email, "a report is not believed: nothing proves who sent it");
            return Ok(());
        };
        let body = bodies.load(tenant, email).await?;
        if body.len() > MAX_SIZE {
            return Ok(());
        }
        let raw = body.all().await?;
        let found = tokio::task::spawn_blocking(move || find(&raw))
            .await
            .map_err(|e| Error::Internal(format!("report task: {e}")))?;
        let told = match found {
            Ok(Found::Dmarc(report)) => vec![events::dmarc(&report)],
            Ok(Found::Tls(report)) => events::tls(&report),
            Err(why) => {
                tracing::info!(%tenant, %email, ?why, "no report could be read");
                return Ok(());
            }
        };
        for told in told {
            self.record(arrived, told, proof).await?;
        }
        Ok(())
    }

    async fn record(
        &self,
        arrived: &ArrivedReport,
        told: Told,
        proof: &'static str,
    ) -> Result<(), Error> {
        let ArrivedReport { tenant, email, .. } = *arrived;
        if told.domain.is_empty() || !self.db.is_domain_of(tenant, &told.domain).await? {
            tracing::info!(%tenant, %email, "a report about somebody else's domain is left alone");
            return Ok(());
        }
        let (id, event, occurred_at) = (told.id(tenant), told.event, told.at);
        let mut properties = told.properties;
        if let Some(properties) = properties.as_object_mut() {
            properties.insert("proof".to_owned(), proof.into());
        }
        let event = ReportEvent { id, tenant, event, email, occurred_at, properties };
        if !self.db.record_report(&event).await? {
            tracing::debug!(%tenant, %email, "this report was here before");
        }
        Ok(())
    }
}

/// What proves who sent it: `dmarc`, `spf`, `dkim`, or `queue` for what our own queue delivered.
fn proof(verdict: serde_json::Value) -> Option<&'static str> {
    if verdict.as_object().is_some_and(serde_json::Map::is_empty) {
        return Some("queue");
    }
    let verdict: Verdict = serde_json::from_value(verdict).ok()?;
    match verdict.dmarc.result {
        Outcome::Pass => Some("dmarc"),
        Outcome::None if verdict.spf == Outcome::Pass => Some("spf"),
        Outcome::None if verdict.dkim.iter().any(|one| one.result == Outcome::Pass) => Some("dkim"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_what_is_proven_is_believed() {
        let proven = |verdict| proof(verdict);
        assert_eq!(proven(json!({})), Some("queue"));
        let dmarc = |result| {
            json!({ "result": result, "domain": "a.example", "policy": "none",
            "spf_aligned": false, "dkim_aligned": false })
        };
        assert_eq!(proven(json!({ "dmarc": dmarc("pass") })), Some("dmarc"));
        assert_eq!(proven(json!({ "dmarc": dmarc("none"), "spf": "pass" })), Some("spf"));
        assert_eq!(proven(json!({ "dmarc": dmarc("fail"), "spf": "pass" })), None);
        assert_eq!(proven(json!({ "dmarc": dmarc("temperror"), "spf": "pass" })), None);
        assert_eq!(proven(json!({ "dmarc": dmarc("none"), "spf": "softfail" })), None);
        assert_eq!(proven(json!("x")), None);
    }
}
