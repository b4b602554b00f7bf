//! When a rule acts.

use serde_json::Value;

use crate::domain::rule::{Pattern, RuleError};

/// Levels of conditions inside conditions.
const DEEPEST: usize = 10;

/// A condition, or some of them.
#[derive(Clone, Debug)]
pub enum Condition {
    /// Every one holds; also when there is none.
    All(Vec<Condition>),
    /// One at least holds.
    Any(Vec<Condition>),
    /// It does not hold.
    Not(Box<Condition>),
    /// One question, and its words for people.
    Test(Test, String),
}

/// One question to a message.
#[derive(Clone, Debug)]
pub enum Test {
    /// One of the texts of a field is like that.
    Text(TextField, Pattern),
    /// Octets of the message.
    Size(Bound),
    /// The spam score.
    SpamScore(Bound),
    /// Whether there was mail from or to this sender before.
    SenderKnown(bool),
}

/// What can be compared as text. A field may have several texts.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum TextField {
    /// Each header field of this name, decoded.
    Header(String),
    /// Addresses in From.
    From,
    /// Their domains.
    FromDomain,
    /// Addresses in To.
    To,
    /// Their domains.
    ToDomain,
    /// Addresses in Cc.
    Cc,
    /// Their domains.
    CcDomain,
    /// The decoded subject.
    Subject,
    /// The readable text.
    Body,
    /// File names of attachments.
    AttachmentName,
    /// Their `type/subtype`.
    AttachmentType,
    /// The identifier in List-Id (RFC 2919), without angle brackets.
    ListId,
    /// `spf=pass`, `dkim=fail` and so on, and DMARC's result alone: `pass`.
    Authenticity,
}

/// A number's limit, itself not included.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Bound {
    /// More than that.
    Over(f64),
    /// Less than that.
    Under(f64),
}

impl Bound {
    /// Whether `number` keeps to it.
    pub fn holds(self, number: f64) -> bool {
        match self {
            Self::Over(limit) => number > limit,
            Self::Under(limit) => number < limit,
        }
    }
}

impl Condition {
    /// Reads the JSON of `email_filters.conditions`.
    ///
    /// # Errors
    /// [`RuleError`].
    pub fn parse(condition: &Value) -> Result<Self, RuleError> {
        parse(condition, DEEPEST)
    }

    /// Whether a part of it asks for who is known.
    pub fn asks_for_sender(&self) -> bool {
        match self {
            Self::All(parts) | Self::Any(parts) => parts.iter().any(Self::asks_for_sender),
            Self::Not(part) => part.asks_for_sender(),
            Self::Test(test, _) => matches!(test, Test::SenderKnown(_)),
        }
    }
}

fn parse(condition: &Value, levels: usize) -> Result<Condition, RuleError> {
    let levels = levels.checked_sub(1).ok_or(RuleError::Shape("a condition this deep"))?;
    let parts = |list: &Value| {
        let list = list.as_array().ok_or(RuleError::Shape("a list of conditions"))?;
        list.iter().map(|part| parse(part, levels)).collect::<Result<Vec<_>, _>>()
    };
    if let Some(list) = condition.get("all") {
        return Ok(Condition::All(parts(list)?));
    }
    if let Some(list) = condition.get("any") {
        return Ok(Condition::Any(parts(list)?));
    }
    if let Some(part) = condition.get("not") {
        return Ok(Condition::Not(Box::new(parse(part, levels)?)));
    }
    let text = |name: &str| condition.get(name).and_then(Value::as_str);
    let (Some(field), Some(op), Some(value)) = (text("field"), text("op"), condition.get("value"))
    else {
        return Err(RuleError::Shape("a condition"));
    };
    let words = match text("name") {
        Some(name) => format!("{field} {name} {op} {value}"),
        None => format!("{field} {op} {value}"),
    };
    Ok(Condition::Test(test(field, text("name"), op, value)?, words))
}

fn test(field: &str, name: Option<&str>, op: &str, value: &Value) -> Result<Test, RuleError> {
    let unfit = || RuleError::Op { field: field.to_owned(), op: op.to_owned() };
    let number = || value.as_f64().or_else(|| value.as_str()?.trim().parse().ok());
    let bound = || match (op, number()) {
        ("over", Some(limit)) => Ok(Bound::Over(limit)),
        ("under", Some(limit)) => Ok(Bound::Under(limit)),
        _ => Err(unfit()),
    };
    match field {
        "size" => return Ok(Test::Size(bound()?)),
        "spam_score" => return Ok(Test::SpamScore(bound()?)),
        "sender_known" if op == "is" => {
            return value.as_bool().map(Test::SenderKnown).ok_or_else(unfit);
        }
        "sender_known" => return Err(unfit()),
        _ => {}
    }
    let field = text_field(field, name)?;
    let value = value.as_str().ok_or_else(unfit)?;
    let pattern = Pattern::parse(op, value)?.ok_or_else(unfit)?;
    Ok(Test::Text(field, pattern))
}

fn text_field(field: &str, name: Option<&str>) -> Result<TextField, RuleError> {
    Ok(match field {
        "header" => TextField::Header(name.ok_or(RuleError::Shape("a header's name"))?.to_owned()),
        "from" => TextField::From,
        "from_domain" => TextField::FromDomain,
        "to" => TextField::To,
        "to_domain" => TextField::ToDomain,
        "cc" => TextField::Cc,
        "cc_domain" => TextField::CcDomain,
        "subject" => TextField::Subject,
        "body" => TextField::Body,
        "attachment_name" => TextField::AttachmentName,
        "attachment_type" => TextField::AttachmentType,
        "list_id" => TextField::ListId,
        "authenticity" => TextField::Authenticity,
        other => return Err(RuleError::Field(other.to_owned())),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_sql_lets_in_is_read() {
        let condition = json!({"all": [
            {"any": [{"field": "from", "op": "ends", "value": "@b.test"}, {"field": "size", "op": "over", "value": 10}]},
            {"not": {"field": "sender_known", "op": "is", "value": true}},
            {"field": "header", "name": "X-A", "op": "glob", "value": "*"},
            {"field": "spam_score", "op": "under", "value": "4.5"},
        ]});
        let condition = Condition::parse(&condition).unwrap();
        assert!(condition.asks_for_sender());
        assert!(!Condition::parse(&json!({"all": []})).unwrap().asks_for_sender());
    }

    #[test]
    fn what_cannot_be_asked_is_an_error() {
        for (bad, error) in [
            (json!(3), RuleError::Shape("a condition")),
            (json!({"all": 3}), RuleError::Shape("a list of conditions")),
            (
                json!({"field": "mood", "op": "equals", "value": "x"}),
                RuleError::Field("mood".into()),
            ),
            (
                json!({"field": "size", "op": "contains", "value": "1"}),
                RuleError::Op { field: "size".into(), op: "contains".into() },
            ),
            (
                json!({"field": "subject", "op": "over", "value": 1}),
                RuleError::Op { field: "subject".into(), op: "over".into() },
            ),
        ] {
            assert_eq!(Condition::parse(&bad).unwrap_err(), error, "{bad}");
        }
        let mut deep = json!({"all": []});
        for _ in 0..DEEPEST {
            deep = json!({"not": deep});
        }
        assert!(Condition::parse(&deep).is_err());
    }

    #[test]
    fn bounds_leave_out_themselves() {
        assert!(Bound::Over(1.0).holds(1.5) && !Bound::Over(1.0).holds(1.0));
        assert!(Bound::Under(1.0).holds(0.5) && !Bound::Under(1.0).holds(1.0));
    }
}
