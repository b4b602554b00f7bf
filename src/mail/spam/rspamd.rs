//! rspamd over HTTP: its protocol is JSON both ways (`/checkv2`, `/learnspam`, `/learnham`).

use std::collections::BTreeMap;

use bytes::Bytes;
use serde::Deserialize;

use crate::domain::envelope::{MailFrom, Recipient};
use crate::domain::ids::QueueId;
use crate::domain::verdict::{Spam, Symbol};
use crate::mail::client::Client;
use crate::net::http_client::{HttpError, HttpService};

/// Symbols kept of one message: those that weigh most.
const MAX_SYMBOLS: usize = 30;
/// Recipients that it is told of.
const MAX_RECIPIENTS: usize = 10;

/// A running rspamd.
#[derive(Clone, Debug)]
pub(super) struct Rspamd {
    /// Its normal worker.
    pub(super) scan: HttpService,
    /// Its controller, where it learns; none: it does not.
    pub(super) controller: Option<HttpService>,
    /// The controller's password; empty where it asks for none.
    pub(super) password: String,
}

/// The message it is asked about.
pub(super) struct Subject<'a> {
    pub(super) queue_id: QueueId,
    pub(super) client: &'a Client,
    pub(super) mail_from: &'a MailFrom,
    pub(super) recipients: Vec<&'a Recipient>,
    pub(super) content: Bytes,
}

/// What it would do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Action {
    Keep,
    Junk,
    Refuse,
}

#[derive(Deserialize)]
struct Answer {
    score: f32,
    action: String,
    #[serde(default)]
    symbols: BTreeMap<String, Hit>,
}

#[derive(Deserialize)]
struct Hit {
    #[serde(default)]
    score: f32,
}

impl Rspamd {
    /// Its score and advice.
    pub(super) async fn check(&self, subject: Subject<'_>) -> Result<(Spam, Action), HttpError> {
        let Subject { queue_id, client, mail_from, recipients, content } = subject;
        let (ip, queue_id) = (client.ip.to_canonical().to_string(), queue_id.to_string());
        let mut fields = vec![
            ("IP", ip.as_str()),
            ("Helo", client.helo.as_str()),
            ("From", mail_from.reverse_path.as_str()),
            ("Queue-Id", queue_id.as_str()),
        ];
        let told = recipients.iter().take(MAX_RECIPIENTS);
        fields.extend(told.map(|recipient| ("Rcpt", recipient.address.as_str())));
        let answer = self.scan.post("/checkv2", &fields, content).await?;
        if answer.status != 200 {
            return Err(HttpError::Protocol(format!("status {}", answer.status)));
        }
        read(&answer.body)
    }

    /// Teaches it. Without a controller nothing is done; what it knows already it says so about.
    pub(super) async fn learn(&self, spam: bool, content: Bytes) -> Result<(), HttpError> {
        let Some(controller) = &self.controller else { return Ok(()) };
        let path = if spam { "/learnspam" } else { "/learnham" };
        let password = [("Password", self.password.as_str())];
        let fields = if self.password.is_empty() { &[][..] } else { &password[..] };
        match controller.post(path, fields, content).await?.status {
            // 208: learned before. 204: too little in it to learn from.
            200 | 204 | 208 => Ok(()),
            status => Err(HttpError::Protocol(format!("status {status}"))),
        }
    }
}

fn read(body: &[u8]) -> Result<(Spam, Action), HttpError> {
    let answer: Answer =
        serde_json::from_slice(body).map_err(|error| HttpError::Protocol(error.to_string()))?;
    let action = match answer.action.as_str() {
        "reject" => Action::Refuse,
        "add header" | "rewrite subject" => Action::Junk,
        _ => Action::Keep,
    };
    let mut symbols: Vec<Symbol> =
        answer.symbols.into_iter().map(|(name, hit)| Symbol { name, score: hit.score }).collect();
    symbols.sort_by(|a, b| b.score.abs().total_cmp(&a.score.abs()));
    symbols.truncate(MAX_SYMBOLS);
    Ok((Spam { source: "rspamd".to_owned(), score: answer.score, symbols }, action))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_read() {
        let body = br#"{"is_skipped":false,"score":7.5,"required_score":15.0,"action":"add header",
            "symbols":{"A":{"name":"A","score":-0.5},"B":{"name":"B","score":8.0,"options":["x"]}},
            "messages":{},"message-id":"x"}"#;
        let (spam, action) = read(body).unwrap();
        assert_eq!(action, Action::Junk);
        assert_eq!((spam.source.as_str(), spam.score), ("rspamd", 7.5));
        assert_eq!(spam.symbols[0].name, "B");
        let refuse = br#"{"score":0,"action":"reject"}"#;
        assert_eq!(read(refuse).unwrap().1, Action::Refuse);
        assert_eq!(read(br#"{"score":1,"action":"greylist"}"#).unwrap().1, Action::Keep);
        assert!(read(b"<html>").is_err());
        assert!(read(br#"{"score":1}"#).is_err());
    }

    #[test]
    fn symbols_are_bounded() {
        let many: Vec<String> = (0..500).map(|n| format!("\"S{n}\":{{\"score\":{n}}}")).collect();
        let body =
            format!("{{\"score\":1,\"action\":\"no action\",\"symbols\":{{{}}}}}", many.join(","));
        let (spam, _) = read(body.as_bytes()).unwrap();
        assert_eq!(spam.symbols.len(), MAX_SYMBOLS);
        assert_eq!(spam.symbols[0].name, "S499");
    }
}
