//! Message disposition notifications (RFC 8098): somebody's program says what was done with a message.

use super::decode::message_ids;
use super::parse::parse;
use super::report_fields::{groups, is_report, part, typed, value};

/// Octets of a notification; what is longer is not looked into.
const MAX_SIZE: usize = 1024 * 1024;
/// Types of addresses that are mail addresses (RFC 8098 §3.2.3, RFC 6533 §3).
const MAIL: [&str; 2] = ["rfc822", "utf-8"];

/// A notification.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Mdn {
    /// The one address in From: who says so.
    pub author: String,
    /// The Message-ID of the message that it is about, without angle brackets.
    pub original_message_id: String,
    /// Who has dealt with that message.
    pub final_recipient: String,
    /// Who it was sent to, where that is another address.
    pub original_recipient: Option<String>,
    /// Whether it was displayed: the one disposition that says that somebody has read it
    /// (RFC 8098 §3.2.6.2).
    pub displayed: bool,
}

/// Reads a notification; `None` for everything else, of which no more than the header is looked at.
pub fn read(raw: &[u8]) -> Option<Mdn> {
    // RFC 8098 §3
    if raw.len() > MAX_SIZE || !is_report(raw, "disposition-notification") {
        return None;
    }
    let form = parse(raw);
    let [author] = form.from.as_slice() else { return None };
    let body = part(raw, &form, &[("message", "disposition-notification")])?;
    let group = groups(&body).next()?;
    let id = value(group, "Original-Message-ID")?;
    Some(Mdn {
        author: author.address.clone(),
        original_message_id: message_ids(id.as_bytes()).into_iter().next()?,
        final_recipient: typed(group, "Final-Recipient", &MAIL)?,
        original_recipient: typed(group, "Original-Recipient", &MAIL),
        displayed: is_displayed(&value(group, "Disposition")?),
    })
}

/// `action-mode/sending-mode; disposition-type/modifiers` (RFC 8098 §3.2.6).
fn is_displayed(disposition: &str) -> bool {
    let Some((_, kind)) = disposition.split_once(';') else { return false };
    let kind = kind.split('/').next().unwrap_or_default();
    kind.trim().eq_ignore_ascii_case("displayed")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The example of RFC 8098 §9, with the lines that matter.
    fn example(disposition: &str, more: &str) -> String {
        format!(
            "Date: Wed, 19 Oct 1994 00:19:00 -0400\r\nFrom: Joe Recipient <Joe_Recipient@example.com>\r\n\
             Message-Id: <199509200019.12345@example.com>\r\nSubject: Re: First draft of report\r\n\
             To: Jane Sender <Jane_Sender@example.org>\r\nMIME-Version: 1.0\r\n\
             Content-Type: multipart/report; report-type=disposition-notification;\r\n boundary=\"RAA14128.773615765/example.com\"\r\n\r\n\
             --RAA14128.773615765/example.com\r\n\r\nThe message has been displayed.\r\n\r\n\
             --RAA14128.773615765/example.com\r\nContent-Type: message/disposition-notification\r\n\r\n\
             Reporting-UA: joes-pc.cs.example.com; Foomail 97.1\r\n{more}\
             Final-Recipient: rfc822;Joe_Recipient@example.com\r\n\
             Original-Message-ID: <199509192301.23456@example.org>\r\nDisposition: {disposition}\r\n\r\n\
             --RAA14128.773615765/example.com\r\nContent-Type: message/rfc822\r\n\r\nSubject: x\r\n\r\nx\r\n\
             --RAA14128.773615765/example.com--\r\n"
        )
    }

    #[test]
    fn the_example_of_the_standard_is_read() {
        let mdn =
            read(example("manual-action/MDN-sent-manually; displayed", "").as_bytes()).unwrap();
        assert_eq!(
            mdn,
            Mdn {
                author: "Joe_Recipient@example.com".into(),
                original_message_id: "199509192301.23456@example.org".into(),
                final_recipient: "Joe_Recipient@example.com".into(),
                original_recipient: None,
                displayed: true,
            }
        );
        let more = "Original-Recipient: RFC822; team@example.com\r\n";
        let mdn = read(
            example("automatic-action/MDN-sent-automatically; Displayed/error", more).as_bytes(),
        );
        let mdn = mdn.unwrap();
        assert_eq!(mdn.original_recipient.as_deref(), Some("team@example.com"));
        assert!(mdn.displayed);
        for other in ["deleted", "dispatched", "processed", "failed", "x; displayed-not"] {
            let text = example(&format!("manual-action/MDN-sent-manually; {other}"), "");
            assert!(!read(text.as_bytes()).unwrap().displayed, "{other}");
        }
    }

    #[test]
    fn what_is_no_notification_is_none() {
        let good = example("a/b; displayed", "");
        for (from, to) in [
            ("report-type=disposition-notification", "report-type=delivery-status"),
            ("multipart/report", "multipart/mixed"),
            ("message/disposition-notification", "text/plain"),
            ("Original-Message-ID: ", "X: "),
            ("rfc822;", "x400;"),
            ("From: Joe", "From: a@b.test, Joe"),
        ] {
            assert_ne!(good, good.replace(from, to), "{from}");
            assert_eq!(read(good.replace(from, to).as_bytes()), None, "{from}");
        }
        assert_eq!(read(format!("{good}{}", "x".repeat(MAX_SIZE)).as_bytes()), None);
    }

    proptest! {
        #[test]
        fn no_octets_panic(cut in 0_usize..1200, octets in proptest::collection::vec(any::<u8>(), 0..40)) {
            let mut text = example("a/b; displayed", "").into_bytes();
            let at = cut.min(text.len());
            text.splice(at..at, octets);
            let _ = read(&text);
        }
    }
}
