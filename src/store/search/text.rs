//! Text: substrings of decoded columns, and of the header block as it stands.

use super::Query;

/// In a column.
pub(super) fn column(query: &mut Query, name: &'static str, text: &str) {
    contains(query, name, text);
}

/// In one of the addresses of a field, each as `name <address>`. Holds for the empty text when
/// there is an address.
pub(super) fn addresses(query: &mut Query, field: &'static str, text: &str) {
    query.push("EXISTS (SELECT 1 FROM jsonb_array_elements(m.recipients -> '").push(field);
    query.push("') a WHERE ");
    contains(query, "concat_ws(' ', a ->> 'name', '<' || (a ->> 'address') || '>')", text);
    query.push(")");
}

/// In header or body: decoded where that was kept, and the header as it stands.
pub(super) fn anywhere(query: &mut Query, text: &str) {
    query.push("(");
    for name in ["m.subject", "m.recipients::text", "m.text_body"] {
        contains(query, name, text);
        query.push(" OR ");
    }
    contains(query, "encode(s.header, 'escape')", &escaped(text));
    query.push(")");
}

/// In a header field, unfolded; decoded as well for the fields that are kept so. For the empty
/// text, that the field is there (RFC 3501 §6.4.4).
pub(super) fn header(query: &mut Query, name: &str, text: &str) {
    query.push("(EXISTS (SELECT 1 FROM regexp_matches(encode(s.header, 'escape'), ");
    query.push_bind(field_pattern(name)).push(", 'gi') f WHERE ");
    contains(query, r"regexp_replace(f[1], '\r?\n', '', 'g')", &escaped(text));
    query.push(")");
    if !text.is_empty() {
        query.push(" OR ");
        match name.to_ascii_lowercase().as_str() {
            "subject" => contains(query, "m.subject", text),
            "from" => addresses(query, "from", text),
            "to" => addresses(query, "to", text),
            "cc" => addresses(query, "cc", text),
            "bcc" => addresses(query, "bcc", text),
            _ => drop(query.push("false")),
        }
    }
    query.push(")");
}

/// The database folds both sides, so that they are folded alike.
fn contains(query: &mut Query, what: &'static str, text: &str) {
    query.push("position(lower(").push_bind(text.to_owned()).push(") IN lower(");
    query.push(what).push(")) > 0");
}

/// A field of this name, its value being the group. Lines that begin with white space go on with
/// the field (RFC 5322 §2.2.3).
fn field_pattern(name: &str) -> String {
    let mut pattern = String::from(r"(?:^|\n)");
    for c in escaped(name).chars() {
        if !c.is_ascii_alphanumeric() {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern + r"[ \t]*:((?:[^\n]|\n[ \t])*)"
}

/// `text` as Postgres writes octets in its `escape` format, which stands for any octets at all:
/// backslashes doubled, those above 127 in octal.
fn escaped(text: &str) -> String {
    use std::fmt::Write as _;
    text.bytes().fold(String::with_capacity(text.len()), |mut out, byte| {
        match byte {
            b'\\' => out.push_str(r"\\"),
            1..=127 => out.push(char::from(byte)),
            _ => drop(write!(out, "\\{byte:03o}")),
        }
        out
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_as_the_escape_format_has_it() {
        assert_eq!(escaped("a\\b ü"), r"a\\b \303\274");
        assert_eq!(field_pattern("X-a+"), r"(?:^|\n)X\-a\+[ \t]*:((?:[^\n]|\n[ \t])*)");
    }
}
