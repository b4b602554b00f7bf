//! What the storing transaction does for the mailboxes of one organisation.

use std::sync::Arc;

use serde_json::{Value, json};
use time::OffsetDateTime;

use crate::domain::address::Address;
use crate::domain::verdict::Disposition;
use crate::mail::recipients::Mailbox;
use crate::mail::rules::{Effects, View, run};
use crate::store::emails::{Actions, Target};
use crate::wire::srs::Srs;

/// Whether a mailbox keeps a copy.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kept {
    /// It does.
    Yes,
    /// Only if none of its forwards may leave.
    UnlessForwarded,
    /// It does not.
    No,
}

/// The decision.
#[derive(Debug, Default)]
pub struct Plan {
    /// Who keeps it, and how.
    pub targets: Vec<Target>,
    /// What is done besides.
    pub actions: Actions,
    /// Every mailbox refuses it; the text of the first one.
    pub refused: Option<String>,
}

impl Plan {
    /// Whether nobody keeps it and nothing comes of it.
    pub fn is_empty(&self) -> bool {
        self.targets.is_empty() && self.actions.is_empty()
    }
}

/// How the message came.
#[derive(Clone, Copy, Debug)]
pub struct Envelope<'a> {
    /// Empty for the null reverse-path.
    pub reverse_path: &'a str,
    /// The address that our own Delivered-To names, where there is one.
    pub stamped: Option<&'a Address>,
    /// Makes return addresses.
    pub srs: &'a Srs,
    /// Now.
    pub now: OffsetDateTime,
}

/// Decides for each mailbox.
pub fn plan(mailboxes: &[Arc<Mailbox>], view: &View<'_>, envelope: &Envelope<'_>) -> Plan {
    let mut plan = Plan::default();
    let mut refusals = Vec::new();
    for mailbox in mailboxes {
        let effects = match mailbox.is_plain() {
            true => Effects::default(),
            false => run(&mailbox.rules, view, |_| {}),
        };
        plan.webhooks(mailbox, &effects, view);
        if let Some(text) = effects.rejected {
            refusals.push(text);
            continue;
        }
        if !effects.discarded {
            plan.answer(mailbox, &effects, view, envelope);
        }
        let kept = plan.forward(mailbox, &effects, view, envelope);
        plan.put(mailbox, effects, view, kept);
    }
    if !mailboxes.is_empty() && refusals.len() == mailboxes.len() {
        plan.refused = refusals.into_iter().next().map(|text| sayable(&text));
    }
    plan
}

impl Plan {
    /// Into its folder; where the mailbox does not keep it, only if nothing of
    /// it may leave.
    fn put(&mut self, mailbox: &Mailbox, effects: Effects, view: &View<'_>, kept: Kept) {
        let list = match kept {
            Kept::Yes => &mut self.targets,
            Kept::UnlessForwarded => &mut self.actions.unkept,
            Kept::No => return,
        };
        if let Some(name) = effects.folder.as_deref().filter(|name| *name != "INBOX") {
            self.actions.folders.push(json!({ "address_id": mailbox.id, "name": name }));
        }
        let junk = effects.folder.is_none() && view.verdict.disposition == Disposition::Junk;
        list.push(Target {
            folder: effects.folder,
            special_use: junk.then_some("junk"),
            seen: effects.seen,
            flagged: effects.flagged,
            keywords: effects.keywords,
            ..Target::inbox(mailbox.id)
        });
    }

    fn webhooks(&mut self, mailbox: &Mailbox, effects: &Effects, view: &View<'_>) {
        for (rule, webhook) in &effects.webhooks {
            let payload: Value = json!({
                "type": "filter.matched",
                "filter_id": rule,
                "address_id": mailbox.id,
                "from": view.from.first(),
                "subject": view.subject.chars().take(500).collect::<String>(),
            });
            self.actions.webhooks.push(json!({ "webhook_id": webhook, "payload": payload }));
        }
    }
}

/// A rule's text as SMTP can say it: one line of printable ASCII, at most 400
/// characters (RFC 5321 §4.5.3.1.5).
fn sayable(text: &str) -> String {
    let clean: String = text
        .chars()
        .map(|c| {
            if c.is_ascii_graphic() {
                c
            } else if c.is_whitespace() {
                ' '
            } else {
                '?'
            }
        })
        .take(400)
        .collect();
    match clean.trim() {
        "" => "Refused by the recipient".to_owned(),
        clean => clean.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_cannot_say_more() {
        assert_eq!(sayable("No\r\n250 Ok\u{7f}\0"), "No  250 Ok??");
        assert_eq!(sayable(" \n "), "Refused by the recipient");
        assert_eq!(sayable(&"x".repeat(1000)).len(), 400);
    }
}
