//! Automatic answers (RFC 3834, RFC 5230): whom, when, and what they say.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::domain::address::Address;
use crate::domain::verdict::Disposition;
use crate::mail::recipients::{AutoReply, Mailbox};
use crate::mail::rules::template::fill;
use crate::mail::rules::{Effects, Envelope, Plan, View};

/// References in an answer.
const MOST_REFERENCES: usize = 20;

impl Plan {
    /// Answers as the mailbox and its rules want. Whether a sender was answered
    /// lately is asked in the transaction.
    pub(super) fn answer(
        &mut self,
        mailbox: &Mailbox,
        effects: &Effects,
        view: &View<'_>,
        envelope: &Envelope<'_>,
    ) {
        if mailbox.auto_replies.is_empty() && effects.replies.is_empty() {
            return;
        }
        let Some(sender) = whom(mailbox, view, envelope.reverse_path) else { return };
        let now = envelope.now.unix_timestamp();
        let due = mailbox.auto_replies.iter().find(|reply| {
            reply.starts_at.is_none_or(|at| at <= now)
                && reply.ends_at.is_none_or(|at| now < at)
                && is_addressed(mailbox, reply, view)
        });
        if let Some(reply) = due {
            let mut row = row(mailbox, &sender, view);
            let subject = reply.subject.clone();
            let subject = subject.unwrap_or_else(|| format!("Auto: {}", view.subject));
            row["auto_reply_id"] = json!(reply.id);
            row["subject"] = json!(one_line(&subject));
            row["text_body"] = json!(reply.text);
            row["html_body"] = json!(reply.html);
            self.actions.outbound.push(row);
        }
        for (rule, template) in &effects.replies {
            self.answer_with(mailbox, &sender, view, (*rule, *template), now);
        }
    }

    /// From a template; a sender gets one a day from each rule.
    fn answer_with(
        &mut self,
        mailbox: &Mailbox,
        sender: &Address,
        view: &View<'_>,
        (rule, template): (Uuid, Uuid),
        now: i64,
    ) {
        let Some(template) = mailbox.templates.get(&template) else { return };
        let value = |name: &str| match name {
            "subject" => Some(view.subject.to_owned()),
            "sender_name" => Some(view.from_name.unwrap_or_default().to_owned()),
            "sender_address" => Some(sender.to_string()),
            "mailbox_name" => Some(mailbox.name.clone().unwrap_or_default()),
            "mailbox_address" => Some(mailbox.address.clone()),
            other => match template.defaults.get(other) {
                Some(Value::String(text)) => Some(text.clone()),
                Some(Value::Number(number)) => Some(number.to_string()),
                _ => None,
            },
        };
        let mut row = row(mailbox, sender, view);
        row["subject"] = json!(one_line(&fill(&template.subject, false, value)));
        row["text_body"] = json!(template.text.as_ref().map(|text| fill(text, false, value)));
        row["html_body"] = json!(template.html.as_ref().map(|html| fill(html, true, value)));
        row["idempotency_key"] = json!(format!("filter {rule} day {}", now / 86_400));
        self.actions.outbound.push(row);
    }
}

/// A row of the queue, without what it says. The null reverse-path, so that no
/// answer is answered (RFC 3834 §3.3).
fn row(mailbox: &Mailbox, sender: &Address, view: &View<'_>) -> Value {
    let mut references: Vec<&str> = view.references.iter().map(String::as_str).collect();
    references.extend(view.message_id);
    let from = references.len().saturating_sub(MOST_REFERENCES);
    json!({
        "queue_id": Uuid::new_v4(),
        "address_id": mailbox.id,
        "source": "auto_reply",
        "reverse_path": "",
        "recipient": sender.as_str(),
        "from_address": mailbox.address,
        "from_name": mailbox.name.as_deref().map(one_line),
        "smtputf8": !sender.is_ascii(),
        "metadata": { "answers": references.get(from..) },
    })
}

/// Who may be answered: the reverse-path (RFC 3834 §4), unless something says
/// that no person waits there.
fn whom(mailbox: &Mailbox, view: &View<'_>, reverse_path: &str) -> Option<Address> {
    let sender = Address::parse(reverse_path).ok()?;
    let own = |a: &String| a.eq_ignore_ascii_case(sender.as_str());
    let silent = mailbox.own.iter().any(own)
        || view.verdict.disposition == Disposition::Junk
        || is_machine(sender.local())
        || is_automatic(view);
    (!silent).then_some(sender)
}

/// Addresses behind which there is a program (RFC 3834 §2, RFC 5230 §4.6).
fn is_machine(local: &str) -> bool {
    let bare: String = local.chars().filter(char::is_ascii_alphanumeric).collect();
    local.starts_with("owner-")
        || local.ends_with("-owner")
        || local.ends_with("-request")
        || local.starts_with("bounce")
        || local.ends_with("-bounce")
        || local.contains("-bounces")
        || bare.starts_with("noreply")
        || bare.starts_with("donotreply")
        || matches!(
            bare.as_str(),
            "mailerdaemon" | "listserv" | "majordomo" | "postmaster" | "bounces"
        )
}

/// What a program wrote, a list distributed, or many were sent at once
/// (RFC 3834 §2, RFC 2369, RFC 2919).
fn is_automatic(view: &View<'_>) -> bool {
    let first_word = |value: String| {
        value
            .split(|c: char| c == ';' || c.is_whitespace())
            .next()
            .unwrap_or_default()
            .to_lowercase()
    };
    view.field("Auto-Submitted").map(first_word).any(|word| word != "no")
        || view
            .field("Precedence")
            .map(first_word)
            .any(|w| matches!(w.as_str(), "bulk" | "list" | "junk"))
        || view.has_field("X-Auto-Response-Suppress")
        || ["List-Id", "List-Unsubscribe", "List-Post", "List-Help", "List-Owner", "List-Subscribe"]
            .iter()
            .any(|name| view.has_field(name))
}

/// Whether To or Cc names one of the mailbox's own addresses, so that mail
/// which came by a list or in Bcc is not answered (RFC 5230 §4.5).
fn is_addressed(mailbox: &Mailbox, reply: &AutoReply, view: &View<'_>) -> bool {
    let is_own =
        |a: &str| mailbox.own.iter().chain(&reply.own).any(|own| own.eq_ignore_ascii_case(a));
    view.to.iter().chain(&view.cc).any(|named| {
        is_own(named)
            || Address::parse(named)
                .ok()
                .and_then(|address| address.without_detail())
                .is_some_and(|address| is_own(address.as_str()))
    })
}

/// A subject or a name as a row can have it.
fn one_line(text: &str) -> String {
    text.replace(char::is_control, " ").chars().take(500).collect()
}

#[cfg(test)]
mod tests {
    use time::OffsetDateTime;

    use super::*;
    use crate::domain::verdict::Verdict;
    use crate::store::recipients::MailboxRow;
    use crate::wire::mime;
    use crate::wire::srs::Srs;

    fn mailbox(reply: &Value) -> Mailbox {
        let row: MailboxRow = serde_json::from_value(json!({
            "id": Uuid::nil(), "address": "bob@here.test", "quota": false,
            "auto_replies": [reply], "own": ["team@here.test"],
        }))
        .unwrap();
        Mailbox::read(row)
    }

    fn answered(from: &str, fields: &str, reply: &Value, at: i64) -> Vec<Value> {
        let raw = format!("From: Ann <ann@shop.test>\r\nSubject: Hi\r\n{fields}\r\nx\r\n");
        let (form, verdict) = (mime::parse(raw.as_bytes()), Verdict::default());
        let view = View::of_form(raw.as_bytes(), &form, &verdict);
        let (srs, now) = (Srs::new(b"x"), OffsetDateTime::from_unix_timestamp(at).unwrap());
        let envelope = Envelope { reverse_path: from, stamped: None, srs: &srs, now };
        let mut plan = Plan::default();
        plan.answer(&mailbox(reply), &Effects::default(), &view, &envelope);
        plan.actions.outbound
    }

    fn away() -> Value {
        json!({"id": Uuid::nil(), "subject": null, "text": "Away.", "starts_at": 100, "ends_at": 200,
            "own": ["bob@old.test"]})
    }

    #[test]
    fn a_person_is_answered_and_only_in_the_dates() {
        let rows = answered(
            "ann@shop.test",
            "To: bob@here.test\r\nMessage-ID: <2@s>\r\nReferences: <1@s>\r\n",
            &away(),
            150,
        );
        assert_eq!(rows.len(), 1);
        assert_eq!(rows[0]["recipient"], "ann@shop.test");
        assert_eq!(rows[0]["subject"], "Auto: Hi");
        assert_eq!(rows[0]["reverse_path"], "");
        assert_eq!(rows[0]["metadata"]["answers"], json!(["1@s", "2@s"]));
        for (at, count) in [(99, 0), (100, 1), (199, 1), (200, 0)] {
            assert_eq!(
                answered("ann@shop.test", "To: bob@here.test\r\n", &away(), at).len(),
                count,
                "{at}"
            );
        }
    }

    #[test]
    fn only_who_names_the_mailbox_is_answered() {
        for (fields, count) in [
            ("To: TEAM@here.test\r\n", 1),
            ("Cc: x@y.test, bob+tag@here.test\r\n", 1),
            ("To: bob@old.test\r\n", 1),
            ("To: undisclosed-recipients:;\r\n", 0),
            ("Bcc: bob@here.test\r\n", 0),
            ("To: list@elsewhere.test\r\n", 0),
        ] {
            assert_eq!(answered("ann@shop.test", fields, &away(), 150).len(), count, "{fields}");
        }
    }

    #[test]
    fn lists_bulk_programs_and_bounces_are_never_answered() {
        for from in [
            "",
            "owner-x@s.test",
            "x-request@s.test",
            "x-bounces+bob@s.test",
            "mailer-daemon@s.test",
            "no-reply@s.test",
            "noreply-7@s.test",
            "do.not.reply@s.test",
            "bounce-1@s.test",
            "bob@here.test",
        ] {
            assert!(answered(from, "To: bob@here.test\r\n", &away(), 150).is_empty(), "{from}");
        }
        for field in [
            "Auto-Submitted: auto-generated",
            "Auto-Submitted: auto-replied; x=y",
            "Precedence: bulk",
            "Precedence: LIST",
            "Precedence: junk",
            "List-Id: <x.y>",
            "List-Unsubscribe: <mailto:x@y>",
            "X-Auto-Response-Suppress: All",
        ] {
            let fields = format!("To: bob@here.test\r\n{field}\r\n");
            assert!(answered("ann@shop.test", &fields, &away(), 150).is_empty(), "{field}");
        }
        let fields = "To: bob@here.test\r\nAuto-Submitted: no\r\nPrecedence: first-class\r\n";
        assert_eq!(answered("ann@shop.test", fields, &away(), 150).len(), 1);
    }
}
