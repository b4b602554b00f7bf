//! One header field, written so that nothing in its value can become another field.

/// The longest line without its line break, in octets (RFC 5322 §2.1.1).
const LINE_MAX: usize = 998;
/// Where lines should be folded.
const LINE_WANTED: usize = 78;

/// Why a name and a value make no header field.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum FieldError {
    /// A name that is empty or has anything but printable ASCII, or a colon, in it.
    #[error("not a header field name")]
    Name,
    /// CR, LF or NUL in the value: it could end the field early.
    #[error("a line break or NUL in a header field value")]
    Value,
    /// No white space where the value would have to be folded.
    #[error("a header field line over 998 octets")]
    TooLong,
}

/// Writes `name: value` with CRLF, folded at white space before column 78 where that is possible.
///
/// Runs of white space stay as they are; a fold only puts a CRLF in front of one (RFC 5322 §2.2.3).
/// Refuses CR, LF and NUL in the value, and a value that cannot be kept under 998 octets a line
/// (RFC 5322 §2.1.1).
pub fn field(name: &str, value: &str) -> Result<String, FieldError> {
    let is_ftext = |byte: &u8| byte.is_ascii_graphic() && *byte != b':';
    if name.is_empty() || !name.as_bytes().iter().all(is_ftext) {
        return Err(FieldError::Name);
    }
    if value.contains(['\r', '\n', '\0']) {
        return Err(FieldError::Value);
    }
    let value = value.trim_matches([' ', '\t']);
    let mut out = String::with_capacity(name.len() + value.len() + 8);
    out.push_str(name);
    out.push(':');
    let mut column = out.len();
    let mut pending = String::from(" ");
    for word in value.split_inclusive([' ', '\t']) {
        let text = word.trim_end_matches([' ', '\t']);
        if !text.is_empty() {
            if column + pending.len() + text.len() > LINE_WANTED && column > name.len() + 1 {
                out.push_str("\r\n");
                column = 0;
            }
            column += pending.len() + text.len();
            if column > LINE_MAX {
                return Err(FieldError::TooLong);
            }
            out.push_str(&pending);
            out.push_str(text);
            pending.clear();
        }
        pending.push_str(word.get(text.len()..).unwrap_or_default());
    }
    out.push_str("\r\n");
    Ok(out)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::headers::fields;
    use super::*;

    #[test]
    fn short_fields_stand_on_one_line() {
        assert_eq!(field("X-A", "b c").unwrap(), "X-A: b c\r\n");
        assert_eq!(field("X-A", "").unwrap(), "X-A:\r\n");
        assert_eq!(field("X-A", "  b \t").unwrap(), "X-A: b\r\n");
    }

    #[test]
    fn long_fields_fold_at_white_space() {
        let folded = field("References", &"<0123456789@example.org> ".repeat(6)).unwrap();
        let lines: Vec<_> = folded.split("\r\n").collect();
        assert_eq!(lines.len(), 4);
        assert!(lines.iter().all(|line| line.len() <= LINE_WANTED));
        assert!(lines[1].starts_with(" <"));
    }

    #[test]
    fn nothing_can_be_injected() {
        for bad in ["a\r\nBcc: b", "a\nb", "a\rb", "a\0b"] {
            assert_eq!(field("X-A", bad), Err(FieldError::Value));
        }
        for bad in ["", "X A", "X:", "X\r\nY", "É"] {
            assert_eq!(field(bad, "v"), Err(FieldError::Name));
        }
        assert_eq!(field("X", &"a".repeat(999)), Err(FieldError::TooLong));
    }

    proptest! {
        #[test]
        fn a_field_reads_back_as_one_field(value in "[ \ta-zé]{0,300}") {
            let written = field("X-Test", &value).unwrap();
            let read: Vec<_> = fields(written.as_bytes()).collect();
            prop_assert_eq!(read.len(), 1);
            let text = read[0].text();
            prop_assert_eq!(text.as_ref(), value.trim_matches([' ', '\t']).as_bytes());
            prop_assert!(written.split("\r\n").all(|line| line.len() <= LINE_MAX));
        }
    }
}
