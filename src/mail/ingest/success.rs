//! Reports of success to senders elsewhere (RFC 3461 §4.1, NOTIFY=SUCCESS).
//!
//! Whoever writes to many in the name of somebody else must not make us write to them: nobody hears
//! anything whose name is doubtful or whose mail is spam, and nobody more than a few times a day.

use time::OffsetDateTime;
use uuid::Uuid;

use crate::domain::address::Address;
use crate::domain::envelope::{MailFrom, Notify, Recipient};
use crate::domain::ids::{QueueId, TenantId};
use crate::domain::verdict::{Disposition, Outcome, Verdict};
use crate::mail::Error;
use crate::mail::ingest::dedup::{DedupKey, report_key};
use crate::mail::ingest::place::Placed;
use crate::mail::ingest::{Ingest, OfTenant, Origin};
use crate::mail::recipients::Local;
use crate::mail::report::Reports;
use crate::wire::mime::dsn::{self, Action, Dsn, Original};
use crate::wire::mime::headers::block_len;

/// Reports of an organisation to one sender within a day.
const MOST_A_DAY: i64 = 20;

/// A message that was taken, and how it came.
pub(super) struct Taken<'a> {
    pub(super) tenant: TenantId,
    pub(super) mail_from: &'a MailFrom,
    pub(super) recipients: &'a OfTenant<'a>,
    pub(super) content: &'a [u8],
    pub(super) verdict: &'a Verdict,
    /// The message's own.
    pub(super) key: DedupKey,
}

impl Ingest {
    /// Queues what the sender asked to hear. Said again after a failure it is queued once.
    ///
    /// # Errors
    /// [`Error::Temporary`] without the database.
    pub(super) async fn report_success(
        &self,
        taken: &Taken<'_>,
        placed: &Placed,
    ) -> Result<(), Error> {
        let Some(to) = taken.mail_from.reverse_path.0.as_ref().filter(|_| is_sure(taken.verdict))
        else {
            return Ok(());
        };
        if !taken.recipients.iter().any(|(recipient, _)| recipient.notify.success) {
            return Ok(());
        }
        for action in [Action::Delivered, Action::Relayed] {
            let asked = taken.recipients.iter().zip(&placed.locals);
            let asked = asked.filter(|((recipient, _), _)| recipient.notify.success);
            let told: Vec<&Recipient> = asked
                .filter(|(_, local)| fate(local, placed) == Some(action))
                .map(|((recipient, _), _)| recipient)
                .collect();
            if !told.is_empty() {
                self.tell(taken, to, action, &told).await?;
            }
        }
        Ok(())
    }

    async fn tell(
        &self,
        taken: &Taken<'_>,
        to: &Address,
        action: Action,
        recipients: &[&Recipient],
    ) -> Result<(), Error> {
        let queue_id = QueueId::random();
        let written = self.compose(taken, to, action, (queue_id, recipients));
        let raw = written.map_err(|error| Error::Internal(format!("report: {error}")))?;
        let origin = Origin {
            source: "system",
            queue_id: Some(queue_id),
            reverse_path: Some(String::new()),
            dedup_key: Some(report_key(&taken.key, action == Action::Delivered)),
            internal_date: None,
        };
        let email = self.prepare(taken.tenant, raw.into(), origin, Vec::new()).await?;
        let mut tx = self.db.tenant(taken.tenant).begin().await?;
        if tx.reports_of_a_day(to).await? >= MOST_A_DAY {
            return Ok(());
        }
        match tx.store_email(&email).await {
            Ok(stored) if stored.duplicate => return Ok(()),
            // Another session tells it at this moment.
            Err(error) if error.is_conflict("emails_dedup_key") => return Ok(()),
            other => other?,
        };
        // A report about a report is not wanted (RFC 3461 §5.2.7 f).
        let never = Notify { success: false, failure: false, delay: false };
        let recipients = [Recipient { notify: never, ..Recipient::plain(to.clone()) }];
        let from = format!("mailer-daemon@{}", self.hostname);
        let require_tls = taken.mail_from.require_tls;
        let mail_from = MailFrom { require_tls, ..MailFrom::default() };
        tx.enqueue(&Reports::send(&email, &mail_from, &recipients, &from)).await?;
        tx.commit().await?;
        self.queue.notify_one();
        Ok(())
    }

    fn compose(
        &self,
        taken: &Taken<'_>,
        to: &Address,
        action: Action,
        (queue_id, recipients): (QueueId, &[&Recipient]),
    ) -> Result<Vec<u8>, crate::wire::mime::ComposeError> {
        let now = OffsetDateTime::now_utc().unix_timestamp();
        let (status, explanation) = match action {
            Action::Delivered => ((2, 0, 0), "The message is in the recipient's mailbox."),
            _ => ((2, 1, 9), "The recipient has it passed on, and no further reports will come."),
        };
        let recipients: Vec<dsn::Recipient<'_>> = recipients
            .iter()
            .map(|recipient| dsn::Recipient {
                address: recipient.address.as_str(),
                original: recipient.orcpt.as_deref(),
                status,
                explanation,
                remote_mta: None,
                diagnostic: None,
                last_attempt: None,
                will_retry_until: None,
            })
            .collect();
        let header = taken.content.get(..block_len(taken.content)).unwrap_or_default();
        dsn::compose(&Dsn {
            to: to.as_str(),
            message_id: &format!("{queue_id}@{}", self.hostname),
            date: now,
            reporting_mta: &self.hostname,
            arrival_date: Some(now),
            envelope_id: taken.mail_from.envid.as_deref(),
            action,
            recipients: &recipients,
            original: Original::Header(header),
        })
    }
}

/// Whether the sender may well be who the reverse-path says, and no spammer.
fn is_sure(verdict: &Verdict) -> bool {
    !matches!(verdict.spf, Outcome::Fail | Outcome::Softfail)
        && verdict.dmarc.result != Outcome::Fail
        && verdict.disposition != Disposition::Junk
}

/// What became of it there; `None` where a rule refused it or threw it away.
fn fate(local: &Local, placed: &Placed) -> Option<Action> {
    let ids: Vec<Uuid> = local.mailboxes.iter().map(|mailbox| mailbox.id.0).collect();
    let is_theirs = |id: Uuid| ids.contains(&id);
    if placed.email.targets.iter().any(|target| is_theirs(target.address_id)) {
        Some(Action::Delivered)
    } else if placed.email.actions.unkept.iter().any(|target| is_theirs(target.address_id)) {
        Some(Action::Relayed)
    } else {
        None
    }
}
