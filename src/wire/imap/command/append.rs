//! APPEND (RFC 3501 §6.3.11, RFC 3502 §6.3.11), in pieces: messages are streamed past the parser.

use time::OffsetDateTime;

use crate::domain::flags::Flags;
use crate::wire::imap::command::catenate::{self, CatPart};
use crate::wire::imap::cursor::{Cursor, Parsed};
use crate::wire::imap::error::SyntaxError;
use crate::wire::imap::mailbox::MailboxName;

/// `APPEND`, as far as its first literal.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Append {
    /// Where the messages go.
    pub mailbox: MailboxName,
    /// What is said of the first one.
    pub line: AppendLine,
}

/// What stands in APPEND up to a literal, or up to its end.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AppendLine {
    /// What it says, in order.
    pub steps: Vec<AppendStep>,
    /// The literal that follows; `None` where the command is over.
    pub literal: Option<AppendLiteral>,
}

/// What APPEND says beside literals.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum AppendStep {
    /// A message begins.
    Message(AppendMessage),
    /// Its next octets are those that this URL names (RFC 4469).
    Url(String),
}

/// What APPEND says of a message before the message itself.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AppendMessage {
    /// The flags it gets.
    pub flags: Flags,
    /// The internal date it gets, in UTC; `None` for now.
    pub date: Option<OffsetDateTime>,
}

/// A literal of APPEND, of which only the head is here.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct AppendLiteral {
    /// A `literal8`, which may have NUL octets (RFC 3516 §4.4).
    pub binary: bool,
    /// It stands in `UTF8 (...)`: there may be UTF-8 in its header (RFC 6855 §4).
    pub utf8: bool,
    /// What it is in CATENATE; elsewhere it is a message.
    pub part: Option<CatPart>,
}

/// Reads what stands behind a literal: all of an
/// [`Event::AppendTail`](crate::wire::imap::frame::Event::AppendTail), or of the head of another
/// [`Event::AppendLiteral`](crate::wire::imap::frame::Event::AppendLiteral).
///
/// # Errors
/// Where that is not how APPEND goes on.
pub fn parse_append_line(bytes: &[u8], behind: AppendLiteral) -> Result<AppendLine, SyntaxError> {
    let mut cursor = Cursor::new(bytes);
    let mut line = AppendLine { steps: Vec::new(), literal: None };
    if behind.utf8 {
        cursor.expect(")")?;
    }
    if behind.part.is_some() {
        catenate::behind_literal(&mut cursor, &mut line)?;
    }
    more_messages(&mut cursor, line)
}

/// ```abnf
/// append         = "APPEND" SP mailbox 1*append-message
/// ```
pub(super) fn append(cursor: &mut Cursor<'_>) -> Parsed<Append> {
    cursor.sp()?;
    let mailbox = cursor.mailbox()?;
    let mut line = AppendLine { steps: Vec::new(), literal: None };
    append_message(cursor, &mut line)?;
    Ok(Append { mailbox, line: more_messages(cursor, line)? })
}

/// What follows a message, as far as a literal.
///
/// ```abnf
/// *append-message
/// ```
fn more_messages(cursor: &mut Cursor<'_>, line: AppendLine) -> Parsed<AppendLine> {
    let mut line = line;
    while line.literal.is_none() && cursor.peek() == Some(b' ') {
        append_message(cursor, &mut line)?;
    }
    match line.literal {
        None => cursor.end()?,
        // A literal's head has the line end in it.
        Some(_) if cursor.rest().is_empty() => {}
        Some(_) => return cursor.expected("a message"),
    }
    Ok(line)
}

/// ```abnf
/// append-message = [SP flag-list] [SP date-time] SP append-data
/// append-data    = message-data / "CATENATE" SP cat-parts    ; RFC 4469 §5
/// ```
fn append_message(cursor: &mut Cursor<'_>, line: &mut AppendLine) -> Parsed<()> {
    let mut message = AppendMessage { flags: Flags::default(), date: None };
    cursor.sp()?;
    if cursor.peek() == Some(b'(') {
        message.flags = cursor.flag_list()?;
        cursor.sp()?;
    }
    if cursor.peek() == Some(b'"') {
        message.date = Some(cursor.date_time()?);
        cursor.sp()?;
    }
    line.steps.push(AppendStep::Message(message));
    if cursor.eat(b"CATENATE ") {
        return catenate::catenate(cursor, line);
    }
    line.literal = Some(message_data(cursor, None)?);
    Ok(())
}

/// ```abnf
/// message-data = literal / literal8 / utf8-literal    ; RFC 3516 §7
/// utf8-literal = "UTF8" SP "(" literal8 ")"           ; RFC 6855 §4
/// ```
pub(super) fn message_data(
    cursor: &mut Cursor<'_>,
    part: Option<CatPart>,
) -> Parsed<AppendLiteral> {
    let utf8 = cursor.eat(b"UTF8 (");
    let literal = literal(cursor, part)?;
    if utf8 && !literal.binary {
        return cursor.expected("a literal8");
    }
    Ok(AppendLiteral { utf8, ..literal })
}

/// ```abnf
/// literal  = "{" number ["+"] "}" CRLF *CHAR8
/// literal8 = "~{" number ["+"] "}" CRLF *OCTET
/// ```
///
/// Of the literal only its head is here.
pub(super) fn literal(cursor: &mut Cursor<'_>, part: Option<CatPart>) -> Parsed<AppendLiteral> {
    let binary = cursor.eat(b"~");
    cursor.literal_header()?;
    Ok(AppendLiteral { binary, utf8: false, part })
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;
    use crate::wire::imap::command::{Command, parse_command};

    fn parse(head: &str) -> Option<Append> {
        match parse_command(head.as_bytes()).ok()?.command {
            Command::Append(append) => Some(append),
            other => panic!("{other:?}"),
        }
    }

    fn message(line: &AppendLine) -> &AppendMessage {
        match line.steps.as_slice() {
            [AppendStep::Message(message)] => message,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_example_of_rfc_3501_section_6_3_11() {
        let append = parse("A003 APPEND saved-messages (\\Seen) {310}\r\n").unwrap();
        assert_eq!(append.mailbox.as_str(), "saved-messages");
        let seen = Flags { seen: true, ..Flags::default() };
        assert_eq!(message(&append.line), &AppendMessage { flags: seen, date: None });
        assert_eq!(
            append.line.literal,
            Some(AppendLiteral { binary: false, utf8: false, part: None })
        );
    }

    #[test]
    fn everything_is_optional_but_the_message() {
        let append =
            parse("a APPEND {5}\r\nINBOX () \"17-Jul-1996 02:44:25 -0700\" ~{1+}\r\n").unwrap();
        assert!(append.mailbox.is_inbox());
        assert_eq!(message(&append.line).date, Some(datetime!(1996-07-17 09:44:25 UTC)));
        assert_eq!(
            append.line.literal,
            Some(AppendLiteral { binary: true, utf8: false, part: None })
        );
        assert_eq!(
            message(&parse("a APPEND x {0}\r\n").unwrap().line),
            &AppendMessage { flags: Flags::default(), date: None }
        );
        for bad in [
            "a APPEND x\r\n",
            "a APPEND x ()\r\n",
            "a APPEND x() {1}\r\n",
            "a APPEND {1}\r\n",
            "a APPEND x \"\" {1}\r\n",
            "a APPEND x {1}\r\nx\r\n",
            "a APPEND x (\\Foo) {1}\r\n",
            "a APPEND x ~ {1}\r\n",
        ] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn utf8_has_its_own_brackets() {
        let literal = parse("a APPEND x () UTF8 (~{310+}\r\n").unwrap().line.literal.unwrap();
        assert_eq!(literal, AppendLiteral { binary: true, utf8: true, part: None });
        assert!(parse_append_line(b")\r\n", literal).is_ok());
        assert!(parse_append_line(b") utf8 (~{3}\r\n", literal).is_ok());
        assert!(parse_append_line(b"\r\n", literal).is_err());
        assert_eq!(parse("a APPEND x UTF8 ({310}\r\n"), None);
        assert_eq!(parse("a APPEND x UTF8 ~{310}\r\n"), None);
        let text = AppendLiteral { part: Some(CatPart::Text), ..literal };
        assert!(parse_append_line(b") URL a)\r\n", text).is_ok());
        assert!(parse_append_line(b"))\r\n", text).is_ok());
        assert!(parse_append_line(b")\r\n", text).is_err());
    }

    #[test]
    fn another_message_stands_behind_a_message_or_nothing() {
        let behind = |bytes: &str| {
            parse_append_line(
                bytes.as_bytes(),
                AppendLiteral { binary: false, utf8: false, part: None },
            )
            .ok()
        };
        let end = AppendLine { steps: Vec::new(), literal: None };
        assert_eq!(behind("\r\n"), Some(end));
        // RFC 3502 §6.3.11 has a second message that is flagged.
        let line = behind(" (\\Seen) \" 7-Feb-1994 22:43:04 -0800\" {295}\r\n").unwrap();
        assert!(message(&line).flags.seen && message(&line).date.is_some());
        assert!(line.literal.is_some());
        for bad in [" \r\n", " (\\Seen)\r\n", "{3}\r\n", ")\r\n", " {3}\r\nabc", "x\r\n", ""] {
            assert_eq!(behind(bad), None, "{bad:?}");
        }
    }
}
