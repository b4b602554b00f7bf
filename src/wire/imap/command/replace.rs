//! REPLACE (RFC 8508): a message takes the place of another.

use super::append::{Append, append};
use crate::wire::imap::cursor::{Cursor, Parsed};
use crate::wire::imap::set::SequenceSet;

/// `REPLACE` or `UID REPLACE`, as far as its first literal.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Replace {
    /// Whether `message` is a UID.
    pub uid: bool,
    /// The message that goes, one and no more.
    pub message: SequenceSet,
    /// The one that comes, and where it goes.
    pub append: Append,
}

/// ```abnf
/// replace = "REPLACE" SP seq-number SP mailbox append-message
/// uid     =/ "UID" SP replace    ; RFC 8508 §5
/// ```
pub(super) fn replace(cursor: &mut Cursor<'_>, uid: bool) -> Parsed<Replace> {
    cursor.sp()?;
    let message = cursor.sequence_set_of_one()?;
    Ok(Replace { uid, message, append: append(cursor)? })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::imap::command::{Command, parse_command};
    use crate::wire::imap::set::SeqNumber;

    fn parse(line: &str) -> Option<Replace> {
        match parse_command(line.as_bytes()).ok()?.command {
            Command::Replace(replace) => Some(replace),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_examples_of_rfc_8508() {
        let replace = parse("A003 REPLACE 4 Drafts (\\Seen \\Draft) {312}\r\n").unwrap();
        let four = SeqNumber::Number(4.try_into().unwrap());
        assert!(!replace.uid);
        assert_eq!(replace.message.ranges(), [(four, four)]);
        assert_eq!(replace.append.mailbox.as_str(), "Drafts");
        assert!(replace.append.line.literal.is_some());
        assert!(parse("A004 UID REPLACE 2000 Drafts (\\Seen \\Draft) {350}\r\n").unwrap().uid);
        let last = parse("a uid replace * {5}\r\nINBOX CATENATE (URL a)\r\n").unwrap();
        assert_eq!(last.message.ranges(), [(SeqNumber::Star, SeqNumber::Star)]);
    }

    #[test]
    fn one_message_goes() {
        for bad in ["1:2", "1,2", "$", "0", "", "x"] {
            assert_eq!(parse(&format!("a REPLACE {bad} Drafts {{1}}\r\n")), None, "{bad}");
        }
        assert_eq!(parse("a REPLACE Drafts {1}\r\n"), None);
        assert_eq!(parse("a REPLACE 1 Drafts\r\n"), None);
    }
}
