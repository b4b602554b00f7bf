//! Whether a condition holds for a message, and why.

use serde::Serialize;

use crate::domain::rule::{Condition, Pattern, Test, TextField};
use crate::mail::rules::View;

/// A condition with what it came to.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Explained {
    /// The condition in words.
    pub condition: String,
    /// Whether it holds.
    pub holds: bool,
    /// What it is made of.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<Explained>,
}

/// Whether `condition` holds for the message.
pub fn holds(condition: &Condition, view: &View<'_>) -> bool {
    match condition {
        Condition::All(parts) => parts.iter().all(|part| holds(part, view)),
        Condition::Any(parts) => parts.iter().any(|part| holds(part, view)),
        Condition::Not(part) => !holds(part, view),
        Condition::Test(question, _) => test(question, view),
    }
}

/// The same, with every part of it.
pub fn explain(condition: &Condition, view: &View<'_>) -> Explained {
    let parts = match condition {
        Condition::All(parts) | Condition::Any(parts) => {
            parts.iter().map(|part| explain(part, view)).collect()
        }
        Condition::Not(part) => vec![explain(part, view)],
        Condition::Test(..) => Vec::new(),
    };
    let words = match condition {
        Condition::All(parts) if parts.is_empty() => "every message",
        Condition::All(_) => "all of",
        Condition::Any(_) => "any of",
        Condition::Not(_) => "not",
        Condition::Test(_, words) => words,
    };
    Explained { condition: words.to_owned(), holds: holds(condition, view), parts }
}

fn test(question: &Test, view: &View<'_>) -> bool {
    match question {
        Test::Text(field, pattern) => text(field, pattern, view),
        // Precise up to petabytes.
        #[expect(clippy::cast_precision_loss, reason = "a message is no petabyte")]
        Test::Size(bound) => bound.holds(view.size as f64),
        Test::SpamScore(bound) => bound.holds(f64::from(view.verdict.spam.score)),
        Test::SenderKnown(known) => view.sender_known == *known,
    }
}

fn text(field: &TextField, pattern: &Pattern, view: &View<'_>) -> bool {
    let like = |text: &str| pattern.matches(text, &text.to_lowercase());
    let address = |list: &[String]| list.iter().any(|a| pattern.matches(a, a));
    let domain = |list: &[String]| {
        list.iter().filter_map(|a| a.rsplit_once('@')).any(|(_, d)| pattern.matches(d, d))
    };
    match field {
        TextField::Header(name) => view.field(name).any(|value| like(&value)),
        TextField::From => address(&view.from),
        TextField::FromDomain => domain(&view.from),
        TextField::To => address(&view.to),
        TextField::ToDomain => domain(&view.to),
        TextField::Cc => address(&view.cc),
        TextField::CcDomain => domain(&view.cc),
        TextField::Subject => like(view.subject),
        TextField::Body => pattern.matches(view.text, view.lower_text()),
        TextField::AttachmentName => view.attachments.iter().filter_map(|a| a.0).any(like),
        TextField::AttachmentType => view.attachments.iter().any(|a| like(a.1)),
        TextField::ListId => view.list_id().is_some_and(|id| like(&id)),
        TextField::Authenticity => view.authenticity().iter().any(|result| like(result)),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::domain::verdict::{Outcome, Verdict};
    use crate::wire::mime;

    const MESSAGE: &[u8] = b"From: Ann <Ann@Shop.Test>\r\nTo: bob@here.test, c@there.test\r\n\
        Cc: d@else.test\r\nSubject: =?utf-8?q?Rechnung_f=C3=BCr_Mai?=\r\nX-Tag: one\r\nX-Tag: two\r\n\
        List-Id: Shop news <news.shop.test>\r\nMIME-Version: 1.0\r\n\
        Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nPlease pay 5 Euro.\r\n\
        --b\r\nContent-Type: application/pdf; name=\"may.PDF\"\r\n\r\n%PDF\r\n--b--\r\n";

    fn is(condition: &Value) -> bool {
        let verdict = Verdict { spf: Outcome::Pass, ..Verdict::default() };
        let form = mime::parse(MESSAGE);
        let view = View::of_form(MESSAGE, &form, &verdict);
        let condition = Condition::parse(condition).unwrap();
        let held = holds(&condition, &view);
        assert_eq!(explain(&condition, &view).holds, held);
        held
    }

    fn field(field: &str, op: &str, value: &str) -> bool {
        is(&json!({"field": field, "op": op, "value": value}))
    }

    #[test]
    fn every_field_can_be_asked() {
        assert!(field("from", "equals", "ann@shop.test") && !field("from", "contains", "bob"));
        assert!(field("from_domain", "equals", "SHOP.test"));
        assert!(field("to", "begins", "c@") && field("to_domain", "ends", "there.test"));
        assert!(field("cc", "glob", "?@else.*") && field("cc_domain", "equals", "else.test"));
        assert!(field("subject", "contains", "FÜR mai"));
        assert!(field("body", "regex", r"\d+ Euro") && !field("body", "contains", "dollar"));
        assert!(field("attachment_name", "ends", ".pdf"));
        assert!(field("attachment_type", "equals", "application/pdf"));
        assert!(field("list_id", "equals", "news.shop.test"));
        assert!(field("authenticity", "equals", "spf=pass"));
        assert!(
            field("authenticity", "equals", "dmarc=none")
                && field("authenticity", "equals", "none")
        );
        assert!(is(&json!({"field": "header", "name": "x-tag", "op": "equals", "value": "two"})));
        assert!(!is(&json!({"field": "header", "name": "x-none", "op": "glob", "value": "*"})));
        assert!(is(&json!({"field": "size", "op": "over", "value": 100})));
        assert!(is(&json!({"field": "spam_score", "op": "under", "value": 1})));
        assert!(is(&json!({"field": "sender_known", "op": "is", "value": false})));
    }

    #[test]
    fn parts_are_joined() {
        let (yes, no) = (
            json!({"field": "subject", "op": "contains", "value": "Mai"}),
            json!({"field": "subject", "op": "contains", "value": "Juni"}),
        );
        assert!(is(&json!({"all": []})) && !is(&json!({"any": []})));
        assert!(!is(&json!({"all": [yes, no]})) && is(&json!({"any": [yes, no]})));
        assert!(is(&json!({"all": [yes, {"not": no}]})) && !is(&json!({"not": yes})));
    }
}
