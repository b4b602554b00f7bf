//! Delivery status notifications that come in (RFC 3464, RFC 6533): what somebody's server says
//! became of a message. [`super::dsn`] writes them.

use super::dsn::Action;
use super::original::{Original, original};
use super::parse::parse;
use super::report_fields::{groups, is_report, part, typed, value};

/// Octets that are looked into: what is said comes before what is returned.
const MAX_SIZE: usize = 1024 * 1024;
/// Types of addresses that are mail addresses (RFC 3464 §2.3.2, RFC 6533 §3).
const MAIL: [&str; 2] = ["rfc822", "utf-8"];
/// The part for programs (RFC 3464 §2.1, RFC 6533 §4).
const TYPES: [(&str, &str); 2] =
    [("message", "delivery-status"), ("message", "global-delivery-status")];

/// A notification.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DeliveryStatus {
    /// The envelope identifier that the message was sent with (RFC 3461 §4.4).
    pub envelope_id: Option<String>,
    /// The host that says so.
    pub reporting_mta: Option<String>,
    /// At least one.
    pub recipients: Vec<Recipient>,
    /// What came back of the message.
    pub original: Original,
}

/// What became of one recipient (RFC 3464 §2.3).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Recipient {
    /// Who it was for in the end.
    pub final_recipient: Option<String>,
    /// Who it was sent to, where that is known.
    pub original_recipient: Option<String>,
    /// What became of it; `expanded` is passed on.
    pub action: Action,
    /// The status code (RFC 3463).
    pub status: Option<String>,
    /// What a server said, the code first where it was said in SMTP.
    pub diagnostic: Option<String>,
    /// The server that said it.
    pub remote_mta: Option<String>,
}

/// Reads a notification; `None` for everything else, of which no more than the header is looked at.
pub fn read(raw: &[u8]) -> Option<DeliveryStatus> {
    let raw = raw.get(..MAX_SIZE).unwrap_or(raw);
    if !is_report(raw, "delivery-status") {
        return None;
    }
    let form = parse(raw);
    let body = part(raw, &form, &TYPES)?;
    let mut groups = groups(&body).peekable();
    // RFC 3464 §2.1: the first group is about the message. Some leave it out.
    let message = groups.next_if(|group| value(group, "Action").is_none());
    let of_message = |name| message.and_then(|group| value(group, name));
    let envelope_id = of_message("Original-Envelope-Id");
    let reporting_mta = message.and_then(|group| typed(group, "Reporting-MTA", &["dns"]));
    let recipients: Vec<Recipient> = groups.filter_map(recipient).collect();
    let original = original(raw, &form);
    (!recipients.is_empty()).then_some(DeliveryStatus {
        envelope_id,
        reporting_mta,
        recipients,
        original,
    })
}

fn recipient(group: &[u8]) -> Option<Recipient> {
    let address = |name| typed(group, name, &MAIL).map(|text| address(&text));
    let words = value(group, "Action")?;
    let word = words.split_whitespace().next().unwrap_or_default().to_ascii_lowercase();
    let action = match word.as_str() {
        "failed" => Action::Failed,
        "delayed" => Action::Delayed,
        "delivered" => Action::Delivered,
        "relayed" | "expanded" => Action::Relayed,
        _ => return None,
    };
    let status = value(group, "Status");
    Some(Recipient {
        final_recipient: address("Final-Recipient"),
        original_recipient: address("Original-Recipient"),
        action,
        // A comment may follow.
        status: status.and_then(|text| text.split_whitespace().next().map(str::to_owned)),
        diagnostic: typed(group, "Diagnostic-Code", &["smtp", "x-postfix", "x-unix"]),
        remote_mta: typed(group, "Remote-MTA", &["dns"]),
    })
}

/// An address out of its ASCII form (RFC 6533 §3: `\x{HEX}` for a character).
fn address(text: &str) -> String {
    let mut pieces = super::original::bare(text).split("\\x{");
    let mut out = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let read = piece.split_once('}').and_then(|(hex, rest)| {
            let digits = (1..=6).contains(&hex.len()) && hex.bytes().all(|b| b.is_ascii_hexdigit());
            let c = digits.then(|| u32::from_str_radix(hex, 16).ok()).flatten();
            Some((char::from_u32(c?)?, rest))
        });
        if let Some((c, rest)) = read {
            out.push(c);
            out.push_str(rest);
        } else {
            out.push_str("\\x{");
            out.push_str(piece);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The first example of RFC 3464, appendix E, with the lines that matter.
    fn example(fields: &str) -> String {
        format!(
            "Date: Thu, 7 Jul 1994 17:16:05 -0400\r\nFrom: Mail Delivery Subsystem <MAILER-DAEMON@CS.UTK.EDU>\r\n\
             To: <owner-info-mime@cs.utk.edu>\r\nMIME-Version: 1.0\r\n\
             Content-Type: multipart/report; report-type=delivery-status;\r\n boundary=\"RAA14128.773615765/CS.UTK.EDU\"\r\n\r\n\
             --RAA14128.773615765/CS.UTK.EDU\r\n\r\nThe original message was received\r\n\r\n\
             --RAA14128.773615765/CS.UTK.EDU\r\ncontent-type: message/delivery-status\r\n\r\n{fields}\r\n\
             --RAA14128.773615765/CS.UTK.EDU\r\ncontent-type: message/rfc822\r\n\r\n\
             Return-Path: <bounces+x@shop.test>\r\nMessage-ID: <1@here.test>\r\nSubject: x\r\n\r\nx\r\n\
             --RAA14128.773615765/CS.UTK.EDU--\r\n"
        )
    }

    #[test]
    fn the_example_of_the_standard_is_read() {
        let text = example(
            "Reporting-MTA: dns; cs.utk.edu\r\nOriginal-Envelope-Id: QQ314159\r\n\r\n\
             Original-Recipient: rfc822;louisl@larry.slip.umd.edu\r\n\
             Final-Recipient: rfc822;<louisl@larry.slip.umd.edu>\r\nAction: failed\r\nStatus: 4.0.0 (timeout)\r\n\
             Diagnostic-Code: smtp; 426 connection timed out\r\nRemote-MTA: dns; larry.slip.umd.edu\r\n\
             Last-Attempt-Date: Thu, 7 Jul 1994 17:15:49 -0400\r\n\r\n\
             Final-Recipient: utf-8; j\\x{F6}rg@m\\x{FC}ller.example\r\nAction: Expanded\r\nStatus: 2.0.0\r\n",
        );
        let report = read(text.as_bytes()).unwrap();
        assert_eq!(report.envelope_id.as_deref(), Some("QQ314159"));
        assert_eq!(report.reporting_mta.as_deref(), Some("cs.utk.edu"));
        let louis = Some("louisl@larry.slip.umd.edu".to_owned());
        let expected = Recipient {
            final_recipient: louis.clone(),
            original_recipient: louis,
            action: Action::Failed,
            status: Some("4.0.0".into()),
            diagnostic: Some("426 connection timed out".into()),
            remote_mta: Some("larry.slip.umd.edu".into()),
        };
        assert_eq!(report.recipients[0], expected);
        let other = &report.recipients[1];
        assert_eq!(other.final_recipient.as_deref(), Some("jörg@müller.example"));
        assert_eq!(other.action, Action::Relayed);
        assert_eq!(report.original.message_id.as_deref(), Some("1@here.test"));
        assert_eq!(report.original.return_path.as_deref(), Some("bounces+x@shop.test"));
    }

    #[test]
    fn our_own_reports_read_back() {
        let recipient = super::super::dsn::Recipient {
            address: "jörg@müller.example",
            original: Some("rfc822;bob@example.net"),
            status: (5, 1, 1),
            explanation: "There is no such address.",
            remote_mta: Some("mx.example.net"),
            diagnostic: Some("550 5.1.1 no such user"),
            last_attempt: None,
            will_retry_until: None,
        };
        let raw = super::super::dsn::compose(&super::super::dsn::Dsn {
            to: "ann@example.org",
            message_id: "2@mail.example.org",
            date: 1_136_239_501,
            reporting_mta: "mail.example.org",
            arrival_date: None,
            envelope_id: None,
            action: Action::Failed,
            recipients: &[recipient],
            original: super::super::dsn::Original::Header(b"Message-ID: <1@here.test>\r\n\r\n"),
        })
        .unwrap();
        let report = read(&raw).unwrap();
        assert_eq!(report.recipients[0].final_recipient.as_deref(), Some("jörg@müller.example"));
        assert_eq!(report.recipients[0].diagnostic.as_deref(), Some("550 5.1.1 no such user"));
        assert_eq!(report.original.message_id.as_deref(), Some("1@here.test"));
    }

    #[test]
    fn what_is_no_notification_is_none() {
        let good =
            example("Final-Recipient: rfc822;a@b.test\r\nAction: failed\r\nStatus: 5.1.1\r\n");
        assert!(read(good.as_bytes()).is_some(), "without the fields of the message");
        for (from, to) in [
            ("report-type=delivery-status", "report-type=disposition-notification"),
            ("multipart/report", "multipart/mixed"),
            ("message/delivery-status", "text/plain"),
            ("Action: failed", "Action: vanished"),
            ("Action: failed\r\n", ""),
        ] {
            assert_ne!(good, good.replace(from, to), "{from}");
            assert_eq!(read(good.replace(from, to).as_bytes()), None, "{from}");
        }
        assert_eq!(address("a\\x{zz}b\\x{110000}c\\x{"), "a\\x{zz}b\\x{110000}c\\x{");
    }

    proptest! {
        #[test]
        fn no_octets_panic(cut in 0_usize..1200, octets in proptest::collection::vec(any::<u8>(), 0..40)) {
            let mut text = example("Final-Recipient: utf-8; \\x{F6}@b.test\r\nAction: failed\r\n").into_bytes();
            let at = cut.min(text.len());
            text.splice(at..at, octets);
            let _ = read(&text);
        }
    }
}
