//! Parts of a header block: only these fields, all but these fields.

use std::collections::HashSet;

use super::headers::{block_len, fields, is_blank_line};

/// `HEADER.FIELDS` (RFC 3501 §6.4.5): the fields of `block` with these names, octet for octet and in
/// their order, then the empty line. Names compare without regard to case.
pub fn header_fields(block: &[u8], names: &[impl AsRef<[u8]>]) -> Vec<u8> {
    select(block, names, true)
}

/// `HEADER.FIELDS.NOT`: every field but those with these names, then the empty line.
pub fn header_fields_not(block: &[u8], names: &[impl AsRef<[u8]>]) -> Vec<u8> {
    select(block, names, false)
}

fn select(block: &[u8], names: &[impl AsRef<[u8]>], named: bool) -> Vec<u8> {
    let names: HashSet<_> = names.iter().map(|name| name.as_ref().to_ascii_lowercase()).collect();
    let mut chosen = Vec::new();
    for field in fields(block) {
        if names.contains(&field.name.to_ascii_lowercase()) == named {
            chosen.extend_from_slice(field.raw);
        }
    }
    // "Subsetting does not exclude the delimiting blank line" (RFC 3501 §6.4.5); a message that is
    // all header has none.
    if block.ends_with(b"\n\r\n") || block.ends_with(b"\n\n") || is_blank_line(block) {
        chosen.extend_from_slice(b"\r\n");
    }
    chosen
}

/// `raw`, a header block or a whole message, without the header fields that `gone` picks by name and
/// value. Everything else stays octet for octet.
pub fn remove_fields(raw: &[u8], mut gone: impl FnMut(&[u8], &[u8]) -> bool) -> Vec<u8> {
    let mut kept = Vec::with_capacity(raw.len());
    let mut copied = 0;
    for field in fields(raw.get(..block_len(raw)).unwrap_or_default()) {
        if gone(field.name, field.value) {
            kept.extend_from_slice(raw.get(copied..field.start).unwrap_or_default());
            copied = field.start + field.raw.len();
        }
    }
    kept.extend_from_slice(raw.get(copied..).unwrap_or_default());
    kept
}

#[cfg(test)]
mod tests {
    use super::super::headers::authserv_id;
    use super::*;

    const MESSAGE: &[u8] =
        b"From: a\r\nTo: b,\r\n c\r\nnot a field\r\nBCC: d\r\nto: e\r\n\r\nBcc: body\r\n";

    #[test]
    fn header_fields_and_header_fields_not() {
        let block = &MESSAGE[..block_len(MESSAGE)];
        let names = ["to", "X-None"];
        assert_eq!(header_fields(block, &names), b"To: b,\r\n c\r\nto: e\r\n\r\n");
        assert_eq!(header_fields_not(block, &names), b"From: a\r\nBCC: d\r\n\r\n");
        assert_eq!(header_fields(block, &["x"]), b"\r\n");
    }

    #[test]
    fn no_blank_line_is_invented_for_a_message_that_is_all_header() {
        assert_eq!(header_fields(b"A: b\r\n", &["a"]), b"A: b\r\n");
        assert_eq!(header_fields_not(b"A: b", &["b"]), b"A: b");
    }

    #[test]
    fn removing_leaves_the_rest_untouched() {
        let without = remove_fields(MESSAGE, |name, _| name.eq_ignore_ascii_case(b"bcc"));
        assert_eq!(
            without,
            b"From: a\r\nTo: b,\r\n c\r\nnot a field\r\nto: e\r\n\r\nBcc: body\r\n"
        );
        assert_eq!(remove_fields(MESSAGE, |_, _| false), MESSAGE);
        assert_eq!(remove_fields(MESSAGE, |_, _| true), b"not a field\r\n\r\nBcc: body\r\n");
    }

    #[test]
    fn forged_results_of_our_own_are_told_from_others() {
        let raw = b"Authentication-Results: us.example; spf=pass\r\n\
            Authentication-Results: them.example; spf=fail\r\n\r\n";
        let kept = remove_fields(raw, |name, value| {
            name.eq_ignore_ascii_case(b"authentication-results")
                && authserv_id(value).eq_ignore_ascii_case(b"us.example")
        });
        assert_eq!(kept, b"Authentication-Results: them.example; spf=fail\r\n\r\n");
    }
}
