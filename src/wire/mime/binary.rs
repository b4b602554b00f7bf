//! Binary parts as lines: what a server without BINARYMIME can be given (RFC 3030 §3).

use std::ops::Range;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::headers::fields;
use super::parse::parse;
use super::part::{Part, PartKind};

/// Octets of a base64 line, an encoded line of 76 characters (RFC 2045 §6.8).
const LINE: usize = 57;

/// `raw` with every part of the transfer encoding `binary` encoded as base64 instead; what holds
/// such parts is then `8bit`. `None` where the parts cannot be told apart, so that it must not go.
pub fn encode_binary(raw: &[u8]) -> Option<Vec<u8>> {
    let form = parse(raw);
    if form.opaque.is_some() {
        return None;
    }
    let mut edits = Vec::new();
    for part in form.parts.as_slice() {
        edit(raw, part, &mut edits);
    }
    Some(apply(raw, edits))
}

type Edit = (Range<usize>, Vec<u8>);

/// Parts come in the order of the octets, a part's header before its body: so do the edits.
fn edit(raw: &[u8], part: &Part, edits: &mut Vec<Edit>) {
    let Some(header) = raw.get(part.header()) else { return };
    let encoding = fields(header).find(|field| field.is("Content-Transfer-Encoding"));
    let Some(encoding) = encoding.filter(|f| f.text().eq_ignore_ascii_case(b"binary")) else {
        return;
    };
    let start = part.start + encoding.start;
    let is_leaf = part.kind == PartKind::Leaf;
    let word = if is_leaf { "base64" } else { "8bit" };
    let field = format!("Content-Transfer-Encoding: {word}\r\n").into_bytes();
    edits.push((start..start + encoding.raw.len(), field));
    if is_leaf && let Some(body) = raw.get(part.body()) {
        let lines: Vec<String> = body.chunks(LINE).map(|line| STANDARD.encode(line)).collect();
        edits.push((part.body(), lines.join("\r\n").into_bytes()));
    }
}

fn apply(raw: &[u8], edits: Vec<Edit>) -> Vec<u8> {
    let mut out = Vec::with_capacity(raw.len() + raw.len() / 2);
    let mut at = 0;
    for (range, text) in edits {
        out.extend_from_slice(raw.get(at..range.start).unwrap_or_default());
        out.extend_from_slice(&text);
        at = range.end;
    }
    out.extend_from_slice(raw.get(at..).unwrap_or_default());
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoded(raw: &str) -> String {
        String::from_utf8(encode_binary(raw.as_bytes()).unwrap()).unwrap()
    }

    #[test]
    fn binary_parts_become_base64_and_the_rest_stays() {
        let raw = "From: a@b.c\r\nMIME-Version: 1.0\r\nContent-Transfer-Encoding: binary\r\n\
            Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nplain\r\n--b\r\n\
            Content-Type: image/x\r\ncontent-transfer-encoding: BINARY\r\n\r\na\nb\0c\r\n--b--\r\n";
        let expected = "From: a@b.c\r\nMIME-Version: 1.0\r\nContent-Transfer-Encoding: 8bit\r\n\
            Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nplain\r\n--b\r\n\
            Content-Type: image/x\r\nContent-Transfer-Encoding: base64\r\n\r\nYQpiAGM=\r\n--b--\r\n";
        assert_eq!(encoded(raw), expected);
        assert_eq!(encoded(expected), expected);
    }

    #[test]
    fn a_message_that_is_one_part_too() {
        let raw = format!("Content-Transfer-Encoding: binary\r\n\r\n{}", "\0".repeat(58));
        let text = encoded(&raw);
        assert!(text.ends_with(&format!("base64\r\n\r\n{}\r\nAA==", "A".repeat(76))), "{text}");
    }

    #[test]
    fn what_cannot_be_told_apart_is_left_alone() {
        let deep: String = (0..200)
            .map(|n| format!("Content-Type: multipart/mixed; boundary=b{n}\r\n\r\n--b{n}\r\n"))
            .collect();
        assert_eq!(encode_binary(deep.as_bytes()), None);
    }
}
