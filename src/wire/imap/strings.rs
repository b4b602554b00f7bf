//! Strings on the wire (RFC 3501 §4.3): quoted where that is safe, a literal otherwise.

use super::chars::{is_astring_char, is_quotable};
use super::cursor::{Cursor, Parsed};
use super::error::{SyntaxError, What};

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
    quote(out, bytes);
}

/// Appends text without control characters as `quoted`, for who reads UTF-8 between quotes
/// (RFC 9051 §4.3).
pub(super) fn encode_quoted_utf8(out: &mut Vec<u8>, text: &str) {
    quote(out, text.as_bytes());
}

fn quote(out: &mut Vec<u8>, bytes: &[u8]) {
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
    out.push(b'{');
    encode_number(out, len);
    out.extend_from_slice(b"}\r\n");
}

/// Appends `number` in decimal. FETCH writes several of them for each of many messages, so this
/// does without a string in between.
pub(super) fn encode_number(out: &mut Vec<u8>, number: u64) {
    let start = out.len();
    let mut rest = number;
    loop {
        out.push(b'0' + (rest % 10) as u8);
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    out.get_mut(start..).unwrap_or_default().reverse();
}

impl Cursor<'_> {
    /// ```abnf
    /// astring = 1*ASTRING-CHAR / string
    /// ```
    pub(super) fn astring(&mut self, what: &'static str) -> Parsed<Vec<u8>> {
        match self.peek() {
            Some(b'"' | b'{') => self.string(what),
            _ => Ok(self.take_while1(is_astring_char, what)?.to_vec()),
        }
    }

    /// An `astring` that must be UTF-8, as names, passwords and search text are here.
    pub(super) fn astring_utf8(&mut self, what: &'static str) -> Parsed<String> {
        let offset = self.offset();
        utf8(self.astring(what)?, offset)
    }

    /// ```abnf
    /// nstring = string / nil
    /// ```
    pub(super) fn nstring(&mut self, what: &'static str) -> Parsed<Option<Vec<u8>>> {
        if self.eat(b"NIL") { Ok(None) } else { self.string(what).map(Some) }
    }

    /// ```abnf
    /// string = quoted / literal
    /// ```
    pub(super) fn string(&mut self, what: &'static str) -> Parsed<Vec<u8>> {
        match self.peek() {
            Some(b'"') => self.quoted(),
            Some(b'{') => self.literal(),
            _ => self.expected(what),
        }
    }

    /// ```abnf
    /// quoted      = DQUOTE *QUOTED-CHAR DQUOTE
    /// QUOTED-CHAR = <any TEXT-CHAR except quoted-specials> / "\" quoted-specials
    /// ```
    ///
    /// Bytes above 127 are taken as they come: RFC 9051 allows UTF-8 here, and clients send it.
    fn quoted(&mut self) -> Parsed<Vec<u8>> {
        self.expect("\"")?;
        let mut text = Vec::new();
        loop {
            let plain = |byte| !matches!(byte, b'"' | b'\\' | b'\r' | b'\n' | b'\0');
            text.extend_from_slice(self.take_while(plain));
            if self.eat(b"\"") {
                return Ok(text);
            }
            self.expect("\\").or_else(|_| self.expected("a closing quote"))?;
            match self.peek() {
                Some(special @ (b'"' | b'\\')) => text.push(special),
                _ => return self.expected("a quote or backslash"),
            }
            self.take(1);
        }
    }

    /// ```abnf
    /// literal = "{" number ["+"] "}" CRLF *CHAR8    ; CHAR8 = %x01-ff
    /// ```
    ///
    /// The bytes are already here: framing has read them, and asked for them if it had to.
    fn literal(&mut self) -> Parsed<Vec<u8>> {
        let size = self.literal_header()?;
        let offset = self.offset();
        let bytes = usize::try_from(size).ok().and_then(|size| self.take(size));
        match bytes {
            Some(bytes) if !bytes.contains(&0) => Ok(bytes.to_vec()),
            _ => Err(SyntaxError { what: What::Expected("a literal without NUL"), offset }),
        }
    }

    /// The head of a literal, its line end included; the size in bytes.
    pub(super) fn literal_header(&mut self) -> Parsed<u64> {
        self.expect("{")?;
        let size = self.number64()?;
        self.eat(b"+");
        self.expect("}")?;
        self.expect("\r\n").or_else(|_| self.expected("a line end"))?;
        Ok(size)
    }
}

/// `bytes` as text, or an error at `offset`.
pub(super) fn utf8(bytes: Vec<u8>, offset: usize) -> Parsed<String> {
    String::from_utf8(bytes).map_err(|_| SyntaxError { what: What::Expected("UTF-8 text"), offset })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

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

    #[test]
    fn reads_quoted_and_literal_strings() {
        let read = |bytes: &'static [u8]| Cursor::new(bytes).astring("a string");
        assert_eq!(read(b"\"a \\\"b\\\\\" ").unwrap(), b"a \"b\\");
        assert_eq!(read(b"{3}\r\nabcd").unwrap(), b"abc");
        assert_eq!(read(b"{3+}\r\na\r\nb").unwrap(), b"a\r\n");
        assert_eq!(read(b"a]b c").unwrap(), b"a]b");
        for bad in
            [&b"\"a"[..], b"\"a\\b\"", b"\"a\nb\"", b"{3}\r\nab", b"{1}\r\n\0", b"{1}a", b"(", b""]
        {
            assert!(Cursor::new(bad).astring("a string").is_err(), "{bad:?}");
        }
    }

    proptest! {
        #[test]
        fn numbers_are_decimal(number in any::<u64>()) {
            let mut out = b"x".to_vec();
            encode_number(&mut out, number);
            prop_assert_eq!(String::from_utf8(out).unwrap(), format!("x{}", number));
        }

        #[test]
        fn decode_of_encode(bytes in proptest::collection::vec(1u8.., 0..200)) {
            let mut out = Vec::new();
            encode_string(&mut out, &bytes);
            let mut cursor = Cursor::new(&out);
            prop_assert_eq!(cursor.string("a string").unwrap(), &bytes[..]);
            prop_assert_eq!(cursor.rest(), b"");

            out.clear();
            encode_astring(&mut out, &bytes);
            prop_assert_eq!(Cursor::new(&out).astring("a string").unwrap(), &bytes[..]);
        }

        #[test]
        fn quoted_strings_stay_on_their_line(bytes in proptest::collection::vec(any::<u8>(), 0..99)) {
            let mut out = Vec::new();
            encode_string(&mut out, &bytes);
            if out.starts_with(b"\"") {
                prop_assert!(!out.iter().any(|byte| matches!(byte, b'\r' | b'\n' | 0)));
            }
        }
    }
}
