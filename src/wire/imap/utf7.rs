//! Modified UTF-7, the old spelling of mailbox names (RFC 3501 §5.1.3).
//!
//! Printable ASCII stands for itself, `&-` for `&`, and everything else is UTF-16BE in base64 with
//! `,` for `/`, between `&` and `-`.

use base64::Engine;
use base64::alphabet::IMAP_MUTF7;
use base64::engine::general_purpose::{GeneralPurpose, NO_PAD};

const BASE64: GeneralPurpose = GeneralPurpose::new(&IMAP_MUTF7, NO_PAD);

/// Spells `name` in modified UTF-7.
pub fn encode(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    let mut shifted = Vec::new();
    for c in name.chars() {
        if matches!(c, ' '..='~') {
            flush(&mut shifted, &mut out);
            out.push(c);
            if c == '&' {
                out.push('-');
            }
        } else {
            let mut units = [0; 2];
            shifted.extend(c.encode_utf16(&mut units).iter().flat_map(|unit| unit.to_be_bytes()));
        }
    }
    flush(&mut shifted, &mut out);
    out
}

/// Ends a run of base64, if there is one.
fn flush(shifted: &mut Vec<u8>, out: &mut String) {
    if !shifted.is_empty() {
        out.push('&');
        BASE64.encode_string(&*shifted, out);
        out.push('-');
        shifted.clear();
    }
}

/// Reads modified UTF-7. Only the one spelling that [`encode`] writes is accepted: RFC 3501 §5.1.3
/// forbids the others (printable ASCII in base64, adjoining shifts), and two spellings of one name
/// would be two keys.
pub fn decode(bytes: &[u8]) -> Option<String> {
    let mut rest = str::from_utf8(bytes).ok()?;
    let mut out = String::with_capacity(rest.len());
    while let Some((plain, shifted)) = rest.split_once('&') {
        out.push_str(plain);
        let (base64, after) = shifted.split_once('-')?;
        if base64.is_empty() {
            out.push('&');
        } else {
            decode_run(base64, &mut out)?;
        }
        rest = after;
    }
    out.push_str(rest);
    (encode(&out).as_bytes() == bytes).then_some(out)
}

/// One run of base64, without its `&` and `-`.
fn decode_run(base64: &str, out: &mut String) -> Option<()> {
    let bytes = BASE64.decode(base64).ok()?;
    let (units, []) = bytes.as_chunks::<2>() else { return None };
    for c in char::decode_utf16(units.iter().map(|&unit| u16::from_be_bytes(unit))) {
        out.push(c.ok()?);
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_examples_of_rfc_3501_section_5_1_3() {
        let name = "~peter/mail/台北/日本語";
        assert_eq!(encode(name), "~peter/mail/&U,BTFw-/&ZeVnLIqe-");
        assert_eq!(decode(b"~peter/mail/&U,BTFw-/&ZeVnLIqe-").unwrap(), name);
        // "The string "&Jjo!" is not in canonical form, neither is "&U,BTFw-&ZeVnLIqe-"."
        assert_eq!(decode(b"&Jjo!"), None);
        assert_eq!(decode(b"&U,BTFw-&ZeVnLIqe-"), None);
        assert_eq!(decode(b"&Jjo-!").unwrap(), "☺!");
        assert_eq!(decode(b"&U,BTF2XlZyyKng-").unwrap(), "台北日本語");
        assert_eq!((encode("Q&A").as_str(), decode(b"Q&-A").unwrap().as_str()), ("Q&-A", "Q&A"));
    }

    #[test]
    fn other_spellings_are_refused() {
        let bad = [
            &b"&"[..],
            b"&Jjo",
            b"&AGE-",
            b"&JjoA-",
            b"&Jjp-",
            b"&2D0-",
            b"&U-",
            b"a&b",
            b"\xc3\xa9",
            b"&U/BTFw-",
            b"&Jjo=-",
            b"\t",
            b"&-&-&",
        ];
        for bytes in bad {
            assert_eq!(decode(bytes), None, "{:?}", bytes.escape_ascii().to_string());
        }
    }

    proptest! {
        #[test]
        fn decode_of_encode(name in any::<String>()) {
            let text = encode(&name);
            prop_assert!(text.bytes().all(|byte| matches!(byte, b' '..=b'~')));
            prop_assert_eq!(decode(text.as_bytes()).unwrap(), name);
        }

        #[test]
        fn any_bytes_are_refused_or_canonical(bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
            if let Some(name) = decode(&bytes) {
                prop_assert_eq!(encode(&name).into_bytes(), bytes);
            }
        }

        #[test]
        fn likely_bytes_are_refused_or_canonical(text in "[&A-Ja-j,+-]{0,20}") {
            if let Some(name) = decode(text.as_bytes()) {
                prop_assert_eq!(encode(&name), text);
            }
        }
    }
}
