//! Strings on the wire (RFC 3501 §4.3): quoted where that is safe, a literal otherwise.

use super::chars::{is_astring_char, is_quotable};

/// The longest content written between quotes, in bytes. Longer strings travel as literals, which
/// no client has to buffer as one line (RFC 2683 §3.2.1.5 asks for short lines).
const QUOTED_MAX: usize = 1000;

/// Appends `bytes` as `string`: quoted when every byte is printable ASCII or a tab, else a literal.
///
/// A literal carries the bytes as they are, so nothing is lost and nothing can end a line early.
///
/// ```abnf
/// string  = quoted / literal
/// quoted  = DQUOTE *QUOTED-CHAR DQUOTE
/// literal = "{" number "}" CRLF *CHAR8
/// ```
pub fn encode_string(out: &mut Vec<u8>, bytes: &[u8]) {
    if bytes.len() > QUOTED_MAX || !bytes.iter().copied().all(is_quotable) {
        encode_literal_header(out, bytes.len() as u64);
        out.extend_from_slice(bytes);
        return;
    }
    out.push(b'"');
    for &byte in bytes {
        if matches!(byte, b'"' | b'\\') {
            out.push(b'\\');
        }
        out.push(byte);
    }
    out.push(b'"');
}

/// Appends `NIL` for `None`, else the string ([`encode_string`]).
///
/// ```abnf
/// nstring = string / nil
/// ```
pub fn encode_nstring(out: &mut Vec<u8>, bytes: Option<&[u8]>) {
    match bytes {
        Some(bytes) => encode_string(out, bytes),
        None => out.extend_from_slice(b"NIL"),
    }
}

/// Appends `bytes` bare when they form an atom that nobody can take for `NIL`, else as a string.
///
/// ```abnf
/// astring = 1*ASTRING-CHAR / string
/// ```
pub fn encode_astring(out: &mut Vec<u8>, bytes: &[u8]) {
    let bare = !bytes.is_empty()
        && bytes.len() <= QUOTED_MAX
        && bytes.iter().copied().all(is_astring_char)
        && !bytes.eq_ignore_ascii_case(b"NIL");
    if bare {
        out.extend_from_slice(bytes);
    } else {
        encode_string(out, bytes);
    }
}

/// Appends the head of a literal of `len` bytes; exactly that many bytes must follow it.
pub fn encode_literal_header(out: &mut Vec<u8>, len: u64) {
    out.extend_from_slice(format!("{{{len}}}\r\n").as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn string(bytes: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        encode_string(&mut out, bytes);
        out
    }

    #[test]
    fn quotes_what_is_printable() {
        assert_eq!(string(b""), b"\"\"");
        assert_eq!(string(b"a \"b\" \\ c\t"), b"\"a \\\"b\\\" \\\\ c\t\"");
    }

    #[test]
    fn line_breaks_nul_and_eight_bit_travel_as_literals() {
        assert_eq!(string(b"a\r\nb"), b"{4}\r\na\r\nb");
        assert_eq!(string(b"\0"), b"{1}\r\n\0");
        assert_eq!(string("é".as_bytes()), b"{2}\r\n\xc3\xa9");
        assert!(string(&[b'x'; QUOTED_MAX]).starts_with(b"\""));
        assert!(string(&[b'x'; QUOTED_MAX + 1]).starts_with(b"{1001}\r\n"));
    }

    #[test]
    fn nstring_and_astring() {
        let mut out = Vec::new();
        encode_nstring(&mut out, None);
        out.push(b' ');
        encode_nstring(&mut out, Some(b"NIL"));
        out.push(b' ');
        encode_astring(&mut out, b"INBOX");
        out.push(b' ');
        encode_astring(&mut out, b"nil");
        out.push(b' ');
        encode_astring(&mut out, b"");
        out.push(b' ');
        encode_astring(&mut out, b"Sent Items");
        assert_eq!(out, b"NIL \"NIL\" INBOX \"nil\" \"\" \"Sent Items\"");
    }
}
