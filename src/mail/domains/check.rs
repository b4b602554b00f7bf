//! What a domain's DNS says, against what it should.

use serde::Serialize;
use time::OffsetDateTime;
use tokio::task::JoinSet;

use crate::mail::domains::look::look;
use crate::mail::domains::records::{DnsRecords, Need, Purpose, Record};
use crate::net::dns::Resolver;
use crate::store::domains::Domain;

/// What was found of one record.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It does what it should.
    Ok,
    /// There is none.
    Missing,
    /// There is one, and it says something else.
    Wrong,
    /// It cannot be told: name servers do not answer, or the record leaves it to others.
    Unknown,
}

/// One record: wanted, found, and what to do.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Finding {
    /// What was looked for.
    #[serde(flatten)]
    pub record: Record,
    /// The values there are, of those that could be meant.
    pub found: Vec<String>,
    /// What to make of them.
    pub state: State,
    /// Whether nothing has to be done: the state is [`State::Ok`].
    pub ok: bool,
    /// What to do, when something is to be done.
    pub advice: Option<String>,
}

impl Finding {
    pub(super) fn new(
        record: Record,
        found: Vec<String>,
        state: State,
        advice: Option<String>,
    ) -> Self {
        Self { record, found, state, ok: state == State::Ok, advice }
    }
}

/// The outcome of a check.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Report {
    /// The domain.
    pub domain: String,
    /// It is proven, by this check or before.
    pub verified: bool,
    /// It is proven, and every required record is right.
    pub ok: bool,
    /// The server has not made all DKIM keys yet; check again in a second.
    pub keys_pending: bool,
    /// When it was checked.
    #[serde(with = "time::serde::rfc3339")]
    pub checked_at: OffsetDateTime,
    /// Selectors of new keys whose records were seen: they sign from now on.
    pub taken_over: Vec<String>,
    /// Record by record.
    pub findings: Vec<Finding>,
}

impl Report {
    /// Whether the verification record is as it should be.
    pub(super) fn proof_found(&self) -> bool {
        self.findings.iter().any(|f| f.record.purpose == Purpose::Verification && f.ok)
    }

    /// Takes in that the domain is proven now.
    pub(super) fn proven(&mut self) {
        self.verified = true;
        self.judge();
    }

    /// Takes in that another organisation has proven the domain before.
    pub(super) fn proven_elsewhere(&mut self) {
        for finding in &mut self.findings {
            if finding.record.purpose == Purpose::Verification {
                finding.state = State::Wrong;
                finding.ok = false;
                finding.advice = Some(
                    "another organisation of this server has proven the domain: it has to give the \
                     domain up first"
                        .to_owned(),
                );
            }
        }
        self.judge();
    }

    fn judge(&mut self) {
        let right = |f: &Finding| f.ok || f.record.need != Need::Required;
        self.ok = self.verified && !self.keys_pending && self.findings.iter().all(right);
    }
}

/// Asks for all records at once.
pub(super) async fn check(resolver: &Resolver, domain: &Domain, wanted: DnsRecords) -> Report {
    let mut asked = JoinSet::new();
    for (place, record) in wanted.records.into_iter().enumerate() {
        let resolver = resolver.clone();
        asked.spawn(async move { (place, look(&resolver, record).await) });
    }
    let mut findings = asked.join_all().await;
    findings.sort_by_key(|(place, _)| *place);
    let mut report = Report {
        domain: domain.domain.clone(),
        verified: domain.verified_at.is_some(),
        ok: false,
        keys_pending: wanted.keys_pending,
        checked_at: OffsetDateTime::now_utc(),
        taken_over: Vec::new(),
        findings: findings.into_iter().map(|(_, finding)| finding).collect(),
    };
    report.judge();
    report
}
