//! Sections of a message: what stands between the brackets of `BODY[...]` (RFC 3501 §6.4.5).

use super::cursor::{Cursor, Parsed};
use super::error::{SyntaxError, What};
use super::strings::{encode_astring, utf8};

/// The deepest part number. No message is taken apart that deep.
const MAX_DEPTH: usize = 128;
/// The most header fields named in one section.
const MAX_FIELDS: usize = 1000;

/// A part of a message, or the whole of it by [`Section::default`].
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Section {
    /// Part numbers from the outside in, each from 1; empty for the message itself.
    pub part: Vec<u32>,
    /// What of that part; `None` for its body with everything in it.
    pub text: Option<SectionText>,
}

/// What of a part is meant.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum SectionText {
    /// `HEADER`: the whole header of the message, or of the message that the part is.
    Header,
    /// `HEADER.FIELDS`: only fields with these names.
    HeaderFields(Vec<String>),
    /// `HEADER.FIELDS.NOT`: only fields without these names.
    HeaderFieldsNot(Vec<String>),
    /// `TEXT`: the body without the header.
    Text,
    /// `MIME`: the part's own MIME header; only where there are part numbers.
    Mime,
}

impl Section {
    /// Appends the section with its brackets.
    ///
    /// ```abnf
    /// section = "[" [section-spec] "]"
    /// ```
    pub fn encode(&self, out: &mut Vec<u8>) {
        out.push(b'[');
        let part: Vec<_> = self.part.iter().map(u32::to_string).collect();
        out.extend_from_slice(part.join(".").as_bytes());
        if let Some(text) = &self.text {
            if !part.is_empty() {
                out.push(b'.');
            }
            text.encode(out);
        }
        out.push(b']');
    }
}

impl SectionText {
    fn encode(&self, out: &mut Vec<u8>) {
        let (name, fields) = match self {
            Self::Header => ("HEADER", None),
            Self::HeaderFields(fields) => ("HEADER.FIELDS ", Some(fields)),
            Self::HeaderFieldsNot(fields) => ("HEADER.FIELDS.NOT ", Some(fields)),
            Self::Text => ("TEXT", None),
            Self::Mime => ("MIME", None),
        };
        out.extend_from_slice(name.as_bytes());
        let Some(fields) = fields else { return };
        for (i, field) in fields.iter().enumerate() {
            out.push(if i == 0 { b'(' } else { b' ' });
            encode_astring(out, field.as_bytes());
        }
        out.push(b')');
    }
}

impl Cursor<'_> {
    /// ```abnf
    /// section      = "[" [section-spec] "]"
    /// section-spec = section-msgtext / (section-part ["." section-text])
    /// section-part = nz-number *("." nz-number)
    /// ```
    pub(super) fn section(&mut self) -> Parsed<Section> {
        self.expect("[")?;
        let mut section = Section::default();
        if self.eat(b"]") {
            return Ok(section);
        }
        loop {
            if !self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
                section.text = Some(self.section_text(!section.part.is_empty())?);
                break;
            }
            if section.part.len() == MAX_DEPTH {
                return self.fail(What::Limit("part numbers"));
            }
            section.part.push(self.nz_number()?.get());
            if !self.eat(b".") {
                break;
            }
        }
        self.expect("]")?;
        Ok(section)
    }

    /// ```abnf
    /// section-text    = section-msgtext / "MIME"
    /// section-msgtext = "HEADER" / "HEADER.FIELDS" [".NOT"] SP header-list / "TEXT"
    /// ```
    fn section_text(&mut self, in_part: bool) -> Parsed<SectionText> {
        let offset = self.offset();
        match self.word("a section")?.as_slice() {
            b"HEADER" => Ok(SectionText::Header),
            b"HEADER.FIELDS" => self.header_list().map(SectionText::HeaderFields),
            b"HEADER.FIELDS.NOT" => self.header_list().map(SectionText::HeaderFieldsNot),
            b"TEXT" => Ok(SectionText::Text),
            b"MIME" if in_part => Ok(SectionText::Mime),
            _ => Err(SyntaxError { what: What::Expected("a section"), offset }),
        }
    }

    /// ```abnf
    /// header-list    = "(" header-fld-name *(SP header-fld-name) ")"
    /// header-fld-name = astring
    /// ```
    fn header_list(&mut self) -> Parsed<Vec<String>> {
        self.sp()?;
        self.list(MAX_FIELDS, "header fields", false, Cursor::field_name)
    }

    /// ```abnf
    /// header-fld-name = astring
    /// ```
    ///
    /// Only names that a header field can have: printable ASCII without the colon
    /// (RFC 5322 §3.6.8), so that a name can always be shown again.
    pub(super) fn field_name(&mut self) -> Parsed<String> {
        let offset = self.offset();
        let name = self.astring("a header field name")?;
        if name.is_empty() || name.iter().any(|&byte| !byte.is_ascii_graphic() || byte == b':') {
            return Err(SyntaxError { what: What::Expected("a header field name"), offset });
        }
        utf8(name, offset)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> Parsed<Section> {
        let mut cursor = Cursor::new(text.as_bytes());
        cursor.section().inspect(|_| assert_eq!(cursor.rest(), b"", "{text}"))
    }

    #[test]
    fn the_part_specifiers_of_rfc_3501_section_6_4_5() {
        for text in [
            "[]",
            "[HEADER]",
            "[TEXT]",
            "[1]",
            "[2]",
            "[3]",
            "[3.HEADER]",
            "[3.TEXT]",
            "[3.1]",
            "[4.1.MIME]",
            "[4.2.2.1]",
            "[HEADER.FIELDS (DATE FROM)]",
            "[4.2.HEADER.FIELDS.NOT (Subject)]",
        ] {
            let mut out = Vec::new();
            read(text).unwrap().encode(&mut out);
            assert_eq!(out, text.as_bytes());
        }
        assert_eq!(
            read("[4.1.mime]").unwrap(),
            Section { part: vec![4, 1], text: Some(SectionText::Mime) }
        );
    }

    #[test]
    fn what_is_no_section() {
        for bad in [
            "",
            "[",
            "[0]",
            "[1.]",
            "[.1]",
            "[MIME]",
            "[1.FOO]",
            "[TEXT",
            "[TEXT.1]",
            "[HEADER.FIELDS]",
            "[HEADER.FIELDS ()]",
            "[HEADER.FIELDS (\"a b\")]",
            "[HEADER.FIELDS (\"\")]",
            "[HEADER.FIELDS (a:)]",
        ] {
            assert!(read(bad).is_err(), "{bad}");
        }
        assert_eq!(
            read(&format!("[{}1]", "1.".repeat(MAX_DEPTH))).unwrap_err().what,
            What::Limit("part numbers")
        );
    }

    proptest! {
        #[test]
        fn decode_of_encode(
            part in proptest::collection::vec(1u32.., 0..5),
            kind in 0..6,
            fields in proptest::collection::vec("[!-9;-~]{1,9}", 1..4),
        ) {
            let text = match kind {
                0 => None,
                1 => Some(SectionText::Header),
                2 => Some(SectionText::HeaderFields(fields)),
                3 => Some(SectionText::HeaderFieldsNot(fields)),
                4 => Some(SectionText::Text),
                _ => (!part.is_empty()).then_some(SectionText::Mime),
            };
            let section = Section { part, text };
            let mut out = Vec::new();
            section.encode(&mut out);
            prop_assert_eq!(Cursor::new(&out).section().unwrap(), section);
        }
    }
}
