//! CATENATE (RFC 4469): a message made of pieces, new ones and ones that are stored.

use super::append::{AppendLine, AppendLiteral, AppendStep, literal};
use crate::wire::imap::cursor::{Cursor, Parsed};

/// A piece that is a literal.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CatPart {
    /// Octets of the message.
    Text,
    /// The URL of others.
    Url,
}

/// What follows `CATENATE SP`, as far as a literal.
///
/// ```abnf
/// "(" cat-part *(SP cat-part) ")"
/// ```
pub(super) fn catenate(cursor: &mut Cursor<'_>, line: &mut AppendLine) -> Parsed<()> {
    cursor.expect("(")?;
    cat_parts(cursor, line)
}

/// What follows a literal within it.
///
/// ```abnf
/// *(SP cat-part) ")"
/// ```
pub(super) fn behind_literal(cursor: &mut Cursor<'_>, line: &mut AppendLine) -> Parsed<()> {
    if cursor.eat(b")") {
        return Ok(());
    }
    cursor.sp()?;
    cat_parts(cursor, line)
}

/// ```abnf
/// cat-part     = text-literal / utf8-literal / url    ; RFC 6855 §4
/// text-literal = "TEXT" SP (literal / literal8)
/// url          = "URL" SP astring
/// ```
fn cat_parts(cursor: &mut Cursor<'_>, line: &mut AppendLine) -> Parsed<()> {
    loop {
        match cursor.word("TEXT or URL")?.as_slice() {
            b"TEXT" => {
                cursor.sp()?;
                line.literal = Some(literal(cursor, Some(CatPart::Text))?);
                return Ok(());
            }
            b"UTF8" => {
                cursor.expect(" (")?;
                let text = literal(cursor, Some(CatPart::Text))?;
                if !text.binary {
                    return cursor.expected("a literal8");
                }
                line.literal = Some(AppendLiteral { utf8: true, ..text });
                return Ok(());
            }
            b"URL" => cursor.sp()?,
            _ => return cursor.expected("TEXT or URL"),
        }
        if cursor.peek() == Some(b'{') {
            line.literal = Some(literal(cursor, Some(CatPart::Url))?);
            return Ok(());
        }
        line.steps.push(AppendStep::Url(cursor.astring_utf8("a URL")?));
        if cursor.eat(b")") {
            return Ok(());
        }
        cursor.sp()?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::imap::command::{Command, parse_append_line, parse_command};

    fn head(line: &str) -> Option<AppendLine> {
        match parse_command(line.as_bytes()).ok()?.command {
            Command::Append(append) => Some(append.line),
            other => panic!("{other:?}"),
        }
    }

    fn url(step: &AppendStep) -> Option<&str> {
        match step {
            AppendStep::Url(url) => Some(url),
            AppendStep::Message(_) => None,
        }
    }

    fn urls(line: &AppendLine) -> Vec<&str> {
        line.steps.iter().filter_map(url).collect()
    }

    const TEXT: AppendLiteral =
        AppendLiteral { binary: false, utf8: false, part: Some(CatPart::Text) };

    #[test]
    fn the_example_of_rfc_4469() {
        let line = head(
            "A003 APPEND Drafts (\\Seen \\Draft $MDNSent) CATENATE \
             (URL \"/Drafts;UIDVALIDITY=385759045/;UID=20/;section=HEADER\" TEXT {42}\r\n",
        );
        let line = line.unwrap();
        assert_eq!(urls(&line), ["/Drafts;UIDVALIDITY=385759045/;UID=20/;section=HEADER"]);
        assert_eq!(line.literal, Some(TEXT));
        let more = parse_append_line(b" URL \"a\" URL b TEXT ~{42+}\r\n", TEXT).unwrap();
        assert_eq!(urls(&more), ["a", "b"]);
        assert_eq!(more.literal, Some(AppendLiteral { binary: true, ..TEXT }));
        let end = parse_append_line(b")\r\n", TEXT).unwrap();
        assert_eq!((end.steps.len(), end.literal), (0, None));
    }

    #[test]
    fn there_may_be_no_literal_or_a_url_in_one() {
        let line = head("a APPEND x CATENATE (url a URL b) (\\Seen) catenate (URL c)\r\n").unwrap();
        assert_eq!(line.steps.len(), 5);
        assert_eq!(line.literal, None);
        let line = head("a APPEND x CATENATE (URL {3}\r\n").unwrap();
        assert_eq!(line.literal, Some(AppendLiteral { part: Some(CatPart::Url), ..TEXT }));
    }

    #[test]
    fn what_is_not_catenated() {
        for bad in [
            "a APPEND x CATENATE ()\r\n",
            "a APPEND x CATENATE (URL a\r\n",
            "a APPEND x CATENATE (URL a URL)\r\n",
            "a APPEND x CATENATE (TEXT \"a\")\r\n",
            "a APPEND x CATENATE (PART a)\r\n",
            "a APPEND x CATENATE (UTF8 ({3}\r\n",
            "a APPEND x CATENATE (URL ~{3}\r\n",
            "a APPEND x CATENATE (URL a) {3}\r\nabc\r\n",
            "a APPEND x CATENATE URL a\r\n",
            "a APPEND x CATENATE(URL a)\r\n",
        ] {
            assert_eq!(head(bad), None, "{bad}");
        }
        for bad in ["\r\n", " )\r\n", " \r\n", "TEXT {3}\r\n", "))\r\n", ") \r\n"] {
            assert!(parse_append_line(bad.as_bytes(), TEXT).is_err(), "{bad:?}");
        }
    }
}
