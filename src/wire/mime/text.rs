//! The text of a message, for reading and searching.

use mail_parser::html_to_text;

use super::content::Encoding;
use super::decode::{decode_body, decode_charset};
use super::entity::Entity;

/// Octets of text kept of one message: what a session holds while it stores a message is a few times
/// as much.
pub(super) const MAX_TEXT: usize = 64 * 1024;
/// Octets of HTML looked at for each octet of text: most of it is markup.
const HTML: usize = 4;
/// Characters of a snippet.
const MAX_SNIPPET: usize = 200;

/// The text of `leaves`, one after the other, a line feed between them; HTML made plain text. At
/// most `limit` octets.
pub(super) fn read_text(raw: &[u8], leaves: &[&Entity<'_>], limit: usize) -> String {
    let mut text = String::new();
    for leaf in leaves {
        if text.len() >= limit {
            break;
        }
        if !text.is_empty() && !text.ends_with('\n') {
            text.push('\n');
        }
        let body = raw.get(leaf.part.body()).unwrap_or_default();
        if leaf.is_html() {
            push_clean(&mut text, &html_to_text(&decode_leaf(leaf, body, limit * HTML)), limit);
        } else {
            push_clean(&mut text, &decode_leaf(leaf, body, limit), limit);
        }
    }
    text
}

/// Octets that nobody could take apart, as text; at most `limit` octets.
pub(super) fn read_opaque(body: &[u8], limit: usize) -> String {
    let mut text = String::new();
    let start = body.get(..limit).unwrap_or(body);
    push_clean(&mut text, &String::from_utf8_lossy(start), limit);
    text
}

/// The first 200 characters, white space collapsed.
pub(super) fn snippet(text: &str) -> String {
    let mut snippet = String::new();
    let mut left = MAX_SNIPPET;
    for word in text.split_whitespace() {
        if !snippet.is_empty() {
            snippet.push(' ');
            left -= 1;
        }
        let count = word.chars().count();
        snippet.extend(word.chars().take(left));
        left = left.saturating_sub(count);
        if left <= 1 {
            break;
        }
    }
    snippet
}

/// About the first `limit` octets of a leaf's text: decodes no more of a long body than that takes.
fn decode_leaf(leaf: &Entity<'_>, body: &[u8], limit: usize) -> String {
    let encoding = leaf.fields.encoding();
    let per_octet = match encoding {
        Encoding::Identity | Encoding::Unknown => 1,
        Encoding::Base64 => 2,
        Encoding::QuotedPrintable => 3,
    };
    let octets = decode_body(encoding, body.get(..limit * per_octet).unwrap_or(body));
    let octets = octets.get(..limit).unwrap_or(&octets);
    decode_charset(leaf.content.parameter("charset"), octets).into_owned()
}

/// Appends `more` up to the limit, without carriage returns and control characters.
fn push_clean(text: &mut String, more: &str, limit: usize) {
    for c in more.chars() {
        if text.len() + c.len_utf8() > limit {
            break;
        }
        if !c.is_control() || matches!(c, '\n' | '\t') {
            text.push(c);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn snippets_collapse_white_space_and_stop() {
        assert_eq!(snippet(" a\n\n b\tc "), "a b c");
        assert_eq!(snippet(""), "");
        assert_eq!(snippet(&"ü".repeat(500)).chars().count(), 200);
        assert_eq!(snippet(&"word ".repeat(500)).chars().count(), 200 - 1);
        assert_eq!(snippet(&format!("{} b", "a".repeat(199))), "a".repeat(199));
    }

    #[test]
    fn opaque_text_is_bounded_and_clean() {
        assert_eq!(read_opaque(b"a\0b\x07\r\nc", MAX_TEXT), "ab\nc");
        assert_eq!(read_opaque(&vec![b'x'; MAX_TEXT + 1], MAX_TEXT).len(), MAX_TEXT);
        assert!(read_opaque(&vec![0xff; MAX_TEXT + 1], MAX_TEXT).len() <= MAX_TEXT);
    }
}
