//! A message as rules see it.

use std::cell::OnceCell;

use serde_json::Value;

use crate::domain::verdict::{Outcome, Verdict};
use crate::store::emails::NewEmail;
use crate::store::rule_messages::RuleMessage;
use crate::wire::mime::Form;
use crate::wire::mime::headers::{find, find_all};

/// What can be asked of a message.
pub struct View<'a> {
    /// The header block.
    pub header: &'a [u8],
    /// The decoded subject.
    pub subject: &'a str,
    /// The readable text.
    pub text: &'a str,
    /// Octets of the whole message.
    pub size: u64,
    /// Addresses in From, in lower case.
    pub from: Vec<String>,
    /// Addresses in To, in lower case.
    pub to: Vec<String>,
    /// Addresses in Cc, in lower case.
    pub cc: Vec<String>,
    /// File name and type of each attachment.
    pub attachments: Vec<(Option<&'a str>, &'a str)>,
    /// Its Message-ID, without angle brackets.
    pub message_id: Option<&'a str>,
    /// What it refers to, oldest first.
    pub references: &'a [String],
    /// The display name in From.
    pub from_name: Option<&'a str>,
    /// What was found out about it.
    pub verdict: &'a Verdict,
    /// Whether there was mail from or to its sender before.
    pub sender_known: bool,
    lower_text: OnceCell<String>,
}

impl<'a> View<'a> {
    /// Of a message that is about to be stored.
    pub fn of_email(email: &'a NewEmail, verdict: &'a Verdict) -> Self {
        let recipients = &email.fields.recipients;
        Self {
            header: &email.header,
            subject: &email.fields.subject,
            text: &email.text,
            size: email.fields.size_bytes,
            from: addresses(recipients, "from"),
            to: addresses(recipients, "to"),
            cc: addresses(recipients, "cc"),
            attachments: email
                .attachments
                .iter()
                .map(|a| (a.filename.as_deref(), a.content_type.as_str()))
                .collect(),
            message_id: email.fields.message_id.as_deref(),
            references: &email.fields.reference_ids,
            from_name: email.fields.from_name.as_deref(),
            verdict,
            sender_known: false,
            lower_text: OnceCell::new(),
        }
    }

    /// Of a message that was parsed.
    pub fn of_form(raw: &'a [u8], form: &'a Form, verdict: &'a Verdict) -> Self {
        let addresses = |list: &[crate::wire::mime::Mailbox]| {
            list.iter().map(|m| m.address.to_lowercase()).collect()
        };
        Self {
            header: raw.get(..form.header_len).unwrap_or_default(),
            subject: &form.subject,
            text: &form.text,
            size: raw.len() as u64,
            from: addresses(&form.from),
            to: addresses(&form.to),
            cc: addresses(&form.cc),
            attachments: form
                .attachments
                .iter()
                .map(|a| (a.filename.as_deref(), a.content_type.as_str()))
                .collect(),
            message_id: form.message_id.as_deref(),
            references: &form.references,
            from_name: form.from.first().and_then(|m| m.name.as_deref()),
            verdict,
            sender_known: false,
            lower_text: OnceCell::new(),
        }
    }

    /// Of a message that is stored.
    pub fn of_stored(message: &'a RuleMessage, verdict: &'a Verdict) -> Self {
        let attachments = message.attachments.iter();
        Self {
            header: &message.header,
            subject: &message.subject,
            text: &message.text,
            size: message.size_bytes,
            from: addresses(&message.recipients, "from"),
            to: addresses(&message.recipients, "to"),
            cc: addresses(&message.recipients, "cc"),
            attachments: attachments.map(|(name, kind)| (name.as_deref(), kind.as_str())).collect(),
            message_id: message.message_id.as_deref(),
            references: &message.reference_ids,
            from_name: message.from_name.as_deref(),
            verdict,
            sender_known: message.sender_known,
            lower_text: OnceCell::new(),
        }
    }

    /// The text in lower case, made once.
    pub(super) fn lower_text(&self) -> &str {
        self.lower_text.get_or_init(|| self.text.to_lowercase())
    }

    /// The decoded values of a header field.
    pub fn field<'b>(&'b self, name: &'b str) -> impl Iterator<Item = String> + 'b {
        find_all(self.header, name).map(|field| field.decoded())
    }

    /// Whether there is a header field of that name.
    pub fn has_field(&self, name: &str) -> bool {
        find(self.header, name).is_some()
    }

    /// The identifier in List-Id (RFC 2919 §3): between angle brackets, else
    /// all of it.
    pub(super) fn list_id(&self) -> Option<String> {
        let value = self.field("List-Id").next()?;
        let inside = value.rsplit_once('<').and_then(|(_, id)| id.split_once('>'));
        Some(inside.map_or(value.as_str(), |(id, _)| id).trim().to_owned())
    }

    /// Each result as `method=result`, and DMARC's alone.
    pub(super) fn authenticity(&self) -> Vec<String> {
        let verdict = self.verdict;
        let dkim = match verdict.dkim.iter().map(|s| s.result) {
            mut all if all.clone().any(|r| r == Outcome::Pass) => all.find(|r| *r == Outcome::Pass),
            mut all => all.next(),
        };
        let results = [
            ("spf", verdict.spf),
            ("dkim", dkim.unwrap_or_default()),
            ("dmarc", verdict.dmarc.result),
            ("arc", verdict.arc),
            ("iprev", verdict.iprev),
        ];
        let mut texts: Vec<String> =
            results.iter().map(|(method, r)| format!("{method}={}", r.as_str())).collect();
        texts.push(verdict.dmarc.result.as_str().to_owned());
        texts
    }
}

/// The addresses that `emails.recipients` has for a field, in lower case.
fn addresses(recipients: &Value, field: &str) -> Vec<String> {
    let list = recipients.get(field).and_then(Value::as_array);
    let address = |m: &Value| m.get("address").and_then(Value::as_str).map(str::to_lowercase);
    list.into_iter().flatten().filter_map(address).collect()
}
