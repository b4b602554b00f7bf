//! Delivery status notifications (RFC 3462, RFC 3464, RFC 6522): what became of a message, first in
//! plain words, then for programs.

use std::fmt::Write as _;

use mail_builder::MessageBuilder;
use mail_builder::headers::address::Address;
use mail_builder::headers::content_type::ContentType;
use mail_builder::headers::raw::Raw;
use mail_builder::mime::{BodyPart, MimePart};
use mail_parser::DateTime;

use super::compose::{ComposeError, Person, boundary, mailbox, text_part, token};
use super::decode::{decode_words, message_ids};
use super::field::field;
use super::headers::{block_len, find};

/// Characters of a remote's words repeated in a report.
const MAX_WORDS: usize = 900;

/// A notification to be written. The envelope's sender is for the caller to leave empty (RFC 3464 §2).
#[derive(Clone, Copy, Debug)]
pub struct Dsn<'a> {
    /// Whose message it was: who is told.
    pub to: &'a str,
    /// The Message-ID of the notification, without angle brackets.
    pub message_id: &'a str,
    /// When it is written, in seconds since 1970-01-01T00:00:00Z.
    pub date: i64,
    /// The host name of this server.
    pub reporting_mta: &'a str,
    /// When the message came in, in seconds since 1970-01-01T00:00:00Z.
    pub arrival_date: Option<i64>,
    /// The envelope identifier that the sender gave it (RFC 3461 §4.4).
    pub envelope_id: Option<&'a str>,
    /// What became of it, for each recipient that something is to be said about; all alike.
    pub action: Action,
    /// Those recipients.
    pub recipients: &'a [Recipient<'a>],
    /// The message.
    pub original: Original<'a>,
}

/// What became of a message (RFC 3464 §2.3.3).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Action {
    /// It could not be delivered and will not be tried again.
    Failed,
    /// It could not be delivered yet and will be tried again.
    Delayed,
    /// It was handed to a server that reports no further.
    Relayed,
    /// It was delivered.
    Delivered,
}

/// A recipient of the message and what happened to it there.
#[derive(Clone, Copy, Debug)]
pub struct Recipient<'a> {
    /// The address that was tried.
    pub address: &'a str,
    /// The address as the sender gave it, `type;address` (RFC 3461 §4.2).
    pub original: Option<&'a str>,
    /// The status code (RFC 3463).
    pub status: (u8, u16, u16),
    /// What happened, in a sentence for the sender.
    pub explanation: &'a str,
    /// The host that said so.
    pub remote_mta: Option<&'a str>,
    /// Its own words, code first.
    pub diagnostic: Option<&'a str>,
    /// When it was last tried, in seconds since 1970-01-01T00:00:00Z.
    pub last_attempt: Option<i64>,
    /// Until when it will be tried, in seconds since 1970-01-01T00:00:00Z.
    pub will_retry_until: Option<i64>,
}

/// How much of the message goes back with the notification (RFC 3461 §4.3).
#[derive(Clone, Copy, Debug)]
pub enum Original<'a> {
    /// Its header only; the octets may go on.
    Header(&'a [u8]),
    /// All of it.
    Message(&'a [u8]),
}

/// Writes the notification, with CRLF.
pub fn compose(dsn: &Dsn<'_>) -> Result<Vec<u8>, ComposeError> {
    let (Original::Header(raw) | Original::Message(raw)) = dsn.original;
    let header = raw.get(..block_len(raw)).unwrap_or_default();
    let words = explain(dsn, header);
    let status = delivery_status(dsn);
    let (kind, returned) = match dsn.original {
        Original::Header(_) => ("text/rfc822-headers", header),
        Original::Message(raw) => ("message/rfc822", raw),
    };
    let octets = [dsn.message_id.as_bytes(), words.as_bytes(), status.as_bytes(), returned];
    let content_type = ContentType::new("multipart/report")
        .attribute("report-type", "delivery-status")
        .attribute("boundary", boundary(octets));
    let encoding = if returned.is_ascii() { "7bit" } else { "8bit" };
    let status = MimePart::new("message/delivery-status", status.as_bytes());
    let returned = MimePart::new(kind, returned).transfer_encoding(encoding);
    let parts = vec![text_part("text/plain", &words), status.transfer_encoding("7bit"), returned];
    let daemon = format!("MAILER-DAEMON@{}", token(dsn.reporting_mta, "Reporting-MTA")?);
    let to = Person { name: None, address: dsn.to };
    let references = find(header, "message-id").map(|field| message_ids(field.value));
    let references = references.and_then(|ids| ids.into_iter().next());
    let mut message = Vec::new();
    MessageBuilder::new()
        .from(Address::new_address(Some("Mail Delivery System"), daemon))
        .to(mailbox(&to, "To")?)
        .subject(subject(dsn.action))
        .message_id(token(dsn.message_id, "Message-ID")?)
        .date(dsn.date)
        .headers("References", references.map(|id| Raw::new(format!("<{id}>"))))
        // RFC 3834 §5: nobody may answer it automatically.
        .header("Auto-Submitted", Raw::new("auto-replied"))
        .body(MimePart::new(content_type, BodyPart::Multipart(parts)))
        .serialize(&mut message);
    Ok(message)
}

fn subject(action: Action) -> &'static str {
    match action {
        Action::Failed => "Your message could not be delivered",
        Action::Delayed => "Your message is delayed",
        Action::Relayed => "Your message was passed on",
        Action::Delivered => "Your message was delivered",
    }
}

/// The part for people (RFC 3464 §1.1: "human-readable").
fn explain(dsn: &Dsn<'_>, header: &[u8]) -> String {
    let subject = find(header, "subject").map(|field| decode_words(field.value));
    let about = match subject.filter(|subject| !subject.is_empty()) {
        Some(subject) => format!("Your message \"{subject}\""),
        None => "Your message".to_owned(),
    };
    let fate = match dsn.action {
        Action::Failed => "could not be delivered, and will not be tried again, to:",
        Action::Delayed => "has not been delivered yet to:",
        Action::Relayed => "was passed on to a server that sends no further reports, for:",
        Action::Delivered => "was delivered to:",
    };
    let mut words = format!("{about}\n{fate}\n");
    for recipient in dsn.recipients {
        // Writing to a String cannot fail.
        let _ = write!(words, "\n  {}\n", plain(recipient.address));
        let _ = writeln!(words, "    {}", plain(recipient.explanation));
        if let Some(diagnostic) = recipient.diagnostic {
            let host = recipient.remote_mta.unwrap_or("The other server");
            let _ = writeln!(words, "    {} said: {}", plain(host), plain(diagnostic));
        }
        if let Some(until) = recipient.will_retry_until {
            let _ = writeln!(words, "    It will be tried until {}.", date(until));
        }
    }
    let _ = write!(words, "\nThis report was written by the mail server {}.\n", dsn.reporting_mta);
    words
}

/// The part for programs (RFC 3464 §2).
fn delivery_status(dsn: &Dsn<'_>) -> String {
    let mut fields = String::new();
    push(&mut fields, "Original-Envelope-Id", dsn.envelope_id.map(plain_ascii));
    push(&mut fields, "Reporting-MTA", Some(format!("dns; {}", plain_ascii(dsn.reporting_mta))));
    push(&mut fields, "Arrival-Date", dsn.arrival_date.map(date));
    for recipient in dsn.recipients {
        fields.push_str("\r\n");
        push(&mut fields, "Original-Recipient", recipient.original.map(plain_ascii));
        push(&mut fields, "Final-Recipient", Some(typed_address(recipient.address)));
        push(&mut fields, "Action", Some(action(dsn.action).to_owned()));
        let (class, subject, detail) = recipient.status;
        push(&mut fields, "Status", Some(format!("{class}.{subject}.{detail}")));
        let host = recipient.remote_mta.map(|host| format!("dns; {}", plain_ascii(host)));
        push(&mut fields, "Remote-MTA", host);
        let diagnostic = recipient.diagnostic.map(|text| format!("smtp; {}", plain_ascii(text)));
        push(&mut fields, "Diagnostic-Code", diagnostic);
        push(&mut fields, "Last-Attempt-Date", recipient.last_attempt.map(date));
        push(&mut fields, "Will-Retry-Until", recipient.will_retry_until.map(date));
    }
    fields
}

fn action(action: Action) -> &'static str {
    match action {
        Action::Failed => "failed",
        Action::Delayed => "delayed",
        Action::Relayed => "relayed",
        Action::Delivered => "delivered",
    }
}

/// Adds a field where there is something to put in it; [`plain_ascii`] has made sure that it can be
/// written.
fn push(fields: &mut String, name: &str, value: Option<String>) {
    if let Some(Ok(written)) = value.map(|value| field(name, &value)) {
        fields.push_str(&written);
    }
}

/// An address with its type (RFC 3464 §2.3.2), in ASCII also where it is not (RFC 6533 §3).
fn typed_address(address: &str) -> String {
    if address.is_ascii() {
        return format!("rfc822; {}", plain_ascii(address));
    }
    let mut typed = String::from("utf-8; ");
    for c in plain(address).chars() {
        if c.is_ascii() && !matches!(c, '\\' | '+' | '=') {
            typed.push(c);
        } else {
            let _ = write!(typed, "\\x{{{:X}}}", u32::from(c));
        }
    }
    typed
}

fn date(timestamp: i64) -> String {
    DateTime::from_timestamp(timestamp).to_rfc822()
}

/// Words of another on one line, not endless.
fn plain(text: &str) -> String {
    text.chars().take(MAX_WORDS).map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// The same in ASCII.
fn plain_ascii(text: &str) -> String {
    plain(text).chars().map(|c| if c.is_ascii() { c } else { '?' }).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::testing::{fixture, is_sendable};
    use super::super::{SectionText, parse};
    use super::*;

    const RECIPIENT: Recipient<'_> = Recipient {
        address: "bob@example.net",
        original: Some("rfc822;Bob@example.net"),
        status: (5, 1, 1),
        explanation: "There is no such address.",
        remote_mta: Some("mx.example.net"),
        diagnostic: Some("550 5.1.1 no such user"),
        last_attempt: Some(1_136_239_500),
        will_retry_until: None,
    };

    fn dsn<'a>(recipients: &'a [Recipient<'a>], original: Original<'a>) -> Dsn<'a> {
        Dsn {
            to: "ann@example.org",
            message_id: "2@mail.example.org",
            date: 1_136_239_501,
            reporting_mta: "mail.example.org",
            arrival_date: Some(1_136_239_445),
            envelope_id: Some("QQ314159"),
            action: Action::Failed,
            recipients,
            original,
        }
    }

    #[test]
    fn a_report_for_people_and_for_programs() {
        let raw = fixture("plain");
        let recipients = [RECIPIENT];
        let report = compose(&dsn(&recipients, Original::Header(raw))).unwrap();
        assert!(is_sendable(&report));
        let form = parse(&report);
        assert_eq!(form.from[0].address, "MAILER-DAEMON@mail.example.org");
        assert_eq!(form.to[0].address, "ann@example.org");
        assert_eq!(form.references, ["plain@example.org"]);
        assert_eq!(
            form.text,
            "Your message \"plain\"\ncould not be delivered, and will not be tried again, to:\n\n  \
            bob@example.net\n    There is no such address.\n    \
            mx.example.net said: 550 5.1.1 no such user\n\n\
            This report was written by the mail server mail.example.org.\n"
        );
        let part = |number| &report[form.parts.resolve(&[number], SectionText::Full).unwrap()];
        // RFC 3464 §2: the fields of the message, then those of each recipient.
        let expected = "Original-Envelope-Id: QQ314159\r\nReporting-MTA: dns; mail.example.org\r\n\
            Arrival-Date: Mon, 2 Jan 2006 22:04:05 +0000\r\n\r\n\
            Original-Recipient: rfc822;Bob@example.net\r\n\
            Final-Recipient: rfc822; bob@example.net\r\nAction: failed\r\nStatus: 5.1.1\r\n\
            Remote-MTA: dns; mx.example.net\r\n\
            Diagnostic-Code: smtp; 550 5.1.1 no such user\r\n\
            Last-Attempt-Date: Mon, 2 Jan 2006 22:05:00 +0000\r\n";
        assert_eq!(std::str::from_utf8(part(2)).unwrap(), expected);
        assert_eq!(part(3), &raw[..parse(raw).header_len]);
        let structure = String::from_utf8(form.body_structure).unwrap();
        assert!(structure.contains("\"report\" (\"report-type\" \"delivery-status\""));
        assert!(structure.contains("(\"text\" \"rfc822-headers\""));
    }

    #[test]
    fn the_message_itself_goes_back_octet_for_octet() {
        let raw = fixture("mixed");
        let recipients = [RECIPIENT, Recipient { address: "jörg@müller.example", ..RECIPIENT }];
        let report = compose(&dsn(&recipients, Original::Message(raw))).unwrap();
        let form = parse(&report);
        let part = |number| &report[form.parts.resolve(&[number], SectionText::Full).unwrap()];
        assert_eq!(part(3), raw);
        let status = String::from_utf8(part(2).to_vec()).unwrap();
        assert!(status.contains("Final-Recipient: utf-8; j\\x{F6}rg@m\\x{FC}ller.example\r\n"));
        assert!(form.text.contains("jörg@müller.example"));
    }

    proptest! {
        #[test]
        fn nothing_a_remote_says_can_break_the_report(
            said in "(?s).{0,1500}",
            date in any::<i64>(),
        ) {
            let recipient = Recipient {
                diagnostic: Some(&said),
                remote_mta: Some(&said),
                original: Some(&said),
                will_retry_until: Some(date),
                ..RECIPIENT
            };
            let recipients = [recipient];
            let dsn = Dsn { date, ..dsn(&recipients, Original::Header(b"Subject: x\r\n\r\n")) };
            let report = compose(&dsn).unwrap();
            prop_assert!(is_sendable(&report));
            prop_assert_eq!(parse(&report).parts.as_slice().len(), 4);
        }
    }
}
