//! The rules of one mailbox, in order.

use uuid::Uuid;

use crate::domain::address::Address;
use crate::domain::rule::{Action, Rule};
use crate::mail::rules::{View, evaluate};

/// What the rules of a mailbox make of a message.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Effects {
    /// The folder; `None` is where it would go without rules. The last word
    /// counts.
    pub folder: Option<String>,
    /// Keywords, each once.
    pub keywords: Vec<String>,
    /// `\Flagged`.
    pub flagged: bool,
    /// `\Seen`.
    pub seen: bool,
    /// Not kept in this mailbox.
    pub discarded: bool,
    /// Refused, with the text of the rule. Not kept either, and no later rule
    /// is asked.
    pub rejected: Option<String>,
    /// Forwarded to these, each once.
    pub forwards: Vec<Address>,
    /// Rule and template of each answer.
    pub replies: Vec<(Uuid, Uuid)>,
    /// Rule and webhook of each.
    pub webhooks: Vec<(Uuid, Uuid)>,
}

/// One rule that was asked.
#[derive(Clone, Copy, Debug)]
pub struct Step<'a> {
    /// Which.
    pub rule: &'a Rule,
    /// Whether its conditions held, and so it acted.
    pub matched: bool,
}

/// Asks the rules one after the other until one says stop; `seen_by` is told
/// of each that was asked.
pub fn run<'a>(
    rules: impl IntoIterator<Item = &'a Rule>,
    view: &View<'_>,
    mut seen_by: impl FnMut(Step<'a>),
) -> Effects {
    let mut effects = Effects::default();
    for rule in rules {
        let matched = evaluate::holds(&rule.when, view);
        seen_by(Step { rule, matched });
        if matched && act(rule, &mut effects) {
            break;
        }
    }
    effects
}

/// Whether no later rule is to be asked.
fn act(rule: &Rule, effects: &mut Effects) -> bool {
    let mut stop = false;
    for action in &rule.then {
        match action {
            Action::Folder(name) => effects.folder = Some(name.clone()),
            Action::Label(keyword) => {
                if !effects.keywords.iter().any(|k| k.eq_ignore_ascii_case(keyword)) {
                    effects.keywords.push(keyword.clone());
                }
            }
            Action::Flag => effects.flagged = true,
            Action::Read => effects.seen = true,
            Action::Forward(address) => {
                if !effects.forwards.contains(address) {
                    effects.forwards.push(address.clone());
                }
            }
            Action::Reply(template) => effects.replies.push((rule.id, *template)),
            Action::Webhook(webhook) => effects.webhooks.push((rule.id, *webhook)),
            Action::Discard => effects.discarded = true,
            Action::Reject(text) => {
                effects.rejected = Some(text.clone());
                stop = true;
            }
            Action::Stop => stop = true,
        }
    }
    stop
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::domain::verdict::Verdict;
    use crate::wire::mime;

    fn rules(all: &[(Value, Value)]) -> Vec<Rule> {
        let rule = |(n, (when, then)): (usize, &(Value, Value))| {
            Rule::parse(Uuid::from_u128(n as u128), &n.to_string(), when, then).unwrap()
        };
        all.iter().enumerate().map(rule).collect()
    }

    fn effects(all: &[(Value, Value)]) -> (Effects, Vec<bool>) {
        let raw = b"From: a@b.test\r\nSubject: hello\r\n\r\nx\r\n";
        let (form, verdict) = (mime::parse(raw), Verdict::default());
        let mut steps = Vec::new();
        let view = View::of_form(raw, &form, &verdict);
        let effects = run(&rules(all), &view, |step| steps.push(step.matched));
        (effects, steps)
    }

    #[test]
    fn rules_add_up_until_one_stops() {
        let (every, none) = (json!({"all": []}), json!({"any": []}));
        let (effects, steps) = effects(&[
            (
                every.clone(),
                json!([{"do": "folder", "name": "A"}, {"do": "label", "keyword": "x"}]),
            ),
            (none, json!([{"do": "discard"}])),
            (
                every.clone(),
                json!([{"do": "folder", "name": "B"}, {"do": "label", "keyword": "X"}, {"do": "stop"}]),
            ),
            (every, json!([{"do": "flag"}])),
        ]);
        assert_eq!(steps, [true, false, true]);
        let expected =
            Effects { folder: Some("B".into()), keywords: vec!["x".into()], ..Effects::default() };
        assert_eq!(effects, expected);
    }

    #[test]
    fn a_refusal_ends_it() {
        let every = json!({"all": []});
        let (effects, steps) = effects(&[
            (every.clone(), json!([{"do": "reject", "text": "No thanks"}, {"do": "read"}])),
            (every, json!([{"do": "flag"}])),
        ]);
        assert_eq!(steps, [true]);
        assert_eq!(effects.rejected.as_deref(), Some("No thanks"));
        assert!(effects.seen && !effects.flagged);
    }
}
