//! A mailbox with its rules, read once.

use std::collections::HashMap;

use serde_json::Value;
use uuid::Uuid;

use crate::domain::address::Address;
use crate::domain::ids::AddressId;
use crate::domain::rule::{Action, Rule, RuleError};
use crate::store::recipients::{AutoReplyRow, MailboxRow, TemplateRow};

/// A mailbox as delivery sees it.
#[derive(Clone, Debug)]
pub struct Mailbox {
    /// Its id.
    pub id: AddressId,
    /// Its address.
    pub address: String,
    /// The person's name.
    pub name: Option<String>,
    /// Whether it has a quota.
    pub has_quota: bool,
    /// Its filters, in order.
    pub rules: Vec<Rule>,
    /// Filters that are there and cannot be read: mail goes on without them.
    pub unreadable: Vec<Unreadable>,
    /// Where its mail goes as well.
    pub forwards: Vec<Forward>,
    /// What answers for it.
    pub auto_replies: Vec<AutoReply>,
    /// What its filters answer with.
    pub templates: HashMap<Uuid, Template>,
    /// Its address and the aliases that lead to it; the latter only where
    /// there are automatic replies.
    pub own: Vec<String>,
    /// Octets of the rules as they are stored.
    size: usize,
}

/// A filter that cannot be read.
#[derive(Clone, Debug)]
pub struct Unreadable {
    /// The row.
    pub id: Uuid,
    /// What people call it.
    pub name: String,
    /// Why.
    pub error: RuleError,
}

/// One forwarding.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Forward {
    /// To whom.
    pub to: Address,
    /// Whether the mailbox keeps the message too.
    pub keep: bool,
}

/// A vacation notice or the like.
pub type AutoReply = AutoReplyRow;
/// Mail with variables.
pub type Template = TemplateRow;

/// What a compiled expression takes beside its text, roughly.
const COMPILED: usize = 16 * 1024;

impl Mailbox {
    /// Reads the rules of a row. None of them can make this fail: what cannot
    /// be read is left out and named.
    pub fn read(row: MailboxRow) -> Self {
        let mut size = 0;
        let (mut rules, mut unreadable) = (Vec::new(), Vec::new());
        for filter in row.filters {
            size += octets(&filter.conditions) + octets(&filter.actions) + filter.name.len();
            match Rule::parse(filter.id, &filter.name, &filter.conditions, &filter.actions) {
                Ok(rule) => rules.push(rule),
                Err(error) => {
                    unreadable.push(Unreadable { id: filter.id, name: filter.name, error });
                }
            }
        }
        let forwards = row.forwards.into_iter().filter_map(|forward| {
            Some(Forward { to: Address::parse(&forward.to).ok()?, keep: forward.keep })
        });
        let texts = |text: &Option<String>, html: &Option<String>| {
            text.as_ref().map_or(0, String::len) + html.as_ref().map_or(0, String::len)
        };
        size += row.templates.values().map(|t| texts(&t.text, &t.html)).sum::<usize>();
        size +=
            row.auto_replies.iter().map(|r| r.text.len() + texts(&None, &r.html)).sum::<usize>();
        let mut own = row.own;
        own.push(row.address.clone());
        Self {
            id: AddressId(row.id),
            address: row.address,
            name: row.name,
            has_quota: row.quota,
            rules,
            unreadable,
            forwards: forwards.collect(),
            auto_replies: row.auto_replies,
            templates: row.templates,
            own,
            size,
        }
    }

    /// Whether its mail goes to its INBOX and nowhere else, whatever it is.
    pub fn is_plain(&self) -> bool {
        self.rules.is_empty()
            && self.unreadable.is_empty()
            && self.forwards.is_empty()
            && self.auto_replies.is_empty()
    }

    /// Whether a rule asks who is known.
    pub fn asks_for_sender(&self) -> bool {
        self.rules.iter().any(|rule| rule.when.asks_for_sender())
    }

    /// Whether a rule does what `is` says.
    pub fn has_action(&self, is: impl Fn(&Action) -> bool) -> bool {
        self.rules.iter().flat_map(|rule| &rule.then).any(is)
    }

    /// Octets of memory, roughly.
    pub(super) fn weight(&self) -> usize {
        self.size * 4 + self.rules.len() * COMPILED
    }
}

fn octets(value: &Value) -> usize {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => 8,
        Value::String(text) => text.len() + 8,
        Value::Array(list) => list.iter().map(octets).sum(),
        Value::Object(map) => map.iter().map(|(key, value)| key.len() + octets(value)).sum(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_rule_that_cannot_be_read_loses_nothing_but_itself() {
        let row: MailboxRow = serde_json::from_value(json!({
            "id": Uuid::nil(), "address": "a@b.test", "quota": false,
            "filters": [
                {"id": Uuid::nil(), "name": "good", "conditions": {"all": []}, "actions": [{"do": "flag"}]},
                {"id": Uuid::nil(), "name": "bad", "conditions": {"field": "subject", "op": "regex", "value": "("},
                 "actions": [{"do": "discard"}]},
            ],
            "forwards": [{"to": "c@d.test", "keep": true}],
        }))
        .unwrap();
        let mailbox = Mailbox::read(row);
        assert_eq!(mailbox.rules.len(), 1);
        assert_eq!(mailbox.unreadable[0].name, "bad");
        assert_eq!(mailbox.forwards.len(), 1);
        assert_eq!(mailbox.own, ["a@b.test"]);
        assert!(!mailbox.is_plain() && mailbox.weight() > 0);
    }
}
