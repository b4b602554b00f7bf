//! The queue's policy: what is taken when, and where a row goes after an attempt.

use std::sync::Arc;
use std::time::Duration;

use time::OffsetDateTime;
use tokio::sync::Notify;

use crate::domain::ids::{NodeId, OutboundId};
use crate::domain::outcome::{Outcome, Via};
use crate::domain::queue::{Source, State};
use crate::mail::Error;
use crate::mail::outcome::{self, suppresses};
use crate::mail::report::{Report, Reports};
use crate::mail::schedule::{Age, Schedule};
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
    /// Woken when something becomes due at once.
    wake: Arc<Notify>,
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
}

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
        Self { db, node, schedule: Arc::new(schedule), lease, reports, wake }
    }

    /// Takes due rows, none for the domains in `busy`.
    pub async fn lease(
        &self,
        limit: u32,
        per_domain: u32,
        busy: &[String],
    ) -> Result<Vec<Leased>, Error> {
        let time = self.lease;
        let request = LeaseRequest { node: self.node, limit, per_domain, time, busy };
        Ok(self.db.lease(request).await?)
    }

    /// How often a node has to say that it is at its rows.
    pub fn sign_of_life(&self) -> Duration {
        self.lease / 3
    }

    /// Says that these rows are in hand.
    pub async fn renew(&self, rows: &[OutboundId]) -> Result<(), Error> {
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

    /// Records an attempt: its row, the event, the next state, a suppression
    /// and a report to the sender, in one transaction. Does not return before
    /// the database has it: a delivery that goes unrecorded is made twice.
    pub async fn settle(&self, row: &Leased, ended: &Ended) {
        let age = Age {
            attempts: row.attempts,
            class: row.class,
            queued_at: row.queued_at,
            expires_at: row.expires_at,
        };
        let now = OffsetDateTime::now_utc();
        let (state, next, event) = match &ended.outcome {
            Outcome::Delivered(_) => (State::Delivered, None, "email.delivered"),
            Outcome::Failed(_) => (State::Bounced, None, "email.bounced"),
            Outcome::Deferred(_) => match self.schedule.next(&age, now, rand::random()) {
                Some(at) => (State::Queued, Some(at), "email.deferred"),
                None => (State::Expired, None, "email.expired"),
            },
        };
        let reply = ended.outcome.reply();
        tracing::info!(
            id = %row.id, queue_id = %row.queue_id, state = %state, attempt = row.attempts,
            code = reply.code, host = ended.via.host.as_deref(), tls = ended.via.tls.as_deref(),
            "attempt ended"
        );
        let settlement = Settlement {
            id: row.id,
            node: self.node,
            state,
            next_attempt_at: next,
            event,
            reply,
            attempt: Some(Attempt {
                started_at: ended.started_at,
                outcome: &ended.outcome,
                via: &ended.via,
            }),
            suppress: suppresses(&ended.outcome),
        };
        let action = match state {
            State::Bounced | State::Expired => Some(Action::Failed),
            State::Delivered if ended.reported => None,
            State::Delivered if is_here(&ended.via) => Some(Action::Delivered),
            State::Delivered => Some(Action::Relayed),
            _ => None,
        };
        self.record(row, &settlement, action).await;
    }

    /// Ends a row whose recipient is on the suppression list. People who wrote
    /// the message themselves are told.
    pub async fn suppress(&self, row: &Leased) {
        let reply = outcome::suppressed();
        let settlement = Settlement {
            id: row.id,
            node: self.node,
            state: State::Suppressed,
            next_attempt_at: None,
            event: "email.suppressed",
            reply: &reply,
            attempt: None,
            suppress: false,
        };
        let action = (row.source == Source::Submission).then_some(Action::Failed);
        self.record(row, &settlement, action).await;
    }

    async fn record(&self, row: &Leased, settlement: &Settlement<'_>, action: Option<Action>) {
        while let Err(error) = self.try_record(row, settlement, action).await {
            tracing::error!(id = %row.id, %error, "an attempt could not be recorded; trying again");
            tokio::time::sleep(AGAIN).await;
        }
    }

    async fn try_record(
        &self,
        row: &Leased,
        settlement: &Settlement<'_>,
        action: Option<Action>,
    ) -> Result<(), Error> {
        let report = match action.filter(|action| Reports::wanted(row, *action)) {
            Some(action) => self.reports.write(row, action, settlement).await?,
            None => None,
        };
        let Some(Report { email, mail_from, recipient, from }) = report else {
            self.db.settle(settlement).await?;
            return Ok(());
        };
        let mut tx = self.db.tenant(row.tenant).begin().await?;
        if tx.settle(settlement).await? {
            tx.store_email(&email).await?;
            let recipients = [recipient];
            tx.enqueue(&Reports::send(&email, &mail_from, &recipients, &from)).await?;
        }
        tx.commit().await?;
        self.wake.notify_one();
        Ok(())
    }
}

fn is_here(via: &Via) -> bool {
    via.ip.is_none()
}
