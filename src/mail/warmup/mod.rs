//! The warm-up of domains: how much may leave today, and what waits.
//!
//! All mail counts. Bulk waits first, what is sent for a reason only when the
//! whole budget is used, and people's own mail never.

pub mod providers;

pub(in crate::mail) use providers::of as provider;

use std::collections::HashSet;
use std::time::Duration;

use moka::sync::Cache;
use time::OffsetDateTime;

use crate::domain::fault::Fault;
use crate::domain::ids::{NodeId, OutboundId, TenantId};
use crate::domain::outcome::Outcome;
use crate::domain::warmup::Warmup;
use crate::mail::Error;
use crate::mail::outcome;
use crate::mail::queue::Ended;
use crate::mail::render::author_domain;
use crate::store::db::Db;
use crate::store::outbound::Leased;

/// How long it is believed whether a domain has a warm-up.
const TRUSTED: Duration = Duration::from_secs(5);
/// Domains of which that is at hand.
const CACHED: u64 = 10_000;
/// Rows let go at once at most.
const RELEASED: u32 = 10_000;

/// Holds back what a domain may not send today. Cheap to clone.
#[derive(Clone)]
pub struct Warmups {
    db: Db,
    node: NodeId,
    known: Cache<(TenantId, String), bool>,
}

impl Warmups {
    /// For what `node` has leased.
    pub fn new(db: Db, node: NodeId) -> Self {
        let known = Cache::builder().max_capacity(CACHED).time_to_live(TRUSTED).build();
        Self { db, node, known }
    }

    /// Those of `rows` that may go to the MX `host` now; the others are held.
    /// All of them have one author. Without the database all may.
    pub async fn admit(&self, rows: Vec<Leased>, host: Option<&str>) -> Vec<Leased> {
        let Some(domain) = self.warming(&rows).await else { return rows };
        match self.try_admit(&rows, &domain, host).await {
            Ok(held) => rows.into_iter().filter(|row| !held.contains(&row.id)).collect(),
            Err(error) => {
                tracing::warn!(%error, "a warm-up could not be asked; its mail goes");
                rows
            }
        }
    }

    /// The author's domain, where it warms up.
    async fn warming(&self, rows: &[Leased]) -> Option<String> {
        let row = rows.first()?;
        let key = (row.tenant, author_domain(row).to_ascii_lowercase());
        let known = match self.known.get(&key) {
            Some(known) => known,
            None => match self.db.warms_up(key.0, &key.1).await {
                Ok(warms) => {
                    self.known.insert(key.clone(), warms);
                    warms
                }
                Err(_) => false,
            },
        };
        known.then_some(key.1)
    }

    async fn try_admit(
        &self,
        rows: &[Leased],
        domain: &str,
        host: Option<&str>,
    ) -> Result<HashSet<OutboundId>, Error> {
        let Some(first) = rows.first() else { return Ok(HashSet::new()) };
        let mut warmups = self.db.warmups(first.tenant, domain).await?;
        let ids: Vec<OutboundId> = rows.iter().map(|row| row.id).collect();
        let overruled = warmups.overruled(&ids).await?;
        let groups = groups(host);
        let concerned = |warmup: &Warmup| groups.contains(&warmup.provider.as_str());
        for warmup in &mut warmups.all {
            begin(warmup);
        }
        let (mut held, mut against) = (Vec::new(), None);
        for row in rows {
            let full = warmups.all.iter().find(|w| concerned(w) && !w.admits(row.class));
            match full.filter(|_| !overruled.contains(&row.id)) {
                Some(full) => {
                    against.get_or_insert_with(|| (full.provider.clone(), why(full)));
                    held.push(row.id);
                }
                None => warmups.all.iter_mut().filter(|w| concerned(w)).for_each(Warmup::count),
            }
        }
        if let Some((provider, why)) = against {
            warmups.hold(self.node, &held, &provider, &why).await?;
            tracing::info!(
                domain,
                provider,
                rows = held.len(),
                "held: the warm-up's budget is used"
            );
        }
        warmups.commit().await?;
        Ok(held.into_iter().collect())
    }

    /// Takes in what receivers put off because of who sends.
    pub async fn note(&self, ended: &[(Leased, Ended)]) {
        let put_off: Vec<_> =
            ended.iter().filter(|(_, ended)| is_about_us(&ended.outcome)).collect();
        let Some((row, first)) = put_off.first() else { return };
        let Some(domain) = self.warming(std::slice::from_ref(row)).await else { return };
        let groups = groups(first.via.host.as_deref());
        let counted = self.db.count_deferrals(row.tenant, &domain, &groups, put_off.len()).await;
        if let Err(error) = counted {
            tracing::warn!(%error, "deferrals of a warm-up could not be counted");
        }
    }
}

/// What one day's budget is used by: everybody's, and the host's group's.
fn groups(host: Option<&str>) -> Vec<&'static str> {
    ["*"].into_iter().chain(host.and_then(providers::of)).collect()
}

fn is_about_us(outcome: &Outcome) -> bool {
    let Outcome::Deferred(reply) = outcome else { return false };
    let fault = outcome::fault(reply, true);
    matches!(fault, Fault::Blocked | Fault::Unproven | Fault::Rate | Fault::Policy | Fault::Content)
}

fn why(full: &Warmup) -> String {
    format!(
        "{} of today's {} messages are sent; it goes on another day (UTC)",
        full.sent, full.budget
    )
}

fn begin(warmup: &mut Warmup) {
    if warmup.begin(OffsetDateTime::now_utc().date()) || warmup.shrink() {
        let Warmup { provider, budget, reason, .. } = warmup;
        tracing::info!(provider, budget, reason, "the budget of a warm-up has changed");
    }
}

/// Begins the day for the warm-ups of an organisation, and lets go what they
/// held as far as there is room now. Says how many rows go.
///
/// # Errors
/// [`Error::Temporary`] without the database; what was done stays done.
pub async fn release(db: &Db, tenant: TenantId) -> Result<u64, Error> {
    let mut released = db.release_unlimited(tenant).await?;
    for domain in db.warming_domains(tenant).await? {
        let mut warmups = db.warmups(tenant, &domain).await?;
        warmups.all.iter_mut().for_each(begin);
        let free: Vec<(String, u32)> =
            warmups.all.iter().map(|w| (w.provider.clone(), w.free().min(RELEASED))).collect();
        for (provider, most) in free {
            released += warmups.release(&provider, most).await?;
        }
        warmups.commit().await?;
    }
    Ok(released)
}
