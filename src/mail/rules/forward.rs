//! Forwarding: who gets a message as well, and with which return address.

use serde_json::json;
use uuid::Uuid;

use crate::domain::address::Address;
use crate::domain::verdict::{Disposition, Outcome};
use crate::mail::recipients::Mailbox;
use crate::mail::rules::plan::Kept;
use crate::mail::rules::{Effects, Envelope, Plan, View};

impl Plan {
    /// Forwards as the mailbox and its rules want; says whether it keeps a
    /// copy.
    ///
    /// What is spam is not passed on in our name: it is kept. What this mailbox
    /// has had before (its own Delivered-To is there) ends here, kept.
    pub(super) fn forward(
        &mut self,
        mailbox: &Mailbox,
        effects: &Effects,
        view: &View<'_>,
        envelope: &Envelope<'_>,
    ) -> Kept {
        let kept = if effects.discarded { Kept::No } else { Kept::Yes };
        let mut to: Vec<&Address> = mailbox.forwards.iter().map(|forward| &forward.to).collect();
        to.extend(&effects.forwards);
        to.sort_unstable();
        to.dedup();
        to.retain(|address| address.as_str() != mailbox.address);
        let is_junk = view.verdict.disposition == Disposition::Junk;
        if to.is_empty() || is_junk || has_been_here(mailbox, view, envelope) {
            return kept;
        }
        let queue_id = Uuid::new_v4();
        let reverse_path = return_address(mailbox, envelope);
        for address in to {
            self.actions.outbound.push(json!({
                "queue_id": queue_id,
                "address_id": mailbox.id,
                "source": "forward",
                "reverse_path": reverse_path,
                "recipient": address.as_str(),
                "from_address": author(view).unwrap_or(&mailbox.address),
                "subject": view.subject,
                "message_id": view.message_id,
                "email": true,
                "dsn_notify": reports(view),
                // Who forwarded it; also what a loop is known by.
                "dsn_orcpt": format!("rfc822;{}", mailbox.address),
                "smtputf8": !view.header.is_ascii(),
            }));
        }
        let stays = mailbox.forwards.is_empty() || mailbox.forwards.iter().any(|f| f.keep);
        if effects.discarded || !stays { Kept::UnlessForwarded } else { Kept::Yes }
    }

    /// Passes a report on to the sender whose mail was forwarded.
    pub fn send_back(&mut self, to: &Address, view: &View<'_>) {
        self.actions.outbound.push(json!({
            "queue_id": Uuid::new_v4(),
            "source": "forward",
            "reverse_path": "",
            "recipient": to.as_str(),
            "from_address": author(view).unwrap_or(""),
            "subject": view.subject,
            "message_id": view.message_id,
            "email": true,
            "smtputf8": !view.header.is_ascii(),
        }));
    }
}

/// The author as the message names it, where that is an address.
fn author<'a>(view: &'a View<'_>) -> Option<&'a str> {
    view.from.first().map(String::as_str).filter(|from| Address::parse(from).is_ok())
}

/// Whether the mailbox forwarded it once already, and it came back.
fn has_been_here(mailbox: &Mailbox, view: &View<'_>, envelope: &Envelope<'_>) -> bool {
    let ours = usize::from(envelope.stamped.is_some_and(|a| a.as_str() == mailbox.address));
    let named = view.field("Delivered-To").filter(|to| to.eq_ignore_ascii_case(&mailbox.address));
    named.count() > ours
}

/// A report comes back to us and goes on to the sender; where that cannot be
/// written into an address, the mailbox gets it. A report has no report.
fn return_address(mailbox: &Mailbox, envelope: &Envelope<'_>) -> String {
    let Ok(sender) = Address::parse(envelope.reverse_path) else { return String::new() };
    let domain = mailbox.address.rsplit_once('@').map_or("", |(_, domain)| domain);
    let day = u64::try_from(envelope.now.unix_timestamp() / 86_400).unwrap_or(0);
    let made = envelope.srs.forward(&sender, domain, day);
    made.map_or_else(|| mailbox.address.clone(), |made| made.to_string())
}

/// A sender that is not who it says hears nothing: the report would go to
/// somebody who has sent nothing.
fn reports(view: &View<'_>) -> &'static [&'static str] {
    match view.verdict.spf {
        Outcome::Fail | Outcome::Softfail => &[],
        _ => &["failure"],
    }
}
