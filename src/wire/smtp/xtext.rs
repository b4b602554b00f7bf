//! xtext, the armour of values inside ESMTP parameters (RFC 3461 §4).
//!
//! ```abnf
//! xtext   = *( xchar / hexchar )
//! xchar   = any ASCII CHAR between "!" (33) and "~" (126) inclusive, except for "+" and "="
//! hexchar = "+" 2(%x30-39 / %x41-46)
//! ```

/// Decodes xtext to printable ASCII, or `None` where the text is no xtext or hides anything else.
///
/// xtext can spell every octet. What it carries here ends up in the fields of a report, so a line
/// break or a NUL in it would be an injected field; only space to `~` is let through, which is all
/// that RFC 3461 §4.2 and §4.4 allow. `=` is accepted bare, as senders write it.
pub fn decode(text: &str) -> Option<String> {
    let mut out = String::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        let byte = match byte {
            b'+' => hex(bytes.next()?)? << 4 | hex(bytes.next()?)?,
            b'!'..=b'~' => byte,
            _ => return None,
        };
        if !matches!(byte, b' '..=b'~') {
            return None;
        }
        out.push(char::from(byte));
    }
    Some(out)
}

/// Encodes `text`, octet by octet where it must be.
pub fn encode(text: &str) -> String {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    let digit = |nibble: u8| HEX.get(usize::from(nibble)).copied().map_or('0', char::from);
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if matches!(byte, b'!'..=b'~') && byte != b'+' && byte != b'=' {
            out.push(char::from(byte));
        } else {
            out.extend(['+', digit(byte >> 4), digit(byte & 15)]);
        }
    }
    out
}

/// The value of one hexadecimal digit; lower case is let through.
fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn decodes_what_rfc_3461_shows() {
        // RFC 3461 §10.1
        assert_eq!(decode("QQ314159").as_deref(), Some("QQ314159"));
        assert_eq!(decode("Bob+2Bx@Example.COM").as_deref(), Some("Bob+x@Example.COM"));
        assert_eq!(decode("a+20b+3dc").as_deref(), Some("a b=c"));
    }

    #[test]
    fn refuses_bad_escapes_and_hidden_controls() {
        for bad in ["+", "+4", "+4G", "+G4", "a b", "a\tb", "+0D+0A", "+00", "+7F", "+E9", "é"] {
            assert_eq!(decode(bad), None, "{bad:?}");
        }
    }

    proptest! {
        #[test]
        fn decode_undoes_encode(text in "[ -~]{0,100}") {
            let encoded = encode(&text);
            prop_assert!(encoded.bytes().all(|b| b.is_ascii_graphic() && b != b'='));
            prop_assert_eq!(decode(&encoded), Some(text));
        }
    }
}
