//! Returned mail: what others report about messages that have left.
//!
//! A bounce that comes later finds its row by the return path ([`Verp`]), which nobody can make but
//! us, or, of people's own mail, by the Message-ID or envelope identifier of the message together
//! with the recipient that it speaks of. Whoever was sent a message knows these, and can claim that
//! it came back: of their own copy, and of others' whose addresses they know. So that kind is
//! believed in the organisation that sent the message only, and not where the report is forged
//! (DMARC) or junk. The same goes for complaints.

mod said;

use std::sync::Arc;

use serde_json::json;

use crate::domain::address::Address;
use crate::domain::fault::Fault;
use crate::domain::ids::{OutboundId, TenantId};
use crate::domain::outcome::{Outcome, Reply};
use crate::domain::verdict::{Disposition, Outcome as Checked, Verdict};
use crate::mail::Error;
use crate::mail::outcome::{fault, suppresses};
use crate::store::db::Db;
use crate::store::outbound::{Returned, Sent};
use crate::wire::mime::delivery_status::{self, DeliveryStatus, Recipient};
use crate::wire::mime::dsn::Action;
use crate::wire::mime::feedback::{self, Complaint};
use crate::wire::mime::headers::{block_len, find};
use crate::wire::mime::parse;
use crate::wire::verp::Verp;
use said::said;

/// Takes note of returned mail. Cheap to clone.
#[derive(Clone)]
pub struct Returns {
    db: Db,
    verp: Arc<Verp>,
}

/// A message that comes in and may be about one that left.
#[derive(Clone, Copy, Debug)]
pub struct Incoming<'a> {
    /// Whose mailboxes it is for.
    pub tenant: TenantId,
    /// The message.
    pub raw: &'a [u8],
    /// It came with the null reverse-path, as reports do.
    pub is_report: bool,
    /// Another server brought it: our own queue has no news about our own queue.
    pub from_outside: bool,
    /// What was found out about who it is from.
    pub verdict: &'a Verdict,
    /// The rows whose return paths it came to.
    pub rows: &'a [OutboundId],
}

impl Returns {
    /// Over `db`; return paths are read by `verp`.
    pub fn new(db: Db, verp: Arc<Verp>) -> Self {
        Self { db, verp }
    }

    /// Takes note of what `incoming` reports, once however often it comes. Ordinary mail costs no
    /// statement. What came to return paths goes on to whom this names.
    ///
    /// # Errors
    /// [`Error::Temporary`] without the database, and for a bounce of what is still being sent.
    pub async fn take(&self, incoming: &Incoming<'_>) -> Result<Vec<Address>, Error> {
        if let Some(complaint) = feedback::read(incoming.raw) {
            self.complaint(incoming, &complaint).await?;
            return Ok(Vec::new());
        }
        if !incoming.is_report {
            return Ok(Vec::new());
        }
        let report = delivery_status::read(incoming.raw);
        let mut told = Vec::new();
        for id in incoming.rows {
            let Some(sent) = self.db.sent_row(*id).await? else { continue };
            if sent.tenant == incoming.tenant {
                let wanted = self.by_return_path(&sent, report.as_ref(), incoming.raw).await?;
                told.extend(Address::parse(&sent.reverse_path).ok().filter(|_| wanted));
            }
        }
        if let Some(report) = report.filter(|_| incoming.rows.is_empty() && !is_doubtful(incoming))
        {
            self.by_message(incoming.tenant, &report).await?;
        }
        Ok(told)
    }

    /// What came to the return path of a row is about it, whatever it is. Whether its sender wants
    /// to have it.
    async fn by_return_path(
        &self,
        sent: &Sent,
        report: Option<&DeliveryStatus>,
        raw: &[u8],
    ) -> Result<bool, Error> {
        let Some(report) = report else {
            // A mailbox that answers automatically has got it (RFC 3834 §4).
            if is_from_daemon(raw) {
                let text = "it came back without a report that programs can read".to_owned();
                let reply = Reply { code: 550, enhanced: None, text };
                self.bounced(sent, &reply, None, false).await?;
            }
            return Ok(sent.notify.failure);
        };
        let recipients = &report.recipients;
        let failed = |one: &&Recipient| one.action == Action::Failed;
        let about = recipients.iter().find(|one| is_about(one, sent));
        // Whoever had it forwarded is named otherwise.
        let about = about.or_else(|| recipients.iter().find(failed)).or(recipients.first());
        let Some(about) = about else { return Ok(false) };
        self.record(sent, report, about).await?;
        Ok(match about.action {
            Action::Failed => sent.notify.failure,
            Action::Delayed => sent.notify.delay,
            Action::Relayed | Action::Delivered => sent.notify.success,
        })
    }

    async fn by_message(&self, tenant: TenantId, report: &DeliveryStatus) -> Result<(), Error> {
        let named: Vec<String> = report.recipients.iter().flat_map(names).collect();
        let ids = (report.original.message_id.as_deref(), report.envelope_id.as_deref());
        if named.is_empty() || ids == (None, None) {
            return Ok(());
        }
        let mut tx = self.db.tenant(tenant).snapshot().await?;
        let rows = tx.sent_rows(ids.0, ids.1, &named).await?;
        drop(tx);
        for sent in rows {
            if let Some(about) = report.recipients.iter().find(|one| is_about(one, &sent)) {
                self.record(&sent, report, about).await?;
            }
        }
        Ok(())
    }

    async fn record(
        &self,
        sent: &Sent,
        report: &DeliveryStatus,
        about: &Recipient,
    ) -> Result<(), Error> {
        let reply = said(about);
        let host = about.remote_mta.as_deref().or(report.reporting_mta.as_deref());
        let event = match about.action {
            Action::Failed => {
                let suppress = suppresses(&Outcome::Failed(reply.clone()));
                return self.bounced(sent, &reply, host, suppress).await;
            }
            Action::Delayed => "email.report_delayed",
            Action::Relayed => "email.report_relayed",
            Action::Delivered => "email.report_delivered",
        };
        let properties = json!({
            "enhanced": about.status, "host": host, "reply": reply.to_string(),
        });
        Ok(self.db.note_news(sent, event, &properties).await?)
    }

    async fn bounced(
        &self,
        sent: &Sent,
        reply: &Reply,
        host: Option<&str>,
        suppress: bool,
    ) -> Result<(), Error> {
        let fault: Fault = fault(reply, true);
        let properties = json!({
            "code": reply.code, "enhanced": reply.enhanced_text(), "host": host,
            "fault": fault.as_str(), "late": true,
        });
        let what = Returned { reply, host, properties: &properties, suppress };
        if sent.in_hand {
            // Faster than we wrote down that it was taken: to be brought again.
            return Err(Error::Temporary("the message is still being sent".to_owned()));
        }
        if self.db.note_bounce(sent, &what).await? {
            tracing::info!(id = %sent.id, code = reply.code, fault = fault.as_str(), "a message came back");
        }
        Ok(())
    }

    async fn complaint(&self, incoming: &Incoming<'_>, complaint: &Complaint) -> Result<(), Error> {
        let properties = json!({ "kind": complaint.kind, "user_agent": complaint.user_agent });
        for sent in self.complained_of(incoming, complaint).await? {
            if self.db.note_complaint(&sent, &complaint.kind, &properties).await? {
                tracing::info!(id = %sent.id, kind = complaint.kind, "a complaint");
            }
        }
        Ok(())
    }

    /// The rows that a complaint is about: by a return path of ours, whoever's it is, since
    /// providers send all of a server's complaints to one address; or by what the organisation
    /// itself knows.
    async fn complained_of(
        &self,
        incoming: &Incoming<'_>,
        complaint: &Complaint,
    ) -> Result<Vec<Sent>, Error> {
        let paths = [&complaint.original.return_path, &complaint.mail_from].into_iter().flatten();
        let rows = paths.filter_map(|path| self.verp.row(&Address::parse(path).ok()?));
        if let Some(row) = incoming.rows.first().copied().or(rows.into_iter().next()) {
            return Ok(self.db.sent_row(row).await?.into_iter().collect());
        }
        let Some(message_id) = complaint.original.message_id.as_deref() else {
            return Ok(Vec::new());
        };
        if is_doubtful(incoming) {
            return Ok(Vec::new());
        }
        let recipients: Vec<String> =
            complaint.recipients.iter().filter_map(|to| plain(to)).collect();
        let mut tx = self.db.tenant(incoming.tenant).snapshot().await?;
        let rows = tx.sent_rows(Some(message_id), None, &recipients).await?;
        // Many providers do not tell who it was: then it is known of a message to one only.
        Ok(if recipients.is_empty() && rows.len() > 1 { Vec::new() } else { rows })
    }
}

/// Whether something speaks against who the report is from.
fn is_doubtful(incoming: &Incoming<'_>) -> bool {
    let Verdict { dmarc, disposition, .. } = incoming.verdict;
    !incoming.from_outside || dmarc.result == Checked::Fail || *disposition == Disposition::Junk
}

fn is_about(one: &Recipient, sent: &Sent) -> bool {
    names(one).any(|address| address == sent.recipient)
}

fn names(one: &Recipient) -> impl Iterator<Item = String> {
    [&one.original_recipient, &one.final_recipient].into_iter().flatten().filter_map(|to| plain(to))
}

fn plain(address: &str) -> Option<String> {
    Address::parse(address).ok().map(|address| address.to_string())
}

/// Whether a message is by a mail server rather than by a person's mailbox.
fn is_from_daemon(raw: &[u8]) -> bool {
    let header = raw.get(..block_len(raw)).unwrap_or_default();
    let Some(from) = find(header, "From") else { return true };
    let alone = [b"From: ".as_slice(), &from.text(), b"\r\n\r\n"].concat();
    let form = parse(&alone);
    let local = form.from.first().and_then(|from| from.address.rsplit_once('@')).map(|at| at.0);
    local.is_none_or(|local| {
        ["mailer-daemon", "postmaster"].iter().any(|name| local.eq_ignore_ascii_case(name))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_daemon_is_told_from_a_person() {
        for (from, expected) in [
            ("From: Mail Delivery Subsystem <MAILER-DAEMON@b.test>", true),
            ("From: postmaster@b.test", true),
            ("From: MAILER-DAEMON", true),
            ("Subject: none", true),
            ("From: Bob <bob@b.test>", false),
        ] {
            assert_eq!(is_from_daemon(format!("{from}\r\n\r\nx").as_bytes()), expected, "{from}");
        }
    }
}
