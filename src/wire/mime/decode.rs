//! Values decoded by mail-parser, made fit to store: no control characters, bounded.

use std::borrow::Cow;

use mail_parser::{Charset, HeaderForm, HeaderValue};

use super::content::Encoding;
use super::headers::unfold;

/// Octets of a message identifier kept, and of an address: a line (RFC 5322 §2.1.1). A longer one is
/// no identifier that anything could refer to.
pub(super) const MAX_TOKEN: usize = 998;
/// Octets of a decoded subject, name or file name kept.
const MAX_TEXT: usize = 4096;

/// Unstructured text with its encoded words decoded (RFC 2047), on one line, at most 4 KiB.
pub(super) fn decode_words(value: &[u8]) -> String {
    let mut text = decode_all_words(value);
    text.truncate(text.floor_char_boundary(MAX_TEXT));
    text
}

/// The same, however long it is.
pub(super) fn decode_all_words(value: &[u8]) -> String {
    // One line, so that no line break can end the value early.
    let line = unfold(value);
    let parsed = HeaderForm::Text.parse(&line);
    let text = match parsed.value() {
        HeaderValue::Text(text) => Cow::Borrowed(text),
        _ => Cow::Owned(String::from_utf8_lossy(&line).into_owned()),
    };
    let clean: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    clean.trim().to_owned()
}

/// Octets that are meant to be read literally, on one line: invalid UTF-8 replaced, control
/// characters dropped.
pub(super) fn literal(octets: &[u8]) -> String {
    String::from_utf8_lossy(octets).chars().filter(|c| !c.is_control()).collect()
}

/// The message identifiers in a field, without their angle brackets.
pub(super) fn message_ids(value: &[u8]) -> Vec<String> {
    let parsed = HeaderForm::MessageIds.parse(value);
    let ids = parsed.value().as_text_list();
    let ids = ids.iter().flat_map(mail_parser::TextList::iter).filter(|id| id.len() <= MAX_TOKEN);
    ids.map(|id| literal(id.as_bytes())).filter(|id| !id.is_empty()).collect()
}

/// A date in seconds since 1970-01-01T00:00:00Z.
pub(super) fn timestamp(value: &[u8]) -> Option<i64> {
    let parsed = HeaderForm::Date.parse(value);
    let date = parsed.value().as_datetime()?;
    date.is_valid().then(|| date.to_timestamp())
}

/// The parameter `name` of a Content-Type or Content-Disposition, decoded (RFC 2231, RFC 2047).
pub(super) fn parameter(value: &[u8], name: &str) -> Option<String> {
    let parsed = HeaderForm::ContentType.parse(value);
    let text = decode_words(parsed.value().as_content_type()?.attribute(name)?.as_bytes());
    (!text.is_empty()).then_some(text)
}

/// The transfer-decoded octets; what is malformed is decoded as far as it goes.
pub fn decode_body(encoding: Encoding, body: &[u8]) -> Cow<'_, [u8]> {
    match encoding {
        Encoding::Identity | Encoding::Unknown => Cow::Borrowed(body),
        Encoding::QuotedPrintable => mail_parser::Encoding::QuotedPrintable.decode(body),
        Encoding::Base64 => mail_parser::Encoding::Base64.decode(body),
    }
}

/// Octets as text in the charset with this label; UTF-8 where there is none or nobody knows it.
pub(super) fn decode_charset<'a>(label: Option<&[u8]>, octets: &'a [u8]) -> Cow<'a, str> {
    label.and_then(Charset::from_label).unwrap_or_default().decode(octets)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encoded_words() {
        assert_eq!(
            decode_words(b" =?iso-8859-1?q?Keld_J=F8rn?=\r\n =?utf-8?b?IMO8?= x\r\n"),
            "Keld Jørn ü x"
        );
        assert_eq!(decode_words(b"=?utf-8?q?a=0D=0Ab=00c?="), "a  b c");
        assert_eq!(decode_words(b"r\xc3\xa9sum\xc3\xa9"), "résumé");
        assert_eq!(decode_words(b""), "");
        assert_eq!(decode_words("ä".repeat(5000).as_bytes()).len(), MAX_TEXT);
    }

    #[test]
    fn identifiers() {
        assert_eq!(message_ids(b" <a@b>\r\n <c@d> junk"), ["a@b", "c@d"]);
        assert_eq!(message_ids(b" bare@id "), ["bare@id"]);
        assert!(message_ids(b"").is_empty());
        assert!(message_ids(format!("<{}>", "a".repeat(999)).as_bytes()).is_empty());
    }

    #[test]
    fn dates() {
        assert_eq!(timestamp(b" Wed, 17 Jul 1996 02:23:25 -0700 (PDT)\r\n"), Some(837_595_405));
        assert_eq!(timestamp(b"yesterday"), None);
        assert_eq!(timestamp(b"Mon, 99 Foo 2020 99:99:99 +0000"), None);
    }

    #[test]
    fn parameters_in_every_form() {
        // RFC 2231 §4.1, RFC 2183, and the RFC 2047 form that many senders use instead.
        let continued = b"attachment; filename*0*=us-ascii'en'This%20is;\r\n filename*1=\" fun\"";
        assert_eq!(parameter(continued, "filename").as_deref(), Some("This is fun"));
        let plain = b"attachment; filename=\"a b.pdf\"";
        assert_eq!(parameter(plain, "filename").as_deref(), Some("a b.pdf"));
        let words = b"attachment; filename=\"=?utf-8?q?=C3=BC?=.pdf\"";
        assert_eq!(parameter(words, "filename").as_deref(), Some("ü.pdf"));
        assert_eq!(parameter(b"attachment", "filename"), None);
    }
}
