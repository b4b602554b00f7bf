//! Delivery status notifications to senders (RFC 3461, RFC 3464).

use std::sync::Arc;

use time::OffsetDateTime;

use crate::domain::address::Address;
use crate::domain::envelope::{DsnReturn, MailFrom, Notify, Recipient};
use crate::domain::fault::Fault;
use crate::domain::ids::QueueId;
use crate::domain::queue::{Class, Source, State};
use crate::mail::Error;
use crate::mail::body::Bodies;
use crate::mail::ingest::{Ingest, Origin};
use crate::store::emails::NewEmail;
use crate::store::outbound::{Enqueue, Leased, Settlement};
use crate::wire::mime::dsn::{self, Action, Dsn, Original};

/// Writes them. Cheap to clone.
#[derive(Clone)]
pub struct Reports {
    bodies: Bodies,
    ingest: Ingest,
    us: Arc<str>,
}

/// A report ready to be stored and queued.
pub struct Report {
    /// The message.
    pub email: NewEmail,
    /// The null reverse-path.
    pub mail_from: MailFrom,
    /// The sender of the message that it is about.
    pub recipient: Recipient,
    /// Who it is from.
    pub from: String,
}

/// `NOTIFY=NEVER`
const NEVER: Notify = Notify { success: false, failure: false, delay: false };
/// A message returned in full is no larger.
const MAX_RETURNED: usize = 1024 * 1024;

impl Reports {
    /// From `us`, our name.
    pub fn new(bodies: Bodies, ingest: Ingest, us: &str) -> Self {
        Self { bodies, ingest, us: us.into() }
    }

    /// Whether the sender wants to know: never about mail that has none, so
    /// that no report is about a report (RFC 5321 §6.1).
    pub fn wanted(row: &Leased, action: Action) -> bool {
        let asked = match action {
            Action::Failed => row.notify.failure,
            Action::Delayed => row.notify.delay,
            // Whoever set a time hears of it, unless it wants no report at all (RFC 2852 §4).
            Action::Relayed if row.deliver_by.is_some() => row.notify != NEVER,
            Action::Relayed | Action::Delivered => row.notify.success,
        };
        asked && !row.reverse_path.is_empty()
    }

    /// Writes the report about `row`, which is tried `until` then; `None` when its sender's
    /// address cannot be written to.
    pub async fn write(
        &self,
        row: &Leased,
        action: Action,
        settlement: &Settlement,
        until: Option<OffsetDateTime>,
    ) -> Result<Option<Report>, Error> {
        let Ok(to) = Address::parse(&row.reverse_path) else { return Ok(None) };
        let original = self.original(row).await?;
        let queue_id = QueueId::random();
        let message_id = format!("{queue_id}@{}", self.us);
        let raw = self.compose(row, action, settlement, until, &message_id, &original);
        let raw = match raw {
            Ok(raw) => raw,
            Err(error) => {
                tracing::error!(id = %row.id, %error, "a report could not be written");
                return Ok(None);
            }
        };
        let origin = Origin {
            source: "system",
            queue_id: Some(queue_id),
            reverse_path: Some(String::new()),
            dedup_key: None,
            internal_date: None,
        };
        let email = self.ingest.prepare(row.tenant, raw.into(), origin, Vec::new()).await?;
        // A report about a report is not wanted (RFC 3461 §5.2.7 f).
        let recipient = Recipient { notify: NEVER, ..Recipient::plain(to) };
        let from = format!("mailer-daemon@{}", self.us);
        let mail_from = MailFrom { require_tls: row.require_tls, ..MailFrom::default() };
        Ok(Some(Report { email, mail_from, recipient, from }))
    }

    fn compose(
        &self,
        row: &Leased,
        action: Action,
        settlement: &Settlement,
        until: Option<OffsetDateTime>,
        message_id: &str,
        original: &[u8],
    ) -> Result<Vec<u8>, crate::wire::mime::ComposeError> {
        let reply = &settlement.reply;
        let via = settlement.attempt.as_ref().map(|attempt| &attempt.via);
        // Only what a remote server said is its diagnostic.
        let remote = via.filter(|via| via.ip.is_some()).and_then(|via| via.host.as_deref());
        let words = reply.to_string();
        let recipient = dsn::Recipient {
            address: &row.recipient,
            original: row.orcpt.as_deref(),
            status: status(row, settlement),
            explanation: explanation(row, settlement, action, remote.is_some()),
            remote_mta: remote,
            diagnostic: remote.map(|_| words.as_str()),
            last_attempt: Some(OffsetDateTime::now_utc().unix_timestamp()),
            will_retry_until: until.map(OffsetDateTime::unix_timestamp),
        };
        let whole = returns_all(row) && original.len() <= MAX_RETURNED;
        dsn::compose(&Dsn {
            to: &row.reverse_path,
            message_id,
            date: OffsetDateTime::now_utc().unix_timestamp(),
            reporting_mta: &self.us,
            arrival_date: Some(row.queued_at.unix_timestamp()),
            envelope_id: row.envid.as_deref(),
            action,
            recipients: &[recipient],
            original: match whole && action == Action::Failed {
                true => Original::Message(original),
                false => Original::Header(original),
            },
        })
    }

    /// What goes back: the header, and all of it where that was asked for.
    async fn original(&self, row: &Leased) -> Result<Vec<u8>, Error> {
        let Some(email) = row.email else { return Ok(Vec::new()) };
        match self.bodies.load(row.tenant, email).await {
            Ok(body) if returns_all(row) && body.len() <= MAX_RETURNED => body.all().await,
            Ok(body) => Ok(body.header().to_vec()),
            Err(Error::NotFound(_)) => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }

    /// The queue's row of a report.
    pub fn send<'a>(
        email: &'a NewEmail,
        mail_from: &'a MailFrom,
        recipients: &'a [Recipient],
        from: &'a str,
    ) -> Enqueue<'a> {
        Enqueue {
            queue_id: email.fields.queue_id.unwrap_or_else(QueueId::random),
            email: email.fields.id,
            address: None,
            source: Source::Bounce,
            class: Class::Transactional,
            mail_from,
            recipients,
            from_address: from,
            subject: &email.fields.subject,
            message_id: email.fields.message_id.as_deref(),
            track_opens: false,
            track_clicks: false,
            send_at: None,
        }
    }
}

/// Never where TLS was required (RFC 8689 §5).
fn returns_all(row: &Leased) -> bool {
    row.ret == DsnReturn::Full && !row.require_tls
}

/// The status to report: a failure is of class 5, whatever it was before it
/// was given up (RFC 3464 §2.3.4).
fn status(row: &Leased, settlement: &Settlement) -> (u8, u16, u16) {
    let class = match settlement.state {
        State::Delivered | State::Sent => 2,
        // RFC 2852 §4: it is late, whatever the last attempt said.
        State::Queued if row.deliver_by.is_some() => return (4, 4, 7),
        State::Queued => 4,
        _ => 5,
    };
    match settlement.reply.enhanced {
        Some((_, subject, detail)) => (class, subject, detail),
        None => (class, 0, 0),
    }
}

/// What happened, in a sentence for the sender.
fn explanation<'a>(
    row: &Leased,
    settlement: &'a Settlement,
    action: Action,
    remote: bool,
) -> &'a str {
    let text = settlement.reply.text.as_str();
    match (action, settlement.state) {
        (Action::Delivered, _) => "The message is in the recipient's mailbox.",
        (Action::Relayed, _) => "The recipient's mail server took the message.",
        (Action::Delayed, _) if row.deliver_by.is_some() => {
            "It was not delivered by the time that you set for it."
        }
        (Action::Delayed, _) => "It is tried again by itself: you need not do anything.",
        (_, State::Expired) if settlement.attempt.is_none() => text,
        (_, State::Expired) => "It was tried for as long as it is kept, without success.",
        (_, _) if remote => refusal(settlement.fault),
        // Of our own making, and written to be read.
        _ => text,
    }
}

/// What another server's refusal means, for somebody who does not read codes.
fn refusal(fault: Option<Fault>) -> &'static str {
    match fault {
        Some(Fault::Address) => {
            "The recipient's mail server says that there is no such address, or that it takes no \
             mail any more. Look whether it is written correctly."
        }
        Some(Fault::Full) => "The recipient's mailbox is full.",
        Some(Fault::Size) => "The message is larger than the recipient's mail server takes.",
        Some(Fault::Content) => {
            "The recipient's mail server refused the message for what is in it, or took it for spam."
        }
        Some(Fault::Policy) => {
            "The recipient's mail server refused the message: its rules do not let you write there."
        }
        Some(Fault::Blocked | Fault::Unproven) => {
            "The recipient's mail server does not trust ours. This is for the people who run the \
             mail server of your organisation."
        }
        Some(Fault::Route) => "The mail server that is named for the recipient does not know it.",
        _ => "The recipient's mail server refused the message.",
    }
}
