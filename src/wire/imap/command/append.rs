//! APPEND (RFC 3501 §6.3.11), in pieces: the message itself is streamed past the parser.

use time::OffsetDateTime;

use crate::domain::flags::Flags;
use crate::wire::imap::cursor::{Cursor, Parsed};
use crate::wire::imap::error::SyntaxError;
use crate::wire::imap::mailbox::MailboxName;

/// `APPEND`, as far as its first message.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Append {
    /// Where the message goes.
    pub mailbox: MailboxName,
    /// What is said of the message.
    pub message: AppendMessage,
}

/// What APPEND says of a message before the message itself.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AppendMessage {
    /// The flags it gets.
    pub flags: Flags,
    /// The internal date it gets, in UTC; `None` for now.
    pub date: Option<OffsetDateTime>,
}

/// Reads what stands behind the message literal, as it comes with
/// [`Event::AppendTail`](crate::wire::imap::frame::Event::AppendTail): the end of the line and
/// nothing else.
pub fn parse_append_tail(bytes: &[u8]) -> Result<(), SyntaxError> {
    Cursor::new(bytes).end()
}

/// ```abnf
/// append = "APPEND" SP mailbox [SP flag-list] [SP date-time] SP literal
/// ```
pub(super) fn append(cursor: &mut Cursor<'_>) -> Parsed<Append> {
    cursor.sp()?;
    let mailbox = cursor.mailbox()?;
    cursor.sp()?;
    Ok(Append { mailbox, message: message(cursor)? })
}

/// ```abnf
/// [flag-list SP] [date-time SP] literal
/// ```
///
/// Of the literal only its size is here.
fn message(cursor: &mut Cursor<'_>) -> Parsed<AppendMessage> {
    let mut flags = Flags::default();
    let mut date = None;
    if cursor.peek() == Some(b'(') {
        flags = cursor.flag_list()?;
        cursor.sp()?;
    }
    if cursor.peek() == Some(b'"') {
        date = Some(cursor.date_time()?);
        cursor.sp()?;
    }
    cursor.literal_header()?;
    if cursor.rest().is_empty() {
        Ok(AppendMessage { flags, date })
    } else {
        cursor.expected("a message")
    }
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

    #[test]
    fn the_example_of_rfc_3501_section_6_3_11() {
        let append = parse("A003 APPEND saved-messages (\\Seen) {310}\r\n").unwrap();
        assert_eq!(append.mailbox.as_str(), "saved-messages");
        assert_eq!(
            append.message,
            AppendMessage { flags: Flags { seen: true, ..Flags::default() }, date: None }
        );
    }

    #[test]
    fn everything_is_optional_but_the_message() {
        let append =
            parse("a APPEND {5}\r\nINBOX () \"17-Jul-1996 02:44:25 -0700\" {1+}\r\n").unwrap();
        assert!(append.mailbox.is_inbox());
        assert_eq!(append.message.date, Some(datetime!(1996-07-17 09:44:25 UTC)));
        assert_eq!(
            parse("a APPEND x {0}\r\n").unwrap().message,
            AppendMessage { flags: Flags::default(), date: None }
        );
        for bad in [
            "a APPEND x\r\n",
            "a APPEND x ()\r\n",
            "a APPEND x() {1}\r\n",
            "a APPEND {1}\r\n",
            "a APPEND x \"\" {1}\r\n",
            "a APPEND x {1}\r\nx\r\n",
            "a APPEND x (\\Foo) {1}\r\n",
        ] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn nothing_stands_behind_the_message() {
        assert!(parse_append_tail(b"\r\n").is_ok());
        assert!(parse_append_tail(b" \r\n").is_err());
        assert!(parse_append_tail(b" (\\Seen) {3}\r\n").is_err());
    }
}
