//! BODY and BODYSTRUCTURE (RFC 3501 §7.4.2), ready to send.

use memchr::memchr_iter;

use super::bound::{Bound, MAX_STRUCTURE};
use super::entity::Entity;
use super::envelope::{encode_envelope, encode_octets, encode_value};
use super::headers::unfold;
use super::origin::Origin;
use super::part::PartKind;

/// Encodes the structure of a message: BODYSTRUCTURE with extension data when `extended`, else BODY.
///
/// ```abnf
/// body = "(" (body-type-1part / body-type-mpart) ")"
/// ```
pub(super) fn encode_structure(
    raw: &[u8],
    entities: &[Entity<'_>],
    extended: bool,
) -> Result<Vec<u8>, Bound> {
    let mut encoder = Encoder { raw, entities, extended, out: Vec::new() };
    encoder.body(0)?;
    Ok(encoder.out)
}

struct Encoder<'a> {
    raw: &'a [u8],
    entities: &'a [Entity<'a>],
    extended: bool,
    out: Vec<u8>,
}

impl Encoder<'_> {
    /// Appends the entity at `at`. The depth of calls is the depth of the message, which is bounded.
    fn body(&mut self, at: usize) -> Result<(), Bound> {
        let Some(entity) = self.entities.get(at) else { return Ok(()) };
        self.out.push(b'(');
        if entity.part.kind == PartKind::Multipart {
            self.multipart(at, entity)?;
        } else {
            self.single_part(at, entity)?;
        }
        self.out.push(b')');
        self.check()
    }

    fn check(&self) -> Result<(), Bound> {
        if self.out.len() > MAX_STRUCTURE { Err(Bound::Structure) } else { Ok(()) }
    }

    /// ```abnf
    /// body-type-mpart = 1*body SP media-subtype [SP body-ext-mpart]
    /// body-ext-mpart  = body-fld-param [SP body-fld-dsp [SP body-fld-lang [SP body-fld-loc]]]
    /// ```
    fn multipart(&mut self, at: usize, entity: &Entity<'_>) -> Result<(), Bound> {
        let end = at + entity.part.span;
        let mut child = at + 1;
        while child < end {
            self.body(child)?;
            child += self.entities.get(child).map_or(1, |entity| entity.part.span);
        }
        self.space();
        self.string(entity.content.subtype.as_deref().unwrap_or(b"mixed"));
        if self.extended {
            self.space();
            self.parameters(&entity.content.parameters);
            self.disposition_language_location(entity);
        }
        Ok(())
    }

    /// ```abnf
    /// body-type-1part = (body-type-basic / body-type-msg / body-type-text) [SP body-ext-1part]
    /// body-fields     = body-fld-param SP body-fld-id SP body-fld-desc SP body-fld-enc SP
    ///                   body-fld-octets
    /// ```
    fn single_part(&mut self, at: usize, entity: &Entity<'_>) -> Result<(), Bound> {
        let body = self.raw.get(entity.part.body()).unwrap_or_default();
        let (content, fields) = (&entity.content, &entity.fields);
        self.string(&content.kind);
        self.space();
        self.string(content.subtype.as_deref().unwrap_or_default());
        self.space();
        self.parameters(&content.parameters);
        self.nstring(fields.id);
        self.nstring(fields.description);
        self.space();
        self.string(fields.encoding_name().as_deref().unwrap_or(b"7bit"));
        self.number(body.len());
        if content.is("message", "rfc822") {
            self.nested(at, entity)?;
        }
        if content.is("message", "rfc822") || content.is_kind("text") {
            self.number(memchr_iter(b'\n', body).count());
        }
        if self.extended {
            self.nstring(fields.md5);
            self.disposition_language_location(entity);
        }
        Ok(())
    }

    /// Envelope and structure of the message inside. One that cannot be looked into, because it is
    /// transfer-encoded (which RFC 2046 §5.2.1 forbids), shows an empty text instead.
    fn nested(&mut self, at: usize, entity: &Entity<'_>) -> Result<(), Bound> {
        let inner = self.entities.get(at + 1).filter(|_| entity.part.kind == PartKind::Message);
        let block = inner.and_then(|inner| self.raw.get(inner.part.header())).unwrap_or_default();
        self.space();
        encode_envelope(&mut self.out, &Origin::read(block));
        self.check()?;
        self.space();
        if inner.is_some() {
            return self.body(at + 1);
        }
        self.out.extend_from_slice(b"(\"text\" \"plain\" NIL NIL NIL \"7bit\" 0 0");
        self.out.extend_from_slice(if self.extended { b" NIL NIL NIL NIL)" } else { b")" });
        Ok(())
    }

    /// ```abnf
    /// body-fld-dsp  = "(" string SP body-fld-param ")" / nil
    /// body-fld-lang = nstring / "(" string *(SP string) ")"
    /// ```
    fn disposition_language_location(&mut self, entity: &Entity<'_>) {
        self.space();
        match &entity.disposition {
            Some(disposition) => {
                self.out.push(b'(');
                self.string(&disposition.kind);
                self.space();
                self.parameters(&disposition.parameters);
                self.out.push(b')');
            }
            None => self.out.extend_from_slice(b"NIL"),
        }
        self.space();
        let languages = entity.fields.language.map(unfold).unwrap_or_default();
        let is_tag = |tag: &&[u8]| !tag.is_empty();
        let tags = languages.split(|&byte| byte == b',').map(<[u8]>::trim_ascii).filter(is_tag);
        self.list(tags, Self::string);
        self.nstring(entity.fields.location);
    }

    /// ```abnf
    /// body-fld-param = "(" string SP string *(SP string SP string) ")" / nil
    /// ```
    fn parameters(&mut self, parameters: &[(Vec<u8>, Vec<u8>)]) {
        self.list(parameters.iter(), |encoder, (name, value)| {
            encoder.string(name);
            encoder.space();
            encoder.string(value);
        });
    }

    /// A list in parentheses; NIL when there is nothing to list.
    fn list<T>(&mut self, items: impl Iterator<Item = T>, mut encode: impl FnMut(&mut Self, T)) {
        let mut any = false;
        for item in items {
            self.out.push(if any { b' ' } else { b'(' });
            any = true;
            encode(self, item);
        }
        self.out.extend_from_slice(if any { b")" } else { b"NIL" });
    }

    fn space(&mut self) {
        self.out.push(b' ');
    }

    fn string(&mut self, bytes: &[u8]) {
        encode_octets(&mut self.out, bytes);
    }

    fn nstring(&mut self, value: Option<&[u8]>) {
        self.space();
        encode_value(&mut self.out, value);
    }

    fn number(&mut self, number: usize) {
        self.space();
        self.out.extend_from_slice(number.to_string().as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::super::parse;
    use super::super::testing::fixture;

    fn structures(raw: &[u8]) -> (String, String) {
        let form = parse(raw);
        let text = |octets| String::from_utf8(octets).unwrap();
        (text(form.body), text(form.body_structure))
    }

    #[test]
    fn the_text_part_of_rfc_3501() {
        // RFC 3501 §8: the Content-Type there and the BODY given for it, 3028 octets in 92 lines.
        let line = "x".repeat(31) + "\r\n";
        let body = line.repeat(91) + &"x".repeat(3026 - 91 * 33) + "\r\n";
        let raw = format!("Content-Type: TEXT/PLAIN; CHARSET=US-ASCII\r\n\r\n{body}");
        let (short, long) = structures(raw.as_bytes());
        let expected = "(\"TEXT\" \"PLAIN\" (\"CHARSET\" \"US-ASCII\") NIL NIL \"7bit\" 3028 92";
        assert_eq!(short, format!("{expected})"));
        assert_eq!(long, format!("{expected} NIL NIL NIL NIL)"));
    }

    #[test]
    fn multiparts_with_every_field() {
        let (short, long) = structures(fixture("mixed"));
        let text = "(\"text\" \"plain\" (\"charset\" \"utf-8\") NIL NIL \"quoted-printable\" 30 1";
        let html = "(\"text\" \"html\" (\"charset\" \"utf-8\") NIL NIL \"7bit\" 23 0";
        let dot = "(\"image\" \"png\" (\"name\" \"dot.png\") \"<dot@example.org>\" \"a dot\" \
            \"base64\" 1752";
        assert_eq!(short, format!("(({text}){html}) \"alternative\"){dot}) \"mixed\")"));
        let expected = format!(
            "(({text} NIL NIL NIL NIL){html} NIL NIL NIL NIL) \"alternative\" \
            (\"boundary\" \"inner\") NIL NIL NIL){dot} \"Q2hlY2sgSW50ZWdyaXR5IQ==\" \
            (\"inline\" (\"filename\" \"dot.png\")) (\"en\" \"de\") \"http://example.org/dot.png\") \
            \"mixed\" (\"boundary\" \"outer\") NIL NIL NIL)"
        );
        assert_eq!(long, expected);
    }

    #[test]
    fn messages_inside_show_their_envelope_structure_and_lines() {
        let (short, _) = structures(fixture("nested-message"));
        let inner = "((NIL NIL \"inner\" \"c.example\"))";
        let expected = format!(
            "((\"text\" \"plain\" NIL NIL NIL \"7bit\" 9 0)\
            (\"message\" \"rfc822\" NIL NIL NIL \"7bit\" 203 \
            (NIL \"inner\" {inner} {inner} {inner} NIL NIL NIL NIL NIL) \
            ((\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\" 10 0)\
            (\"application\" \"pdf\" (\"name\" \"a.pdf\") NIL NIL \"base64\" 8) \"mixed\") 12)\
            (\"message\" \"rfc822\" NIL NIL NIL \"7bit\" 30 \
            (NIL \"single\" NIL NIL NIL NIL NIL NIL NIL NIL) \
            (\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\" 11 0) 2) \"mixed\")"
        );
        assert_eq!(short, expected);
    }

    #[test]
    fn a_message_in_base64_is_a_message_that_cannot_be_looked_into() {
        let (short, _) = structures(fixture("encoded-message"));
        let expected = "((\"message\" \"rfc822\" NIL NIL NIL \"base64\" 36 \
            (NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL) (\"text\" \"plain\" NIL NIL NIL \"7bit\" 0 0) 0) \
            \"mixed\")";
        assert_eq!(short, expected);
    }

    #[test]
    fn parameters_in_rfc_2231_form_are_left_to_the_client() {
        let (_, long) = structures(fixture("rfc2231"));
        assert!(long.contains("(\"attachment\" (\"filename*\" \"utf-8''%E5%B1%B1.pdf\"))"));
        assert!(long.contains("\"name*0*\" \"utf-8''J%C3%BC\" \"name*1*\" \"rgen\" \"name*2\""));
    }
}
