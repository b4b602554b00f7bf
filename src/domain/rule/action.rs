//! What a rule does.

use serde_json::Value;
use uuid::Uuid;

use crate::domain::address::Address;
use crate::domain::flags::Keyword;
use crate::domain::rule::RuleError;

/// One action of a rule.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Action {
    /// Into this folder, which is made when it is missing.
    Folder(String),
    /// With this keyword.
    Label(String),
    /// `\Flagged`.
    Flag,
    /// `\Seen`.
    Read,
    /// Also to this address.
    Forward(Address),
    /// An answer made of this template.
    Reply(Uuid),
    /// Refused with this text.
    Reject(String),
    /// Told to this webhook.
    Webhook(Uuid),
    /// Not kept.
    Discard,
    /// No later rule is asked.
    Stop,
}

impl Action {
    /// Reads `{"do": ..., ...}`.
    ///
    /// # Errors
    /// [`RuleError::Shape`].
    pub fn parse(action: &Value) -> Result<Self, RuleError> {
        let text = |name: &str| action.get(name).and_then(Value::as_str);
        let id = |name| text(name).and_then(|id| id.parse().ok());
        let parsed = match text("do") {
            Some("folder") => {
                text("name").filter(|n| is_folder_name(n)).map(str::to_owned).map(Self::Folder)
            }
            Some("label") => text("keyword")
                .and_then(Keyword::new)
                .map(|word| Self::Label(word.as_str().to_owned())),
            Some("flag") => Some(Self::Flag),
            Some("read") => Some(Self::Read),
            Some("forward") => {
                text("address").and_then(|a| Address::parse(a).ok()).map(Self::Forward)
            }
            Some("reply") => id("template_id").map(Self::Reply),
            Some("reject") => text("text").map(str::to_owned).map(Self::Reject),
            Some("webhook") => id("webhook_id").map(Self::Webhook),
            Some("discard") => Some(Self::Discard),
            Some("stop") => Some(Self::Stop),
            _ => None,
        };
        parsed.ok_or(RuleError::Shape("an action"))
    }
}

/// Whether a folder can have this name; see the trigger of `folders`.
fn is_folder_name(name: &str) -> bool {
    (1..=1000).contains(&name.len())
        && !name.contains(char::is_control)
        && name.split('/').all(|level| !matches!(level, "" | "." | ".."))
        && (name == "INBOX" || !name.eq_ignore_ascii_case("INBOX"))
}

impl std::fmt::Display for Action {
    /// As people are told what it did.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Folder(name) => write!(f, "put into {name}"),
            Self::Label(keyword) => write!(f, "labelled {keyword}"),
            Self::Flag => f.write_str("flagged"),
            Self::Read => f.write_str("marked as read"),
            Self::Forward(address) => write!(f, "forwarded to {address}"),
            Self::Reply(template) => write!(f, "answered with the template {template}"),
            Self::Reject(text) => write!(f, "rejected: {text}"),
            Self::Webhook(webhook) => write!(f, "told to the webhook {webhook}"),
            Self::Discard => f.write_str("discarded"),
            Self::Stop => f.write_str("no later rule is asked"),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_action_is_read_and_nothing_else() {
        let id = Uuid::from_u128(7);
        for (value, action) in [
            (json!({"do": "folder", "name": "Work/2026"}), Action::Folder("Work/2026".into())),
            (json!({"do": "label", "keyword": "todo"}), Action::Label("todo".into())),
            (json!({"do": "flag"}), Action::Flag),
            (json!({"do": "read"}), Action::Read),
            (
                json!({"do": "forward", "address": "A@b.test"}),
                Action::Forward(Address::parse("a@b.test").unwrap()),
            ),
            (json!({"do": "reply", "template_id": id}), Action::Reply(id)),
            (json!({"do": "reject", "text": "No."}), Action::Reject("No.".into())),
            (json!({"do": "webhook", "webhook_id": id}), Action::Webhook(id)),
            (json!({"do": "discard"}), Action::Discard),
            (json!({"do": "stop"}), Action::Stop),
        ] {
            assert_eq!(Action::parse(&value), Ok(action), "{value}");
        }
        for bad in [
            json!(null),
            json!({"do": "dance"}),
            json!({"do": "folder", "name": "a//b"}),
            json!({"do": "folder", "name": "inbox"}),
            json!({"do": "label", "keyword": "two words"}),
            json!({"do": "forward", "address": "nobody"}),
            json!({"do": "reply", "template_id": "7"}),
        ] {
            assert!(Action::parse(&bad).is_err(), "{bad}");
        }
    }
}
