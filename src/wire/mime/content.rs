//! MIME fields of one entity (RFC 2045, RFC 2183): read raw, parameters as written.

use std::borrow::Cow;

use super::bound::{Bound, MAX_PARAMETERS};
use super::headers::{fields, unfold};

/// The values of an entity's MIME fields, as written; the first where a field stands twice.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct MimeFields<'a> {
    pub(super) content_type: Option<&'a [u8]>,
    pub(super) disposition: Option<&'a [u8]>,
    pub(super) encoding: Option<&'a [u8]>,
    pub(super) id: Option<&'a [u8]>,
    pub(super) description: Option<&'a [u8]>,
    pub(super) language: Option<&'a [u8]>,
    pub(super) location: Option<&'a [u8]>,
    pub(super) md5: Option<&'a [u8]>,
}

impl<'a> MimeFields<'a> {
    /// Picks the MIME fields out of a header block.
    pub(super) fn read(block: &'a [u8]) -> Self {
        let mut found = Self::default();
        for field in fields(block) {
            let Some((prefix, name)) = field.name.split_at_checked(b"content-".len()) else {
                continue;
            };
            if !prefix.eq_ignore_ascii_case(b"content-") {
                continue;
            }
            let slot = match name.to_ascii_lowercase().as_slice() {
                b"type" => &mut found.content_type,
                b"disposition" => &mut found.disposition,
                b"transfer-encoding" => &mut found.encoding,
                b"id" => &mut found.id,
                b"description" => &mut found.description,
                b"language" => &mut found.language,
                b"location" => &mut found.location,
                b"md5" => &mut found.md5,
                _ => continue,
            };
            slot.get_or_insert(field.value);
        }
        found
    }

    /// The transfer encoding's name as written, without comments; `None` when the field is absent or
    /// empty, which means 7bit (RFC 2045 §6.1).
    pub(super) fn encoding_name(&self) -> Option<Cow<'a, [u8]>> {
        let name = match unfold(self.encoding?) {
            Cow::Borrowed(value) => Cow::Borrowed(until(value, b"(;")),
            Cow::Owned(value) => Cow::Owned(until(&value, b"(;").to_vec()),
        };
        (!name.is_empty()).then_some(name)
    }

    /// What the transfer encoding does to the octets.
    pub(super) fn encoding(&self) -> Encoding {
        let name = self.encoding_name().map(|name| name.to_ascii_lowercase());
        match name.as_deref() {
            None | Some(b"7bit" | b"8bit" | b"binary") => Encoding::Identity,
            Some(b"quoted-printable") => Encoding::QuotedPrintable,
            Some(b"base64") => Encoding::Base64,
            Some(_) => Encoding::Unknown,
        }
    }
}

/// What a Content-Transfer-Encoding does to the octets (RFC 2045 §6).
#[derive(Clone, Copy, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Encoding {
    /// 7bit, 8bit, binary, or no field: nothing.
    Identity,
    /// Quoted-printable.
    QuotedPrintable,
    /// Base64.
    Base64,
    /// A name that RFC 2045 does not know; the octets are left as they are.
    Unknown,
}

/// The transfer encoding that an entity's header names.
pub fn transfer_encoding(header: &[u8]) -> Encoding {
    MimeFields::read(header).encoding()
}

/// A Content-Type or Content-Disposition: a value and its parameters, as written (names and values
/// in RFC 2231 form stay so), quoting undone.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub(super) struct Value {
    /// `text` of `text/plain`; `attachment`.
    pub(super) kind: Vec<u8>,
    /// `plain` of `text/plain`.
    pub(super) subtype: Option<Vec<u8>>,
    pub(super) parameters: Vec<(Vec<u8>, Vec<u8>)>,
}

impl Value {
    /// Reads a field's value; the only error is too many parameters.
    pub(super) fn read(value: &[u8]) -> Result<Self, Bound> {
        let line = unfold(value);
        let mut rest = Rest(&line);
        let head = rest.until(b";(");
        rest.skip_past_semicolon();
        let mut halves = head.splitn(2, |&byte| byte == b'/');
        let kind = token(halves.next().unwrap_or_default());
        let subtype = halves.next().map(token).filter(|subtype| !subtype.is_empty());
        let mut parameters = Vec::new();
        while !rest.0.is_empty() {
            let name = token(rest.until(b"=;"));
            if rest.skip(b'=') {
                let value = rest.parameter_value();
                if parameters.len() == MAX_PARAMETERS {
                    return Err(Bound::Parameters);
                }
                if !name.is_empty() {
                    parameters.push((name, value));
                }
            }
            rest.skip_past_semicolon();
        }
        Ok(Self { kind, subtype, parameters })
    }

    /// Whether this is `kind/subtype`, without regard to case.
    pub(super) fn is(&self, kind: &str, subtype: &str) -> bool {
        self.kind.eq_ignore_ascii_case(kind.as_bytes())
            && self.subtype.as_deref().is_some_and(|s| s.eq_ignore_ascii_case(subtype.as_bytes()))
    }

    /// Whether the part before the slash is `kind`, without regard to case.
    pub(super) fn is_kind(&self, kind: &str) -> bool {
        self.kind.eq_ignore_ascii_case(kind.as_bytes())
    }

    /// The first parameter with this name.
    pub(super) fn parameter(&self, name: &str) -> Option<&[u8]> {
        let named = |(n, _): &&(Vec<u8>, Vec<u8>)| n.eq_ignore_ascii_case(name.as_bytes());
        self.parameters.iter().find(named).map(|(_, value)| value.as_slice())
    }

    /// `text/plain`, what an entity is that says nothing or nothing sensible (RFC 2045 §5.2).
    pub(super) fn text_plain() -> Self {
        let charset = (b"charset".to_vec(), b"us-ascii".to_vec());
        Self { kind: b"text".to_vec(), subtype: Some(b"plain".to_vec()), parameters: vec![charset] }
    }

    /// `message/rfc822`, the default inside multipart/digest (RFC 2046 §5.1.5).
    pub(super) fn message_rfc822() -> Self {
        let subtype = Some(b"rfc822".to_vec());
        Self { kind: b"message".to_vec(), subtype, parameters: Vec::new() }
    }
}

/// What is left to read of a value on one line.
struct Rest<'a>(&'a [u8]);

impl<'a> Rest<'a> {
    /// Takes everything before the first of `stops`.
    fn until(&mut self, stops: &[u8]) -> &'a [u8] {
        let at = self.0.iter().position(|byte| stops.contains(byte)).unwrap_or(self.0.len());
        let (head, rest) = self.0.split_at(at);
        self.0 = rest;
        head
    }

    fn skip(&mut self, byte: u8) -> bool {
        match self.0.split_first() {
            Some((first, rest)) if *first == byte => {
                self.0 = rest;
                true
            }
            _ => false,
        }
    }

    fn skip_past_semicolon(&mut self) {
        self.until(b";");
        self.skip(b';');
    }

    /// A quoted string without its quoting, or everything up to the next semicolon or comment: many
    /// senders forget the quotes around a value with spaces.
    fn parameter_value(&mut self) -> Vec<u8> {
        self.0 = self.0.trim_ascii_start();
        if !self.skip(b'"') {
            return self.until(b";(").trim_ascii_end().to_vec();
        }
        let mut value = Vec::new();
        while let Some((&byte, rest)) = self.0.split_first() {
            self.0 = rest;
            match (byte, rest.split_first()) {
                (b'"', _) => break,
                (b'\\', Some((&escaped, after))) => {
                    value.push(escaped);
                    self.0 = after;
                }
                _ => value.push(byte),
            }
        }
        value
    }
}

fn until<'a>(value: &'a [u8], stops: &[u8]) -> &'a [u8] {
    Rest(value).until(stops).trim_ascii()
}

fn token(raw: &[u8]) -> Vec<u8> {
    raw.trim_ascii().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parameters(value: &[u8]) -> Vec<(String, String)> {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        let value = Value::read(value).unwrap();
        value.parameters.into_iter().map(|(n, v)| (text(n), text(v))).collect()
    }

    fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
        expected.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect()
    }

    #[test]
    fn types_and_parameters() {
        let value =
            Value::read(b" Text/Plain ; charset=us-ascii (plain); x = \"a;\\\"b\"\r\n").unwrap();
        assert!(value.is("text", "plain") && value.is_kind("TEXT"));
        assert_eq!(value.parameter("CHARSET"), Some(&b"us-ascii"[..]));
        assert_eq!(value.parameter("x"), Some(&b"a;\"b"[..]));
        assert_eq!(value.parameter("y"), None);
    }

    #[test]
    fn rfc_2231_parameters_stay_as_written() {
        // RFC 2231 §4.1
        let value =
            b"application/x-stuff;\r\n title*0*=us-ascii'en'This%20is%20even%20more%20;\r\n\
            \ttitle*1*=%2A%2A%2Afun%2A%2A%2A%20;\r\n title*2=\"isn't it!\"";
        assert_eq!(
            parameters(value),
            pairs(&[
                ("title*0*", "us-ascii'en'This%20is%20even%20more%20"),
                ("title*1*", "%2A%2A%2Afun%2A%2A%2A%20"),
                ("title*2", "isn't it!"),
            ])
        );
    }

    #[test]
    fn broken_values_give_what_they_can() {
        assert_eq!(parameters(b"a/b; name=my file.pdf; x"), pairs(&[("name", "my file.pdf")]));
        assert_eq!(parameters(b"a/b; name=\"open"), pairs(&[("name", "open")]));
        assert_eq!(parameters(b"a/b;;; =x; y="), pairs(&[("y", "")]));
        assert_eq!(Value::read(b"").unwrap(), Value::default());
        assert_eq!(Value::read(b"text").unwrap().subtype, None);
        assert_eq!(Value::read(b"text/").unwrap().subtype, None);
    }

    #[test]
    fn parameters_are_bounded() {
        let value = |count: usize| format!("a/b{}", ";x=y".repeat(count));
        assert_eq!(Value::read(value(128).as_bytes()).unwrap().parameters.len(), 128);
        assert_eq!(Value::read(value(129).as_bytes()), Err(Bound::Parameters));
    }

    #[test]
    fn transfer_encodings() {
        let fields =
            |value: &'static [u8]| MimeFields { encoding: Some(value), ..Default::default() };
        assert_eq!(fields(b" BASE64 (really)\r\n").encoding(), Encoding::Base64);
        assert_eq!(fields(b"\r\n quoted-printable\r\n").encoding(), Encoding::QuotedPrintable);
        assert_eq!(fields(b" 8Bit").encoding(), Encoding::Identity);
        assert_eq!(fields(b" \r\n").encoding(), Encoding::Identity);
        assert_eq!(fields(b" x-uuencode").encoding(), Encoding::Unknown);
        assert_eq!(MimeFields::default().encoding(), Encoding::Identity);
    }
}
