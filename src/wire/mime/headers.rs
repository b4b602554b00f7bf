//! Header blocks as octets (RFC 5322 §2.2): fields in order, found by name.
//!
//! A block ends with its empty line, or where the octets end. Lines end in LF, with or without CR;
//! a bare CR ends nothing. Lines that are no field (no colon, or a fold of nothing) are skipped.

use std::borrow::Cow;

use memchr::memchr;

/// One field of a header block.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Field<'a> {
    /// Offset of the field in its block.
    pub start: usize,
    /// The whole field: name, colon, value, folded lines and the last line break.
    pub raw: &'a [u8],
    /// The name as written, without the white space that obsolete syntax allows before the colon.
    pub name: &'a [u8],
    /// Everything after the colon, folds and the last line break included.
    pub value: &'a [u8],
}

impl<'a> Field<'a> {
    /// Whether the field has this name; names compare without regard to case.
    pub fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name.as_bytes())
    }

    /// The value on one line, without white space around it ([`unfold`]).
    pub fn text(&self) -> Cow<'a, [u8]> {
        unfold(self.value)
    }

    /// The value as people read it: on one line, encoded words decoded
    /// (RFC 2047), without control characters, at most 4 KiB.
    pub fn decoded(&self) -> String {
        super::decode::decode_words(self.value)
    }

    /// The same, however long it is.
    pub fn decoded_whole(&self) -> String {
        super::decode::decode_all_words(self.value)
    }
}

/// The fields of a header block, first to last, each in time linear to its length.
#[derive(Clone, Debug)]
pub struct Fields<'a> {
    at: usize,
    rest: &'a [u8],
}

/// Iterates over the fields of `block`, up to its empty line or its end.
pub fn fields(block: &[u8]) -> Fields<'_> {
    Fields { at: 0, rest: block }
}

impl<'a> Iterator for Fields<'a> {
    type Item = Field<'a>;

    fn next(&mut self) -> Option<Field<'a>> {
        loop {
            if self.rest.is_empty() || is_blank_line(self.rest) {
                return None;
            }
            let (raw, rest) = self.rest.split_at(field_len(self.rest));
            let start = self.at;
            self.at += raw.len();
            self.rest = rest;
            if let Some(field) = split_field(start, raw) {
                return Some(field);
            }
        }
    }
}

/// The first field with this name.
pub fn find<'a>(block: &'a [u8], name: &str) -> Option<Field<'a>> {
    fields(block).find(|field| field.is(name))
}

/// Every field with this name, in order.
pub fn find_all<'a>(block: &'a [u8], name: &str) -> impl Iterator<Item = Field<'a>> {
    fields(block).filter(move |field| field.is(name))
}

/// Octets of the header block that `raw` begins with, its empty line included; all of `raw` when no
/// empty line follows.
pub fn block_len(raw: &[u8]) -> usize {
    let mut at = 0;
    loop {
        let rest = raw.get(at..).unwrap_or_default();
        let end = at + line_len(rest);
        if rest.is_empty() || is_blank_line(rest) {
            return end;
        }
        at = end;
    }
}

/// A value on one line (RFC 5322 §2.2.3): line breaks dropped, white space around it too.
pub fn unfold(value: &[u8]) -> Cow<'_, [u8]> {
    let value = value.trim_ascii();
    if memchr(b'\n', value).is_none() {
        return Cow::Borrowed(value);
    }
    let mut line = Vec::with_capacity(value.len());
    for part in value.split_inclusive(|&byte| byte == b'\n') {
        let part = part.strip_suffix(b"\n").unwrap_or(part);
        line.extend_from_slice(part.strip_suffix(b"\r").unwrap_or(part));
    }
    Cow::Owned(line)
}

/// The authserv-id of an Authentication-Results value (RFC 8601 §2.2), without its version; empty
/// when the value has none.
pub fn authserv_id(value: &[u8]) -> Vec<u8> {
    let mut id = Vec::new();
    let mut depth = 0_usize;
    for &byte in unfold(value).iter() {
        match byte {
            b'(' => depth += 1,
            b')' => depth = depth.saturating_sub(1),
            _ if depth > 0 => {}
            b';' => break,
            b'"' => {}
            _ if byte.is_ascii_whitespace() && id.is_empty() => {}
            _ if byte.is_ascii_whitespace() => break,
            _ => id.push(byte),
        }
    }
    id
}

/// Whether `rest` begins with an empty line.
pub(super) fn is_blank_line(rest: &[u8]) -> bool {
    rest.starts_with(b"\n") || rest.starts_with(b"\r\n")
}

/// Octets of the line that `rest` begins with, its line break included.
pub(super) fn line_len(rest: &[u8]) -> usize {
    memchr(b'\n', rest).map_or(rest.len(), |newline| newline + 1)
}

/// Octets of the field that `rest` begins with: its line and the folded lines after it.
fn field_len(rest: &[u8]) -> usize {
    let mut len = line_len(rest);
    while let Some(b' ' | b'\t') = rest.get(len) {
        len += line_len(rest.get(len..).unwrap_or_default());
    }
    len
}

fn split_field(start: usize, raw: &[u8]) -> Option<Field<'_>> {
    let first_line = raw.get(..line_len(raw))?;
    if raw.first().is_some_and(|byte| matches!(byte, b' ' | b'\t')) {
        return None;
    }
    let colon = memchr(b':', first_line)?;
    let name = raw.get(..colon)?.trim_ascii_end();
    let value = raw.get(colon + 1..)?;
    (!name.is_empty()).then_some(Field { start, raw, name, value })
}

#[cfg(test)]
mod tests {
    use super::*;

    const BLOCK: &[u8] = b"Received: by a\r\n\t(b);\r\n c\r\nno field here\r\n folded: x\r\n\
        Subject : hello\n  world \nSUBJECT:two\r\nX-Empty:\r\n\r\nFrom: body\r\n";

    #[test]
    fn fields_come_in_order_and_whole() {
        let names: Vec<_> = fields(BLOCK).map(|field| field.name).collect();
        assert_eq!(names, [&b"Received"[..], b"Subject", b"SUBJECT", b"X-Empty"]);
        let received = find(BLOCK, "received").unwrap();
        assert_eq!(received.raw, b"Received: by a\r\n\t(b);\r\n c\r\n");
        assert_eq!(received.text().as_ref(), b"by a\t(b); c");
        let subjects: Vec<_> = find_all(BLOCK, "subject").map(|field| field.text()).collect();
        assert_eq!(subjects, [&b"hello  world"[..], b"two"]);
        assert_eq!(find(BLOCK, "x-empty").unwrap().text().as_ref(), b"");
        assert_eq!(find(BLOCK, "from"), None);
    }

    #[test]
    fn a_block_ends_after_its_empty_line() {
        assert_eq!(block_len(BLOCK), BLOCK.len() - b"From: body\r\n".len());
        assert_eq!(block_len(b"\r\nbody"), 2);
        assert_eq!(block_len(b"\nbody"), 1);
        assert_eq!(block_len(b"A: b\n\r\nbody"), 7);
        assert_eq!(block_len(b"A: b\r\n"), 6);
        assert_eq!(block_len(b"A: b\r\r\nc"), 8);
        assert_eq!(block_len(b""), 0);
    }

    #[test]
    fn authserv_ids() {
        assert_eq!(authserv_id(b" mx.example.org; spf=pass\r\n"), b"mx.example.org");
        assert_eq!(authserv_id(b" (c (d)) mx.example.org 1;\r\n none"), b"mx.example.org");
        assert_eq!(authserv_id(b"\r\n \"mx.example.org\" (x); none"), b"mx.example.org");
        assert_eq!(authserv_id(b"; none"), b"");
    }
}
