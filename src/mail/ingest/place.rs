//! Where a message goes in one organisation: its mailboxes' rules, then the
//! one transaction.

use std::sync::Arc;

use bytes::Bytes;
use serde_json::json;
use time::OffsetDateTime;

use crate::domain::address::Address;
use crate::domain::ids::{OutboundId, TenantId};
use crate::domain::verdict::Verdict;
use crate::mail::Error;
use crate::mail::ingest::receipt::receipt;
use crate::mail::ingest::{Ingest, Origin};
use crate::mail::recipients::{Local, Mailbox};
use crate::mail::returned::Incoming;
use crate::mail::rules::{self, Envelope, View};
use crate::store;
use crate::store::emails::NewEmail;

/// A recipient, and who that is.
pub(super) type To<'a> = (&'a Address, &'a Local);

/// What became of a message in one organisation.
pub(super) struct Placed {
    /// The text of the refusal, where every mailbox refuses it: nothing is stored then.
    pub(super) refused: Option<String>,
    /// What was stored where, and done besides.
    pub(super) email: Box<NewEmail>,
    /// The recipients as they were decided by, in their order.
    pub(super) locals: Vec<Local>,
}

/// How often a directory that changes meanwhile is asked again.
const TRIES: usize = 3;

impl Ingest {
    /// Stores `raw` where the rules of the mailboxes want it.
    ///
    /// The directory may have changed since the recipients were resolved, and
    /// this node may not have heard of it yet. The transaction asks; where it
    /// has, they are resolved anew.
    pub(super) async fn place(
        &self,
        tenant: TenantId,
        raw: Bytes,
        origin: Origin,
        recipients: &[To<'_>],
        (verdict, require_tls): (&Verdict, bool),
    ) -> Result<Placed, Error> {
        let receipt = receipt(&raw, verdict);
        let rows: Vec<OutboundId> =
            recipients.iter().filter_map(|(_, local)| local.returns).collect();
        let incoming = Incoming {
            tenant,
            raw: &raw,
            is_report: origin.reverse_path.as_deref() == Some(""),
            from_outside: origin.source == "smtp",
            verdict,
            rows: &rows,
        };
        let back_to = self.returns.take(&incoming).await?;
        let mut email = Box::new(self.prepare(tenant, raw, origin, Vec::new()).await?);
        email.fields.spam_score = (!verdict.spam.source.is_empty()).then_some(verdict.spam.score);
        if *verdict != Verdict::default() {
            email.fields.verdict = serde_json::to_value(verdict)
                .map_err(|e| Error::Internal(format!("verdict: {e}")))?;
        }
        // The one that our own Delivered-To names.
        let stamped = match recipients {
            [(address, _)] => Some(*address),
            _ => None,
        };
        let brings_report = self.reports.note(tenant, &email).await?;
        let mut locals: Vec<Local> = recipients.iter().map(|(_, local)| (*local).clone()).collect();
        for _ in 0..TRIES {
            let refused =
                self.decide(tenant, &mut email, (&locals, &back_to), verdict, stamped).await?;
            if require_tls {
                // RFC 8689: so does what is sent on, or said, because of it.
                for row in &mut email.actions.outbound {
                    row["require_tls"] = json!(true);
                }
            }
            email.actions.receipts.extend(receipt.clone());
            if refused.is_some() || email.targets.is_empty() && email.actions.is_empty() {
                return Ok(Placed { refused, email, locals });
            }
            let (given_back, stored) = self.commit(tenant, email).await?;
            email = given_back;
            match stored {
                Ok(_) => {
                    if !email.actions.outbound.is_empty() {
                        self.queue.notify_one();
                    }
                    if brings_report {
                        self.reports.stored();
                    }
                    return Ok(Placed { refused: None, email, locals });
                }
                Err(store::Error::Stale) => locals = self.resolve_anew(tenant, recipients).await?,
                Err(error) => return Err(error.into()),
            }
        }
        Err(store::Error::Stale.into())
    }

    /// Fills in who gets `email` and what is done besides; a report goes on to `back_to`.
    async fn decide(
        &self,
        tenant: TenantId,
        email: &mut NewEmail,
        (locals, back_to): (&[Local], &[Address]),
        verdict: &Verdict,
        stamped: Option<&Address>,
    ) -> Result<Option<String>, Error> {
        let mailboxes = mailboxes(locals);
        let mut view = View::of_email(email, verdict);
        if mailboxes.iter().any(|mailbox| mailbox.asks_for_sender()) {
            view.sender_known = match view.from.first() {
                Some(sender) => self.db.tenant(tenant).knows_sender(sender).await?,
                None => false,
            };
        }
        let envelope = Envelope {
            reverse_path: email.fields.reverse_path.as_deref().unwrap_or_default(),
            stamped,
            srs: self.recipients.srs(),
            now: OffsetDateTime::now_utc(),
        };
        let mut plan = rules::plan(&mailboxes, &view, &envelope);
        let forwarded = locals.iter().filter_map(|local| local.back_to.as_ref());
        for back_to in forwarded.chain(back_to) {
            plan.send_back(back_to, &view);
        }
        email.fields.directory_version = locals.iter().filter_map(|local| local.version).min();
        email.targets = plan.targets;
        email.actions = plan.actions;
        Ok(plan.refused)
    }

    /// Asks the directory again. Who may have no mail any more was told
    /// otherwise at RCPT: the peer comes again and hears it there.
    async fn resolve_anew(
        &self,
        tenant: TenantId,
        recipients: &[To<'_>],
    ) -> Result<Vec<Local>, Error> {
        self.recipients.directory_changed();
        let mut locals = Vec::with_capacity(recipients.len());
        for (address, _) in recipients {
            match self.recipients.find(address).await? {
                Some(found) if found.active && found.local.tenant == tenant => {
                    locals.push(found.local.clone());
                }
                _ => return Err(Error::Temporary("a recipient went meanwhile".to_owned())),
            }
        }
        Ok(locals)
    }
}

/// Every mailbox once, however many aliases lead to it.
fn mailboxes(locals: &[Local]) -> Vec<Arc<Mailbox>> {
    let mut all: Vec<Arc<Mailbox>> =
        locals.iter().flat_map(|local| local.mailboxes.iter().map(Arc::clone)).collect();
    all.sort_by_key(|mailbox| mailbox.id);
    all.dedup_by_key(|mailbox| mailbox.id);
    all
}
