//! Complaints: abuse reports of readers that their provider passes on (RFC 5965).

use super::original::{Original, bare, original};
use super::parse::parse;
use super::report_fields::{groups, is_report, part, value};

/// Octets that are looked into: what is said comes before what is returned.
const MAX_SIZE: usize = 1024 * 1024;

/// A report that somebody does not want a message.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Complaint {
    /// `abuse`, `fraud` ... (RFC 5965 §7.3), in lower case.
    pub kind: String,
    /// The program that reports.
    pub user_agent: Option<String>,
    /// The reverse-path that the message came with.
    pub mail_from: Option<String>,
    /// Who it came to.
    pub recipients: Vec<String>,
    /// What came back of the message.
    pub original: Original,
}

/// Types that are no complaint: the opposite, and news about signatures (RFC 6591).
const NO_COMPLAINT: [&str; 2] = ["not-spam", "auth-failure"];
/// Octets of the words that are kept.
const MAX_WORDS: usize = 100;

/// Reads a complaint; `None` for everything else, of which no more than the header is looked at.
pub fn read(raw: &[u8]) -> Option<Complaint> {
    let raw = raw.get(..MAX_SIZE).unwrap_or(raw);
    if !is_report(raw, "feedback-report") {
        return None;
    }
    let form = parse(raw);
    let body = part(raw, &form, &[("message", "feedback-report")])?;
    let group = groups(&body).next()?;
    let kind = short(value(group, "Feedback-Type")?.to_ascii_lowercase());
    if NO_COMPLAINT.contains(&kind.as_str()) {
        return None;
    }
    let address = |name| value(group, name).map(|text| bare(&text).to_owned());
    // RFC 5965 §3.2: Original-Rcpt-To may be there several times; one is enough to know whose it was.
    let recipients = ["Original-Rcpt-To", "Removal-Recipient"].into_iter().filter_map(address);
    Some(Complaint {
        kind,
        user_agent: value(group, "User-Agent").map(short),
        mail_from: address("Original-Mail-From").filter(|path| !path.is_empty()),
        recipients: recipients.collect(),
        original: original(raw, &form),
    })
}

fn short(mut text: String) -> String {
    text.truncate(text.floor_char_boundary(MAX_WORDS));
    text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The example of RFC 5965, appendix B.2, with the lines that matter.
    fn example(fields: &str) -> String {
        format!(
            "From: <abusedesk@example.com>\r\nDate: Thu, 8 Mar 2005 17:40:36 EDT\r\nSubject: FW: Earn money\r\n\
             To: <abuse@example.net>\r\nMIME-Version: 1.0\r\n\
             Content-Type: multipart/report; report-type=feedback-report;\r\n boundary=\"part1_13d.2e68ed54_boundary\"\r\n\r\n\
             --part1_13d.2e68ed54_boundary\r\nContent-Type: text/plain; charset=\"US-ASCII\"\r\n\r\n\
             This is an email abuse report.\r\n\r\n--part1_13d.2e68ed54_boundary\r\n\
             Content-Type: message/feedback-report\r\n\r\n{fields}\r\n\
             --part1_13d.2e68ed54_boundary\r\nContent-Type: message/rfc822\r\nContent-Disposition: inline\r\n\r\n\
             From: <somespammer@example.net>\r\nReceived: from mailserver.example.net\r\n\
             Message-ID: 8787KJKJ3K4J3K4J3K4J3.mail@example.net\r\nSubject: Earn money\r\n\r\nSpam\r\n\
             --part1_13d.2e68ed54_boundary--\r\n"
        )
    }

    const FIELDS: &str = "Feedback-Type: abuse\r\nUser-Agent: SomeGenerator/1.0\r\nVersion: 1\r\n\
        Original-Mail-From: <somespammer@example.net>\r\nOriginal-Rcpt-To: <user@example.com>\r\n\
        Arrival-Date: Thu, 8 Mar 2005 14:00:00 EDT\r\nReported-Domain: example.net\r\n";

    #[test]
    fn the_example_of_the_standard_is_read() {
        let text =
            example(FIELDS).replace("8787KJKJ3K4J3K4J3K4J3.mail@example.net", "<1@example.net>");
        let expected = Complaint {
            kind: "abuse".into(),
            user_agent: Some("SomeGenerator/1.0".into()),
            mail_from: Some("somespammer@example.net".into()),
            recipients: vec!["user@example.com".into()],
            original: Original { message_id: Some("1@example.net".into()), return_path: None },
        };
        assert_eq!(read(text.as_bytes()), Some(expected));
        // As it stands in the standard its Message-ID has no angle brackets.
        assert!(read(example(FIELDS).as_bytes()).is_some());
    }

    #[test]
    fn what_is_no_complaint_is_none() {
        let good = example(FIELDS);
        for (from, to) in [
            ("report-type=feedback-report", "report-type=delivery-status"),
            ("multipart/report", "multipart/mixed"),
            ("message/feedback-report", "text/plain"),
            ("Feedback-Type: abuse\r\n", ""),
            ("Feedback-Type: abuse", "Feedback-Type: not-spam"),
            ("Feedback-Type: abuse", "Feedback-Type: Auth-Failure"),
        ] {
            assert_ne!(good, good.replace(from, to), "{from}");
            assert_eq!(read(good.replace(from, to).as_bytes()), None, "{from}");
        }
    }

    proptest! {
        #[test]
        fn no_octets_panic(cut in 0_usize..1200, octets in proptest::collection::vec(any::<u8>(), 0..40)) {
            let mut text = example(FIELDS).into_bytes();
            let at = cut.min(text.len());
            text.splice(at..at, octets);
            let _ = read(&text);
        }
    }
}
