//! What of a message is searched, ready for `email_search`.

use crate::domain::casemap::fold;
use crate::domain::grams::filter;
use crate::domain::ids::EmailId;
use crate::store::search_index::Indexed;
use crate::wire::mime::headers::fields;

/// The row of a message with this header block and this text.
pub(super) fn document(id: EmailId, header: &[u8], text: &str) -> Indexed {
    let (header, body) = (header_lines(header), fold(text));
    Indexed { id, header_grams: filter(&header), body_grams: filter(&body), header, body }
}

/// Each field on a line, `NAME: value`, decoded (RFC 2047) and folded in case.
fn header_lines(header: &[u8]) -> String {
    let mut lines = String::with_capacity(header.len());
    for field in fields(header) {
        let name = String::from_utf8_lossy(field.name);
        lines.extend([&*name, ": ", &field.decoded_whole(), "\n"]);
    }
    // Names may hold anything but a colon; a database takes no NUL.
    fold(&lines).replace('\0', " ")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn header_fields_are_lines() {
        let header =
            b"From: =?utf-8?q?J=C3=BCrgen?= <j@client.example>\r\nX-Folded: one\r\n two\r\n\
            Subject:x\0y\r\n\r\nbody";
        assert_eq!(
            header_lines(header),
            "FROM: JU\u{308}RGEN <J@CLIENT.EXAMPLE>\nX-FOLDED: ONE TWO\nSUBJECT: X Y\n"
        );
        let long = format!("To: {}\r\n", "someone@client.example, ".repeat(500));
        assert_eq!(header_lines(long.as_bytes()).matches("SOMEONE").count(), 500);
    }

    proptest! {
        #[test]
        fn any_octets_make_a_row(header in proptest::collection::vec(any::<u8>(), 0..300), text in ".{0,99}") {
            let row = document(EmailId::random(), &header, &text);
            prop_assert!(!row.header.contains('\0'));
            prop_assert!(row.header_grams.len().is_power_of_two());
        }
    }
}
