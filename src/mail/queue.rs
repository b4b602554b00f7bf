//! The queue's policy: what is taken when, and where a row goes after an attempt.

mod tells;

use std::sync::Arc;
use std::time::Duration;

use futures_util::{StreamExt as _, stream};
use time::OffsetDateTime;
use tokio::sync::Notify;

use crate::domain::fault::Fault;
use crate::domain::ids::{NodeId, OutboundId, TenantId};
use crate::domain::outcome::{Outcome, Reply, Via};
use crate::domain::queue::{Source, State};
use crate::mail::Error;
use crate::mail::batches::Batches;
use crate::mail::metrics::Metrics;
use crate::mail::outcome::{self, suppresses, wears_out};
use crate::mail::queue::tells::tells;
use crate::mail::report::{Report, Reports};
use crate::mail::schedule::{Age, Schedule};
use crate::mail::settling::Settling;
use crate::store::db::Db;
use crate::store::outbound::{Attempt, LeaseRequest, Leased, Settlement};
use crate::wire::mime::dsn::Action;

/// The queue as one node sees it. Cheap to clone.
#[derive(Clone)]
pub struct Queue {
    db: Db,
    node: NodeId,
    schedule: Arc<Schedule>,
    lease: Duration,
    reports: Reports,
    settling: Batches<Settling>,
    /// Woken when something becomes due at once.
    wake: Arc<Notify>,
    metrics: Metrics,
}

/// An attempt that has ended.
#[derive(Clone, Debug)]
pub struct Ended {
    /// When it began.
    pub started_at: OffsetDateTime,
    /// How it ended.
    pub outcome: Outcome,
    /// Where and how it was made.
    pub via: Via,
    /// Whoever took it reports delivery to the sender itself (RFC 3461).
    pub reported: bool,
    /// And sees to the time that the sender set (RFC 2852).
    pub keeps_time: bool,
    /// Whoever took it is a smarthost: what becomes of it there is not known.
    pub relayed: bool,
}

impl Ended {
    /// An attempt that did not come as far as another server's promises.
    pub fn here(started_at: OffsetDateTime, outcome: Outcome, via: Via) -> Self {
        Self { started_at, outcome, via, reported: false, keeps_time: false, relayed: false }
    }
}

/// What nothing more should be taken for.
#[derive(Debug, Default)]
pub struct Busy {
    /// Destination domains.
    pub domains: Vec<String>,
    /// Organisations.
    pub tenants: Vec<TenantId>,
}

/// What the database did not take, and why.
struct Unrecorded(Settlement, Error);

/// Attempts of one message that are recorded at once, some with a report of their own.
const AT_ONCE: usize = 32;
/// How long to wait before telling the database again what it did not hear.
const AGAIN: Duration = Duration::from_secs(1);

impl Queue {
    /// The queue of `node`; leases last `lease` without a sign of life.
    pub fn new(
        db: Db,
        node: NodeId,
        schedule: Schedule,
        lease: Duration,
        reports: Reports,
        wake: Arc<Notify>,
    ) -> Self {
        let settling = Batches::new(db.clone());
        Self {
            db,
            node,
            schedule: Arc::new(schedule),
            lease,
            reports,
            settling,
            wake,
            metrics: Metrics::default(),
        }
    }

    /// The same, counting what becomes of its messages.
    #[must_use]
    pub fn counted(self, metrics: Metrics) -> Self {
        Self { metrics, ..self }
    }

    /// Takes due rows: `limit` at most, `per_domain` of them for one destination, none for the
    /// destinations and of the organisations that are busy.
    pub async fn lease(
        &self,
        limit: usize,
        per_domain: usize,
        busy: Busy,
    ) -> Result<Vec<Leased>, Error> {
        let (node, time) = (self.node, self.lease);
        let Busy { domains, tenants } = &busy;
        let request = LeaseRequest { node, limit, per_domain, time, domains, tenants };
        Ok(self.db.lease(request).await?)
    }

    /// How long a lease lasts without a sign of life.
    pub fn lease_time(&self) -> Duration {
        self.lease
    }

    /// How often a node has to say that it is at its rows.
    pub fn sign_of_life(&self) -> Duration {
        self.lease / 3
    }

    /// Says that these rows are in hand. Which of them still were.
    pub async fn renew(&self, rows: &[OutboundId]) -> Result<Vec<OutboundId>, Error> {
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        Ok(self.db.renew_leases(self.node, rows, self.lease).await?)
    }

    /// Queues again what dead nodes had in hand, and at its own start what
    /// this node had.
    pub async fn reclaim(&self, restarted: bool) -> Result<u64, Error> {
        Ok(self.db.reclaim(self.node, restarted).await?)
    }

    /// Gives back rows that were not begun.
    pub async fn give_back(&self, rows: &[OutboundId]) -> Result<(), Error> {
        Ok(self.db.give_back(self.node, rows).await?)
    }

    /// When something is due again.
    pub async fn next_due(&self) -> Result<Option<OffsetDateTime>, Error> {
        Ok(self.db.next_due().await?)
    }

    /// Records attempts: for each its row, the event, the next state, a suppression
    /// and a report to the sender, in one transaction. Does not return before
    /// the database has it: a delivery that goes unrecorded is made twice.
    pub async fn settle_all(&self, ended: &[(Leased, Ended)]) {
        let each = stream::iter(ended);
        each.for_each_concurrent(AT_ONCE, |(row, ended)| self.settle(row, ended)).await;
    }

    /// As [`Queue::settle_all`], for one.
    pub async fn settle(&self, row: &Leased, ended: &Ended) {
        let now = OffsetDateTime::now_utc();
        let (state, next, event) = match &ended.outcome {
            Outcome::Delivered(_) if ended.relayed => (State::Sent, None, "email.sent"),
            Outcome::Delivered(_) => (State::Delivered, None, "email.delivered"),
            Outcome::Failed(_) => (State::Bounced, None, "email.bounced"),
            Outcome::Deferred(_) => match self.schedule.next(&age(row), now, rand::random()) {
                Some(at) => (State::Queued, Some(at), "email.deferred"),
                None => (State::Expired, None, "email.expired"),
            },
        };
        let reply = ended.outcome.reply();
        let fault = fault(ended);
        tracing::info!(
            id = %row.id, queue_id = %row.queue_id, state = %state, attempt = row.attempts,
            code = reply.code, fault = fault.map(Fault::as_str), host = ended.via.host.as_deref(), tls = ended.via.tls.as_deref(),
            "attempt ended"
        );
        let settlement = Settlement {
            id: row.id,
            node: self.node,
            state,
            next_attempt_at: next,
            event,
            reply: reply.clone(),
            attempt: Some(Attempt {
                started_at: ended.started_at,
                outcome: ended.outcome.clone(),
                via: ended.via.clone(),
            }),
            fault,
            suppress: suppresses(&ended.outcome),
        };
        let late = self.schedule.is_late(&age(row), now);
        self.record(row, settlement, tells(row, ended, (state, late), now)).await;
        if state == State::Expired && fault.is_some_and(wears_out) {
            self.wear_out(row).await;
        }
    }

    /// Ends a row that the time its sender set ran out for, before another attempt.
    pub async fn expire(&self, row: &Leased) {
        let reply = outcome::time_is_over();
        let settlement = self.without_attempt(row, State::Expired, "email.expired", reply);
        self.record(row, settlement, Some(Action::Failed)).await;
    }

    /// Ends a row whose recipient is on the suppression list. People who wrote
    /// the message themselves are told.
    pub async fn suppress(&self, row: &Leased) {
        let reply = outcome::suppressed();
        let settlement = self.without_attempt(row, State::Suppressed, "email.suppressed", reply);
        let action = (row.source == Source::Submission).then_some(Action::Failed);
        self.record(row, settlement, action).await;
    }

    /// What nobody could be given for days is not tried for ever.
    async fn wear_out(&self, row: &Leased) {
        match self.db.note_expired(row.id).await {
            Ok(false) => {}
            Ok(true) => tracing::info!(id = %row.id, "the recipient is suppressed from now on"),
            // The next message that expires says it again.
            Err(error) => tracing::warn!(id = %row.id, %error, "an expired message is not counted"),
        }
    }

    fn without_attempt(
        &self,
        row: &Leased,
        state: State,
        event: &'static str,
        reply: Reply,
    ) -> Settlement {
        Settlement {
            id: row.id,
            node: self.node,
            state,
            next_attempt_at: None,
            event,
            reply,
            attempt: None,
            fault: None,
            suppress: false,
        }
    }

    async fn record(&self, row: &Leased, mut settlement: Settlement, action: Option<Action>) {
        let host = settlement.attempt.as_ref().and_then(|attempt| attempt.via.host.as_deref());
        self.metrics.sent(host, &row.recipient_domain, row.tenant, settlement.state);
        loop {
            let error = match self.try_record(row, settlement, action).await {
                Ok(()) => return,
                Err(Unrecorded(again, error)) => {
                    settlement = again;
                    error
                }
            };
            tracing::error!(id = %row.id, %error, "an attempt could not be recorded; trying again");
            tokio::time::sleep(AGAIN).await;
        }
    }

    async fn try_record(
        &self,
        row: &Leased,
        settlement: Settlement,
        action: Option<Action>,
    ) -> Result<(), Unrecorded> {
        let wanted = action.filter(|action| Reports::wanted(row, *action));
        let written = match wanted {
            Some(action) => {
                let until = (action == Action::Delayed).then(|| self.schedule.deadline(&age(row)));
                self.reports.write(row, action, &settlement, until).await
            }
            None => Ok(None),
        };
        match written {
            Ok(Some(report)) => {
                let told = self.settle_and_report(row, &settlement, report, action).await;
                told.map_err(|error| Unrecorded(settlement, error))
            }
            Ok(None) => match self.settling.ask((), settlement.clone()).await {
                Some((_, Ok(_))) => Ok(()),
                Some((settlement, Err(error))) => Err(Unrecorded(settlement, error.into())),
                None => {
                    Err(Unrecorded(settlement, Error::Internal("settling ended half-way".into())))
                }
            },
            Err(error) => Err(Unrecorded(settlement, error)),
        }
    }

    async fn settle_and_report(
        &self,
        row: &Leased,
        settlement: &Settlement,
        report: Report,
        action: Option<Action>,
    ) -> Result<(), Error> {
        let Report { email, mail_from, recipient, from } = report;
        let mut tx = self.db.tenant(row.tenant).begin().await?;
        if tx.settle(settlement).await? {
            tx.store_email(&email).await?;
            let recipients = [recipient];
            tx.enqueue(&Reports::send(&email, &mail_from, &recipients, &from)).await?;
            if action == Some(Action::Delayed) {
                tx.note_delay(row.id).await?;
            }
        }
        tx.commit().await?;
        self.wake.notify_one();
        Ok(())
    }
}

fn age(row: &Leased) -> Age {
    Age {
        attempts: row.attempts,
        class: row.class,
        queued_at: row.queued_at,
        expires_at: row.expires_at,
        deliver_by: row.deliver_by,
        delay_told: row.delay_told || !Reports::wanted(row, Action::Delayed),
    }
}

/// What a refusal is about.
fn fault(ended: &Ended) -> Option<Fault> {
    match &ended.outcome {
        Outcome::Delivered(_) => None,
        refused => Some(outcome::fault(refused.reply(), ended.via.ip.is_some())),
    }
}
