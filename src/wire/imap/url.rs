//! URLs of stored messages and their parts (RFC 5092), relative to whoever is logged in.

use std::iter::Peekable;

use super::command::Partial;
use super::cursor::Cursor;
use super::mailbox::MailboxName;
use super::section::Section;

/// A message, or a part of one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MessageUrl {
    /// The mailbox; `None` for the one that is open.
    pub mailbox: Option<MailboxName>,
    /// The UIDVALIDITY that the mailbox must have for the UID to mean anything.
    pub uid_validity: Option<u32>,
    /// The message.
    pub uid: u32,
    /// What of it; all by default.
    pub section: Section,
    /// Only these bytes of that.
    pub partial: Option<Partial>,
}

impl MessageUrl {
    /// Reads a relative URL; `None` for any other, with a server in it too, and for what is none.
    ///
    /// ```abnf
    /// absolute-path = "/" imessagepart    ; RFC 5092 §11
    /// imessagepart  = [enc-mailbox [uidvalidity]] iuid [isection] [ipartial]
    /// uidvalidity   = ";UIDVALIDITY=" nz-number
    /// iuid          = "/;UID=" nz-number
    /// isection      = "/;SECTION=" enc-section
    /// ipartial      = "/;PARTIAL=" number ["." nz-number]
    /// ```
    pub fn parse(url: &str) -> Option<Self> {
        let (path, parameters) = url.split_once(';')?;
        let mut parameters = parameters.split("/;").peekable();
        let uid_validity = value(&mut parameters, "UIDVALIDITY=");
        // Where there is no UIDVALIDITY, the first slash stands before the UID.
        let path = match uid_validity {
            None if !path.is_empty() => path.strip_suffix('/')?,
            _ => path,
        };
        let mailbox = match path {
            "" if uid_validity.is_none() => None,
            path => Some(MailboxName::new(&decoded(path.strip_prefix('/')?)?)?),
        };
        let uid_validity = match uid_validity {
            Some(text) => Some(number(text)?),
            None => None,
        };
        let uid = number(value(&mut parameters, "UID=")?)?;
        let section = match value(&mut parameters, "SECTION=") {
            Some(text) => section(text)?,
            None => Section::default(),
        };
        let partial = match value(&mut parameters, "PARTIAL=") {
            Some(text) => Some(partial(text)?),
            None => None,
        };
        let parsed = Self { mailbox, uid_validity, uid, section, partial };
        parameters.next().is_none().then_some(parsed)
    }
}

/// The value of the next parameter, if it has this name in any case.
fn value<'a>(
    parameters: &mut Peekable<impl Iterator<Item = &'a str>>,
    name: &str,
) -> Option<&'a str> {
    let is_named = |parameter: &&str| {
        parameter.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name))
    };
    parameters.next_if(is_named)?.get(name.len()..)
}

fn number(text: &str) -> Option<u32> {
    let mut cursor = Cursor::new(text.as_bytes());
    let number = cursor.nz_number().ok()?;
    cursor.rest().is_empty().then_some(number.get())
}

fn section(text: &str) -> Option<Section> {
    let bracketed = format!("[{}]", decoded(text)?);
    let mut cursor = Cursor::new(bracketed.as_bytes());
    let section = cursor.section().ok()?;
    cursor.rest().is_empty().then_some(section)
}

/// ```abnf
/// partial-range = number ["." nz-number]
/// ```
fn partial(text: &str) -> Option<Partial> {
    let mut cursor = Cursor::new(text.as_bytes());
    let origin = cursor.number64().ok()?;
    let length = if cursor.eat(b".") { cursor.number64().ok()? } else { u64::MAX };
    (cursor.rest().is_empty() && length > 0).then_some(Partial { origin, length })
}

/// Text without its percent-encoding (RFC 3986 §2.1).
fn decoded(text: &str) -> Option<String> {
    let mut bytes = text.bytes();
    let mut out = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        out.push(match byte {
            b'%' => hex(bytes.next()?)? << 4 | hex(bytes.next()?)?,
            byte => byte,
        });
    }
    String::from_utf8(out).ok()
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::wire::imap::section::SectionText;

    /// Everything but letters, digits and slashes percent-encoded.
    fn encoded(text: &str) -> String {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'/';
        let each = |byte: u8| {
            if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02x}") }
        };
        text.bytes().map(each).collect()
    }

    fn encode(url: &MessageUrl) -> String {
        let mut out = Vec::new();
        if let Some(mailbox) = &url.mailbox {
            out.push(format!("/{}", encoded(mailbox.as_str())));
        }
        if let Some(validity) = url.uid_validity {
            out.push(format!(";UIDVALIDITY={validity}"));
        }
        out.push(format!("/;UID={}", url.uid));
        if url.section != Section::default() {
            let mut section = Vec::new();
            url.section.encode(&mut section);
            let section = String::from_utf8(section).unwrap();
            out.push(format!("/;SECTION={}", encoded(&section[1..section.len() - 1])));
        }
        if let Some(Partial { origin, length }) = url.partial {
            out.push(format!("/;PARTIAL={origin}.{length}"));
        }
        out.concat()
    }

    #[test]
    fn the_urls_of_rfc_4469() {
        let url =
            MessageUrl::parse("/Drafts;UIDVALIDITY=385759045/;UID=20/;section=1.MIME").unwrap();
        assert_eq!(url.mailbox, MailboxName::new("Drafts"));
        assert_eq!((url.uid_validity, url.uid), (Some(385_759_045), 20));
        let section = Section { part: vec![1], text: Some(SectionText::Mime) };
        assert_eq!((url.section, url.partial), (section, None));
        let whole = MessageUrl::parse("/Drafts;UIDVALIDITY=385759045/;UID=30").unwrap();
        assert_eq!(whole.section, Section::default());
    }

    #[test]
    fn what_may_be_left_out() {
        let parse = |url: &str| MessageUrl::parse(url).unwrap();
        assert_eq!(parse("/a/b/;UID=1").mailbox, MailboxName::new("a/b"));
        assert_eq!(parse("/%C3%BC%3B/;uid=1").mailbox, MailboxName::new("ü;"));
        for open in [";UID=7/;SECTION=TEXT", "/;UID=7/;SECTION=TEXT"] {
            assert_eq!((parse(open).mailbox, parse(open).uid), (None, 7));
        }
        let fields = "/INBOX/;UID=1/;SECTION=HEADER.FIELDS%20(To%20Cc)/;PARTIAL=2";
        let names = vec!["To".to_owned(), "Cc".to_owned()];
        assert_eq!(parse(fields).section.text, Some(SectionText::HeaderFields(names)));
        assert_eq!(parse(fields).partial, Some(Partial { origin: 2, length: u64::MAX }));
    }

    #[test]
    fn what_is_no_url_of_a_message_here() {
        for bad in [
            "",
            "/",
            "/INBOX",
            "INBOX/;UID=1",
            "imap://else.example/INBOX/;UID=1",
            "//else.example/INBOX/;UID=1",
            "/INBOX;UID=1",
            "/INBOX;UIDVALIDITY=1",
            ";UIDVALIDITY=1/;UID=1",
            "/INBOX;UIDVALIDITY=0/;UID=1",
            "/INBOX/;UID=0",
            "/INBOX/;UID=1:2",
            "/INBOX/;UID=*",
            "/INBOX/;UID=1/",
            "/INBOX/;UID=1/;SECTION=1]",
            "/INBOX/;UID=1/;SECTION=FOO",
            "/INBOX/;UID=1/;PARTIAL=1.0",
            "/INBOX/;UID=1/;PARTIAL=1/;SECTION=1",
            "/INBOX/;UID=1/;URLAUTH=anonymous",
            "/INBOX/;UID=1;URLAUTH=anonymous",
            "/IN%/;UID=1",
            "/IN%zz/;UID=1",
            "/%ff/;UID=1",
            "/../;UID=1",
        ] {
            assert_eq!(MessageUrl::parse(bad), None, "{bad}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(url in "[/;=%.A-Za-z0-9\\PC]{0,60}") {
            let _ = MessageUrl::parse(&url);
        }

        #[test]
        fn decode_of_encode(
            mailbox in proptest::option::of("[a-zü;/%][a-zü;% ]{0,9}"),
            validity in proptest::option::of(1u32..),
            uid in 1u32..,
            part in proptest::collection::vec(1u32.., 0..4),
            partial in proptest::option::of((0u64..1 << 62, 1u64..1 << 62)),
        ) {
            let mailbox = mailbox.as_deref().and_then(MailboxName::new);
            let url = MessageUrl {
                uid_validity: validity.filter(|_| mailbox.is_some()),
                mailbox,
                uid,
                section: Section { part, text: Some(SectionText::Header) },
                partial: partial.map(|(origin, length)| Partial { origin, length }),
            };
            prop_assert_eq!(MessageUrl::parse(&encode(&url)), Some(url));
        }
    }
}
