//! What a server says to a client (RFC 5321 §4.2, RFC 2034).
//!
//! ```abnf
//! Reply-line = *( Reply-code "-" [ textstring ] CRLF ) Reply-code [ SP textstring ] CRLF
//! status-code ::= class "." subject "." detail
//! ```

use std::num::NonZeroUsize;

use crate::domain::outcome::Reply;

/// Characters of a reply that are kept.
const MAX_TEXT: usize = 1000;

/// One reply as it stood on the wire.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Said {
    /// Three digits, 200 to 599.
    pub code: u16,
    /// What followed the code on each line, trimmed, without control characters.
    pub lines: Vec<String>,
}

/// Every whole reply in `bytes`, in order. It ends at the first line that is
/// no reply line.
pub fn replies(bytes: &[u8]) -> Vec<Said> {
    let mut all = Vec::new();
    let mut lines = Vec::new();
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        let Some((code, last, text)) = line.strip_suffix(b"\n").and_then(reply_line) else {
            break;
        };
        lines.push(text);
        if last {
            all.push(Said { code, lines: std::mem::take(&mut lines) });
        }
    }
    all
}

/// The code, whether the line is the reply's last, and the text.
fn reply_line(line: &[u8]) -> Option<(u16, bool, String)> {
    let (code, rest) = line.split_at_checked(3)?;
    let code: u16 = std::str::from_utf8(code).ok()?.parse().ok()?;
    let last = match rest.first() {
        None | Some(b' ' | b'\r') => true,
        Some(b'-') => false,
        Some(_) => return None,
    };
    let text = String::from_utf8_lossy(rest.get(1..).unwrap_or_default());
    let text: String = text.chars().filter(|c| !c.is_control()).take(MAX_TEXT).collect();
    (200..600).contains(&code).then(|| (code, last, text.trim().to_owned()))
}

impl Said {
    /// The same as a value: the enhanced code read off the lines (RFC 2034 §4
    /// has it on each of them), the lines joined.
    pub fn into_reply(self) -> Reply {
        let mut enhanced = None;
        let mut text = String::new();
        for line in &self.lines {
            let (status, words) = enhanced_code(line, self.code);
            enhanced = enhanced.or(status);
            if !words.is_empty() {
                if !text.is_empty() {
                    text.push(' ');
                }
                text.push_str(words);
            }
        }
        text.truncate(text.floor_char_boundary(MAX_TEXT));
        Reply { code: self.code, enhanced, text }
    }
}

type Status = (u8, u16, u16);

/// Takes `class.subject.detail` off the front, where its class fits the code.
fn enhanced_code(line: &str, code: u16) -> (Option<Status>, &str) {
    let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
    match Reply::read_enhanced(word) {
        Some(status) if u16::from(status.0) == code / 100 => (Some(status), rest.trim_start()),
        _ => (None, line),
    }
}

/// What EHLO was answered: the extensions that make a difference to us.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is an extension of its own")]
pub struct Offer {
    /// RFC 2920
    pub pipelining: bool,
    /// RFC 6152
    pub eight_bit_mime: bool,
    /// RFC 6531
    pub smtputf8: bool,
    /// RFC 3461
    pub dsn: bool,
    /// RFC 3207
    pub starttls: bool,
    /// RFC 4954
    pub auth: Mechanisms,
    /// RFC 8689
    pub require_tls: bool,
    /// RFC 1870: the keyword was there.
    pub size: bool,
    /// RFC 1870: the largest message taken; `None` when it was not told.
    pub max_size: Option<u64>,
    /// RFC 2852: the least seconds that it takes before a message goes back; `None` when it does not
    /// know of any.
    pub deliver_by: Option<i64>,
    /// RFC 9422 RCPTMAX: recipients of one transaction.
    pub most_recipients: Option<NonZeroUsize>,
    /// RFC 9422 MAILMAX: transactions of one session.
    pub most_messages: Option<NonZeroUsize>,
}

/// The ways to log in that are offered, of those that we know.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Mechanisms {
    /// RFC 4616
    pub plain: bool,
    /// The one of no RFC.
    pub login: bool,
}

impl Mechanisms {
    /// RFC 4954 §3: `AUTH` and names, any case.
    fn read(names: &str) -> Self {
        let has = |name: &str| names.split_whitespace().any(|one| one.eq_ignore_ascii_case(name));
        Self { plain: has("PLAIN"), login: has("LOGIN") }
    }
}

impl Offer {
    /// Reads the answer to EHLO; the first line is a greeting.
    pub fn read(said: &Said) -> Self {
        let mut offer = Self::default();
        for line in said.lines.iter().skip(1) {
            let (keyword, value) = line.split_once(' ').unwrap_or((line, ""));
            match keyword.to_ascii_uppercase().as_str() {
                "PIPELINING" => offer.pipelining = true,
                "8BITMIME" => offer.eight_bit_mime = true,
                "SMTPUTF8" => offer.smtputf8 = true,
                "DSN" => offer.dsn = true,
                "STARTTLS" => offer.starttls = true,
                "AUTH" => offer.auth = Mechanisms::read(value),
                "DELIVERBY" => offer.deliver_by = Some(least_time(value)),
                "LIMITS" => offer.read_limits(value),
                "REQUIRETLS" => offer.require_tls = true,
                "SIZE" => {
                    offer.size = true;
                    // Zero says that there is no fixed limit (RFC 1870 §4).
                    offer.max_size = value.trim().parse().ok().filter(|size| *size > 0);
                }
                _ => {}
            }
        }
        offer
    }

    /// RFC 9422 §3: `LIMITS name=value ...`; what is not known, or no number, says nothing.
    fn read_limits(&mut self, limits: &str) {
        for (name, value) in limits.split_whitespace().filter_map(|limit| limit.split_once('=')) {
            match name.to_ascii_uppercase().as_str() {
                "RCPTMAX" => self.most_recipients = value.parse().ok(),
                "MAILMAX" => self.most_messages = value.parse().ok(),
                _ => {}
            }
        }
    }
}

/// RFC 2852 §4: `DELIVERBY [min-by-time]`, at most nine digits.
fn least_time(value: &str) -> i64 {
    value.trim().parse().ok().filter(|seconds| (1..=999_999_999).contains(seconds)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn one(text: &str) -> Reply {
        replies(text.as_bytes()).remove(0).into_reply()
    }

    #[test]
    fn replies_are_read_as_rfc_5321_and_2034_write_them() {
        let reply = one("250 2.1.5 <a@b.c> ok\r\n");
        assert_eq!((reply.code, reply.enhanced), (250, Some((2, 1, 5))));
        assert_eq!(reply.text, "<a@b.c> ok");
        let reply = one("550-5.7.705 Access denied,\r\n550-5.7.705\r\n550 5.7.705 see below\r\n");
        assert_eq!(reply.enhanced, Some((5, 7, 705)));
        assert_eq!(reply.text, "Access denied, see below");
        assert_eq!(one("250\r\n"), Reply { code: 250, enhanced: None, text: String::new() });
        assert_eq!(one("250 ok\n").text, "ok");
    }

    #[test]
    fn what_is_no_enhanced_code_stays_text() {
        for text in ["5.1.1 wrong class", "2.1 ok", "2.1.5.6 ok", "2.1.1000 ok", "2..1 ok", "10"] {
            let reply = one(&format!("250 {text}\r\n"));
            assert_eq!((reply.enhanced, reply.text.as_str()), (None, text));
        }
    }

    #[test]
    fn only_whole_replies_count() {
        let all = replies(b"220-a\r\n220 b\r\n421 gone\r\n250-half\r\n250 mo");
        assert_eq!(all.iter().map(|said| said.code).collect::<Vec<_>>(), [220, 421]);
        assert_eq!(all[0].lines, ["a", "b"]);
        for junk in ["", "\r\n", "hello\r\n", "2x0 a\r\n", "999 a\r\n", "250_a\r\n", "25\r\n"] {
            assert_eq!(replies(junk.as_bytes()), [], "{junk}");
        }
        assert_eq!(replies(b"250 a\0\x1bb\r\n")[0].lines, ["ab"]);
    }

    #[test]
    fn ways_to_log_in_are_read() {
        let said = replies(b"250-x\r\n250 auth GSSAPI login PLAINER\r\n");
        assert_eq!(Offer::read(&said[0]).auth, Mechanisms { plain: false, login: true });
    }

    #[test]
    fn offers_are_read() {
        let said = replies(
            b"250-PIPELINING greets you\r\n250-size 1000\r\n250-8BITMIME\r\n250-AUTH=LOGIN\r\n250 StartTLS\r\n",
        );
        let offer = Offer::read(&said[0]);
        let expected = Offer {
            eight_bit_mime: true,
            starttls: true,
            size: true,
            max_size: Some(1000),
            ..Offer::default()
        };
        assert_eq!(offer, expected);
        let said = replies(
            b"250-x\r\n250-DELIVERBY 60\r\n250 limits RcptMax=20 MAILMAX=0 X=Y RCPTMAX\r\n",
        );
        let offer = Offer::read(&said[0]);
        let most_recipients = NonZeroUsize::new(20);
        let expected = Offer { deliver_by: Some(60), most_recipients, ..Offer::default() };
        assert_eq!(offer, expected);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            for said in replies(&bytes) {
                let _ = Offer::read(&said);
                prop_assert!(said.into_reply().text.chars().count() <= MAX_TEXT);
            }
        }
    }
}
