//! The relaxed canonical forms of DKIM (RFC 6376 §3.4) and the records that publish its keys
//! (RFC 6376 §3.6.1).

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Appends the relaxed form of one header field (RFC 6376 §3.4.2), its CRLF included. `value` is
/// everything after the colon, folds and the last line break too.
pub fn relaxed_field(name: &str, value: &[u8], out: &mut Vec<u8>) {
    out.extend(name.bytes().map(|byte| byte.to_ascii_lowercase()));
    out.push(b':');
    let mut words = value.split(|byte| b" \t\r\n".contains(byte)).filter(|word| !word.is_empty());
    out.extend_from_slice(words.next().unwrap_or_default());
    for word in words {
        out.push(b' ');
        out.extend_from_slice(word);
    }
    out.extend_from_slice(b"\r\n");
}

/// Gives the relaxed form of a body (RFC 6376 §3.4.4) to `sink`, piece by piece. Only CRLF ends a
/// line.
pub fn relaxed_body(body: &[u8], mut sink: impl FnMut(&[u8])) {
    let mut empty_lines = 0_usize;
    for line in lines(body) {
        if line.iter().all(|byte| is_wsp(*byte)) {
            empty_lines += 1;
            continue;
        }
        // Empty lines count only once it is known that they do not end the body.
        for _ in 0..std::mem::take(&mut empty_lines) {
            sink(b"\r\n");
        }
        for (index, word) in line.split(|byte| is_wsp(*byte)).enumerate() {
            if !word.is_empty() {
                if index > 0 {
                    sink(b" ");
                }
                sink(word);
            }
        }
        sink(b"\r\n");
    }
}

fn is_wsp(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

/// The lines of `body` without their CRLF; what follows the last CRLF is a line too.
fn lines(body: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = Some(body);
    std::iter::from_fn(move || {
        let text = rest?;
        let end = memchr::memchr_iter(b'\n', text)
            .find(|at| at.checked_sub(1).and_then(|before| text.get(before)) == Some(&b'\r'));
        rest = end.and_then(|at| text.get(at + 1..));
        text.get(..end.map_or(text.len(), |at| at - 1))
    })
}

/// The text of the record that publishes a key; `kind` is `rsa` or `ed25519` (RFC 8463 §3),
/// `public_key` what the `p=` tag carries, decoded.
pub fn key_record(kind: &str, public_key: &[u8]) -> String {
    let mut text = format!("v=DKIM1; k={kind}; p=");
    STANDARD.encode_string(public_key, &mut text);
    text
}

/// The value of one tag of a tag list (RFC 6376 §3.2), without the white space in it. Of a tag that
/// stands twice, which no list may have, the first.
pub fn tag(list: &str, name: &str) -> Option<String> {
    list.split(';').find_map(|part| {
        let (key, value) = part.split_once('=')?;
        (key.trim() == name).then(|| value.split_ascii_whitespace().collect())
    })
}

/// A TXT value as zone files have it (RFC 1035 §5.1): quoted strings of at most 255 octets, for a
/// reader joins them again.
pub fn txt_strings(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    for (index, string) in text.as_bytes().chunks(255).enumerate() {
        out.push_str(if index == 0 { "\"" } else { " \"" });
        for &byte in string {
            match byte {
                b'"' | b'\\' => out.extend(['\\', char::from(byte)]),
                b' '..=b'~' => out.push(char::from(byte)),
                // Writing to a String cannot fail.
                _ => _ = write!(out, "\\{byte:03}"),
            }
        }
        out.push('"');
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn body(text: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        relaxed_body(text, |piece| out.extend_from_slice(piece));
        out
    }

    /// RFC 6376 §3.4.5, example 1.
    #[test]
    fn the_example_of_the_rfc() {
        let mut out = Vec::new();
        relaxed_field("A", b" X\r\n", &mut out);
        relaxed_field("B", b" Y\t\r\n\tZ  \r\n", &mut out);
        assert_eq!(out, b"a:X\r\nb:Y Z\r\n");
        assert_eq!(body(b" C \r\nD \t E\r\n\r\n\r\n"), b" C\r\nD E\r\n");
    }

    #[test]
    fn bodies_end_in_one_line_break_or_are_empty() {
        for (from, to) in [
            (&b""[..], &b""[..]),
            (b"\r\n\r\n", b""),
            (b" \t\r\n", b""),
            (b"a", b"a\r\n"),
            (b"a\r\n", b"a\r\n"),
            (b"\r\n\r\na\r\n \r\nb", b"\r\n\r\na\r\n\r\nb\r\n"),
            (b"a\nb\r c\r\n", b"a\nb\r c\r\n"),
            (b"\n", b"\n\r\n"),
        ] {
            assert_eq!(body(from), to, "{from:?}");
        }
    }

    #[test]
    fn long_texts_are_cut_for_zone_files() {
        let cut = txt_strings(&"x".repeat(300));
        assert_eq!(cut, format!("\"{}\" \"{}\"", "x".repeat(255), "x".repeat(45)));
        assert_eq!(txt_strings("v=spf1 \"\\é"), r#""v=spf1 \"\\\195\169""#);
    }

    #[test]
    fn tags_are_found_by_name() {
        let list = "v=DKIM1; k = rsa;p=AB\r\n CD=; n=x=y";
        assert_eq!(tag(list, "k").unwrap(), "rsa");
        assert_eq!(tag(list, "p").unwrap(), "ABCD=");
        assert_eq!(tag(list, "n").unwrap(), "x=y");
        assert_eq!(tag(list, "s"), None);
        assert_eq!(key_record("ed25519", &[0; 3]), "v=DKIM1; k=ed25519; p=AAAA");
    }

    proptest! {
        #[test]
        fn canonical_bodies_are_canonical(text in "([a ]|\t|\r\n|\n){0,40}") {
            let once = body(text.as_bytes());
            prop_assert_eq!(&body(&once), &once);
        }
    }
}
