//! The position of a parser in the bytes of one command.

use std::num::NonZeroU32;

use super::chars::is_atom_char;
use super::error::{SyntaxError, What};
use super::name_form::NameForm;

/// What a parser of the grammar returns.
pub(super) type Parsed<T> = Result<T, SyntaxError>;

/// Bytes, and how far they have been read. Every step forward is checked against the end.
pub(super) struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
    names: NameForm,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self::spelling(bytes, NameForm::default())
    }

    /// With mailbox names in this form.
    pub(super) fn spelling(bytes: &'a [u8], names: NameForm) -> Self {
        Self { bytes, at: 0, names }
    }

    /// How mailbox names are spelled.
    pub(super) fn names(&self) -> NameForm {
        self.names
    }

    /// Bytes read so far.
    pub(super) fn offset(&self) -> usize {
        self.at
    }

    /// What has not been read yet.
    pub(super) fn rest(&self) -> &'a [u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }

    pub(super) fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    /// An error at the current position.
    pub(super) fn fail<T>(&self, what: What) -> Parsed<T> {
        Err(SyntaxError { what, offset: self.at })
    }

    /// An error at the current position: `what` should stand here.
    pub(super) fn expected<T>(&self, what: &'static str) -> Parsed<T> {
        self.fail(What::Expected(what))
    }

    /// The next `len` bytes, if there are so many.
    pub(super) fn take(&mut self, len: usize) -> Option<&'a [u8]> {
        let taken = self.rest().get(..len)?;
        self.at += len;
        Some(taken)
    }

    /// As many bytes as `class` holds for, possibly none.
    pub(super) fn take_while(&mut self, class: impl Fn(u8) -> bool) -> &'a [u8] {
        let rest = self.rest();
        let len = rest.iter().position(|&byte| !class(byte)).unwrap_or(rest.len());
        self.take(len).unwrap_or_default()
    }

    /// One or more bytes of `class`; `what` names them in the error.
    pub(super) fn take_while1(
        &mut self,
        class: impl Fn(u8) -> bool,
        what: &'static str,
    ) -> Parsed<&'a [u8]> {
        match self.take_while(class) {
            [] => self.expected(what),
            taken => Ok(taken),
        }
    }

    /// Steps over `token`, compared without regard to case, if it stands here.
    pub(super) fn eat(&mut self, token: &[u8]) -> bool {
        let here = self.rest().get(..token.len());
        let found = here.is_some_and(|here| here.eq_ignore_ascii_case(token));
        if found {
            self.at += token.len();
        }
        found
    }

    /// Steps over `token` or fails.
    pub(super) fn expect(&mut self, token: &'static str) -> Parsed<()> {
        if self.eat(token.as_bytes()) { Ok(()) } else { self.expected(token) }
    }

    /// Exactly one space.
    pub(super) fn sp(&mut self) -> Parsed<()> {
        if self.eat(b" ") { Ok(()) } else { self.expected("a space") }
    }

    /// The end of the command, and nothing behind it.
    pub(super) fn end(&mut self) -> Parsed<()> {
        if self.rest() == b"\r\n" { Ok(()) } else { self.expected("the end of the line") }
    }

    /// A name from the grammar's own vocabulary, in upper case: letters, digits, `.` and `-`.
    pub(super) fn word(&mut self, what: &'static str) -> Parsed<Vec<u8>> {
        let class = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-');
        Ok(self.take_while1(class, what)?.to_ascii_uppercase())
    }

    /// ```abnf
    /// atom = 1*ATOM-CHAR
    /// ```
    pub(super) fn atom(&mut self, what: &'static str) -> Parsed<&'a str> {
        let start = self.at;
        let atom = self.take_while1(is_atom_char, what)?;
        str::from_utf8(atom).map_err(|_| SyntaxError { what: What::Expected(what), offset: start })
    }

    /// ```abnf
    /// number = 1*DIGIT    ; Unsigned 32-bit integer
    /// ```
    pub(super) fn number(&mut self) -> Parsed<u32> {
        let offset = self.at;
        let number = self.number64()?;
        u32::try_from(number)
            .map_err(|_| SyntaxError { what: What::Expected("a number below 2^32"), offset })
    }

    /// ```abnf
    /// number64 = 1*DIGIT  ; RFC 9051: unsigned 63-bit integer
    /// ```
    pub(super) fn number64(&mut self) -> Parsed<u64> {
        let offset = self.at;
        let digits = self.take_while1(|byte| byte.is_ascii_digit(), "a number")?;
        let number = digits
            .iter()
            .try_fold(0i64, |sum, digit| sum.checked_mul(10)?.checked_add(i64::from(digit - b'0')));
        number
            .and_then(|number| u64::try_from(number).ok())
            .ok_or(SyntaxError { what: What::Expected("a number below 2^63"), offset })
    }

    /// ```abnf
    /// nz-number = digit-nz *DIGIT    ; Non-zero unsigned 32-bit integer
    /// ```
    pub(super) fn nz_number(&mut self) -> Parsed<NonZeroU32> {
        let offset = self.at;
        let error = SyntaxError { what: What::Expected("a number above zero"), offset };
        if self.peek() == Some(b'0') {
            return Err(error);
        }
        NonZeroU32::new(self.number()?).ok_or(error)
    }

    /// `"(" item *(SP item) ")"`, with at most `max` items, or none where `empty` allows it.
    pub(super) fn list<T>(
        &mut self,
        max: usize,
        what: &'static str,
        empty: bool,
        mut item: impl FnMut(&mut Self) -> Parsed<T>,
    ) -> Parsed<Vec<T>> {
        self.expect("(")?;
        let mut items = Vec::new();
        if empty && self.eat(b")") {
            return Ok(items);
        }
        loop {
            if items.len() == max {
                return self.fail(What::Limit(what));
            }
            items.push(item(self)?);
            if self.eat(b")") {
                return Ok(items);
            }
            self.sp()?;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_stop_at_their_bounds() {
        assert_eq!(Cursor::new(b"4294967295 ").number().unwrap(), u32::MAX);
        assert!(Cursor::new(b"4294967296").number().is_err());
        assert_eq!(Cursor::new(b"9223372036854775807").number64().unwrap(), (1 << 63) - 1);
        assert!(Cursor::new(b"9223372036854775808").number64().is_err());
        assert!(Cursor::new(b"").number().is_err());
        for zero in [&b"0"[..], b"01", b"00"] {
            assert!(Cursor::new(zero).nz_number().is_err());
        }
    }

    #[test]
    fn lists_are_bounded() {
        let list = |bytes: &'static [u8], empty| {
            Cursor::new(bytes).list(2, "numbers", empty, Cursor::number)
        };
        assert_eq!(list(b"(1 2)", false).unwrap(), [1, 2]);
        assert!(list(b"()", true).unwrap().is_empty());
        assert!(list(b"()", false).is_err());
        assert!(list(b"(1 )", false).is_err());
        let error = list(b"(1 2 3)", false).unwrap_err();
        assert_eq!(error, SyntaxError { what: What::Limit("numbers"), offset: 5 });
    }
}
