//! One HTML body taken out of its encodings, and put back in UTF-8.

use base64::Engine as _;
use mail_builder::headers::content_type::ContentType;
use mail_builder::mime::{BodyPart, MimePart};
use mail_parser::{Charset, strip_charset_meta};

use super::compose::with_crlf;
use super::content::{Encoding, Value};
use super::entity::Entity;
use super::field::field;
use super::headers::{block_len, fields, find};

/// The text of a body, if every octet of it is accounted for.
pub(super) fn decode_html(raw: &[u8], entity: &Entity<'_>) -> Option<String> {
    let body = raw.get(entity.part.body()).filter(|body| !body.is_empty())?;
    let encoding = match entity.fields.encoding() {
        Encoding::Identity => mail_parser::Encoding::None,
        Encoding::QuotedPrintable => mail_parser::Encoding::QuotedPrintable,
        Encoding::Base64 => mail_parser::Encoding::Base64,
        Encoding::Unknown => return None,
    };
    let charset = match entity.content.parameter("charset") {
        Some(label) => Charset::from_label(label)?,
        None => Charset::default(),
    };
    let (octets, malformed) = encoding.decode_checked(body);
    let (text, unmappable) = charset.decode_checked(&octets);
    (!malformed && !unmappable).then(|| text.into_owned())
}

/// The entity with `html` as its body: header block and body.
pub(super) fn write_html(raw: &[u8], entity: &Entity<'_>, html: &str) -> Option<Vec<u8>> {
    let html = with_crlf(&strip_charset_meta(html));
    let mut part = Vec::new();
    let leaf = MimePart::new(ContentType::new("text/html"), BodyPart::Text(html.as_str().into()));
    leaf.write_part(&mut part);
    let mut body = part.split_off(block_len(&part));
    let mut encoding = find(&part, "Content-Transfer-Encoding")?.text().into_owned();
    if body.starts_with(b"--") || memchr::memmem::find(&body, b"\n--").is_some() {
        // A line of the text could be a delimiter; no line of base64 can.
        encoding = b"base64".to_vec();
        body = encode_base64(&html);
    }
    if entity.part.start == 0 && !body.ends_with(b"\r\n") {
        body.extend_from_slice(b"\r\n");
    }
    let block = raw.get(entity.part.header())?;
    let mut written = write_header(block, &entity.content, std::str::from_utf8(&encoding).ok()?)?;
    written.append(&mut body);
    Some(written)
}

/// The header block with another charset and transfer encoding, everything else as it is.
fn write_header(block: &[u8], content: &Value, encoding: &str) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(block.len() + 64);
    let mut copied = 0;
    let mut described = false;
    for old in fields(block) {
        let is_type = old.is("Content-Type");
        if !is_type && !old.is("Content-Transfer-Encoding") {
            continue;
        }
        out.extend_from_slice(block.get(copied..old.start)?);
        copied = old.start + old.raw.len();
        if is_type && !described {
            described = true;
            let content_type = field("Content-Type", &content_type(content)).ok()?;
            out.extend_from_slice(content_type.as_bytes());
            let encoding = field("Content-Transfer-Encoding", encoding).ok()?;
            out.extend_from_slice(encoding.as_bytes());
        }
    }
    out.extend_from_slice(block.get(copied..)?);
    described.then_some(out)
}

/// `text/html` in UTF-8 with the parameters that it had besides.
fn content_type(content: &Value) -> String {
    let mut value = String::from("text/html; charset=utf-8");
    for (name, text) in &content.parameters {
        if name.eq_ignore_ascii_case(b"charset") {
            continue;
        }
        let text = String::from_utf8_lossy(text);
        value.push_str("; ");
        value.push_str(&String::from_utf8_lossy(name));
        // Quoted unless a token (RFC 2045 §5.1): RFC 2231 values must not be quoted, and are tokens.
        let is_token = |c: char| c.is_ascii_graphic() && !"()<>@,;:\\\"/[]?=".contains(c);
        if !text.is_empty() && text.chars().all(is_token) {
            value.push('=');
            value.push_str(&text);
        } else {
            let quoted = text.replace('\\', "\\\\").replace('"', "\\\"");
            value.push_str("=\"");
            value.push_str(&quoted);
            value.push('"');
        }
    }
    value
}

fn encode_base64(text: &str) -> Vec<u8> {
    let characters = base64::engine::general_purpose::STANDARD.encode(text);
    let lines: Vec<_> = characters.as_bytes().chunks(76).collect();
    lines.join(&b"\r\n"[..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_besides_the_charset_stay() {
        let value = b"text/HTML; a=\"b c\"; charset=x; name*=utf-8''%C3%BC; d=\"\\\"\"; e=\"\"";
        let expected =
            "text/html; charset=utf-8; a=\"b c\"; name*=utf-8''%C3%BC; d=\"\\\"\"; e=\"\"";
        assert_eq!(content_type(&Value::read(value).unwrap()), expected);
    }

    #[test]
    fn the_other_fields_stay_octet_for_octet() {
        let block = b"A: 1\r\n\tfold\r\nnot a field\r\ncontent-transfer-encoding: 7bit\r\n\
            Content-Type: text/html\r\ncontent-type: text/plain\r\nB:2\r\n\r\n";
        let content = Value::read(b"text/html").unwrap();
        let expected = "A: 1\r\n\tfold\r\nnot a field\r\nContent-Type: text/html; charset=utf-8\r\n\
            Content-Transfer-Encoding: base64\r\nB:2\r\n\r\n";
        assert_eq!(write_header(block, &content, "base64").unwrap(), expected.as_bytes());
        assert_eq!(write_header(b"A: 1\r\n\r\n", &content, "base64"), None);
    }
}
