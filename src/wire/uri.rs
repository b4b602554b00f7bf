//! URLs in the one form that every header field carries.

/// A URL with everything but printable ASCII percent-encoded (RFC 3987 §3.1),
/// spaces and line breaks too. What is encoded already stays.
pub fn to_ascii(url: &str) -> String {
    let mut out = String::with_capacity(url.len());
    for byte in url.bytes() {
        if byte.is_ascii_graphic() {
            out.push(char::from(byte));
        } else {
            out.push('%');
            out.push(hex(byte >> 4));
            out.push(hex(byte & 15));
        }
    }
    out
}

fn hex(digit: u8) -> char {
    char::from_digit(u32::from(digit), 16).unwrap_or('0').to_ascii_uppercase()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_url_becomes_ascii_and_nothing_else_changes() {
        assert_eq!(to_ascii("https://a.test/p?q=%20&x=1#f"), "https://a.test/p?q=%20&x=1#f");
        assert_eq!(to_ascii("https://a.test/ü"), "https://a.test/%C3%BC");
        assert_eq!(to_ascii("https://a.test/\r\nX: y"), "https://a.test/%0D%0AX:%20y");
    }

    proptest! {
        #[test]
        fn the_result_is_one_word_of_ascii(url in "\\PC*|[\\x00-\\x20]*") {
            let once = to_ascii(&url);
            prop_assert!(once.bytes().all(|b| b.is_ascii_graphic()));
            prop_assert_eq!(to_ascii(&once), once);
        }
    }
}
