//! STATUS (RFC 3501 §6.3.10), with SIZE (RFC 8438) and what EXPUNGE would free (RFC 9208 §4.1.4).

use crate::wire::imap::cursor::{Cursor, Parsed};
use crate::wire::imap::error::{SyntaxError, What};
use crate::wire::imap::mailbox::MailboxName;

/// The most items in one list, repeated ones included.
const MAX_ITEMS: usize = 30;

/// `STATUS`
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Status {
    /// The mailbox asked about.
    pub mailbox: MailboxName,
    /// What is asked, each once.
    pub items: Vec<StatusItem>,
}

/// A number that STATUS tells.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum StatusItem {
    /// `MESSAGES`: how many there are.
    Messages,
    /// `RECENT`: how many are recent.
    Recent,
    /// `UIDNEXT`: the next UID.
    UidNext,
    /// `UIDVALIDITY`
    UidValidity,
    /// `UNSEEN`: how many are not seen.
    Unseen,
    /// `SIZE`: the octets of all (RFC 8438).
    Size,
    /// `DELETED`: how many have `\Deleted`.
    Deleted,
    /// `DELETED-STORAGE`: the octets of those.
    DeletedStorage,
    /// `HIGHESTMODSEQ` (RFC 7162 §3.1.7)
    HighestModSeq,
    /// `MAILBOXID` (RFC 8474 §4.3)
    MailboxId,
}

impl StatusItem {
    /// The item's name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Messages => "MESSAGES",
            Self::Recent => "RECENT",
            Self::UidNext => "UIDNEXT",
            Self::UidValidity => "UIDVALIDITY",
            Self::Unseen => "UNSEEN",
            Self::Size => "SIZE",
            Self::Deleted => "DELETED",
            Self::DeletedStorage => "DELETED-STORAGE",
            Self::HighestModSeq => "HIGHESTMODSEQ",
            Self::MailboxId => "MAILBOXID",
        }
    }
}

/// ```abnf
/// status = "STATUS" SP mailbox SP "(" status-att *(SP status-att) ")"
/// ```
pub(super) fn status(cursor: &mut Cursor<'_>) -> Parsed<Status> {
    cursor.sp()?;
    let mailbox = cursor.mailbox()?;
    Ok(Status { mailbox, items: items(cursor)? })
}

/// ```abnf
/// SP "(" status-att *(SP status-att) ")"
/// status-att = "MESSAGES" / "RECENT" / "UIDNEXT" / "UIDVALIDITY" / "UNSEEN" / "SIZE" / "DELETED" /
///              "DELETED-STORAGE" / "HIGHESTMODSEQ" /    ; RFC 7162
///              "MAILBOXID"    ; RFC 8474
/// ```
pub(super) fn items(cursor: &mut Cursor<'_>) -> Parsed<Vec<StatusItem>> {
    let mut items = Vec::new();
    cursor.sp()?;
    cursor.list(MAX_ITEMS, "status items", false, |cursor| {
        let item = item(cursor)?;
        if !items.contains(&item) {
            items.push(item);
        }
        Ok(())
    })?;
    Ok(items)
}

fn item(cursor: &mut Cursor<'_>) -> Parsed<StatusItem> {
    let offset = cursor.offset();
    Ok(match cursor.word("a status item")?.as_slice() {
        b"MESSAGES" => StatusItem::Messages,
        b"RECENT" => StatusItem::Recent,
        b"UIDNEXT" => StatusItem::UidNext,
        b"UIDVALIDITY" => StatusItem::UidValidity,
        b"UNSEEN" => StatusItem::Unseen,
        b"SIZE" => StatusItem::Size,
        b"DELETED" => StatusItem::Deleted,
        b"DELETED-STORAGE" => StatusItem::DeletedStorage,
        b"MAILBOXID" => StatusItem::MailboxId,
        b"HIGHESTMODSEQ" => StatusItem::HighestModSeq,
        _ => return Err(SyntaxError { what: What::Expected("a status item"), offset }),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::imap::command::{Command, parse_command};

    #[test]
    fn the_example_of_rfc_3501_section_6_3_10() {
        let read = |line: &str| parse_command(line.as_bytes()).map(|tagged| tagged.command);
        let expected = Status {
            mailbox: MailboxName::new("blurdybloop").unwrap(),
            items: vec![StatusItem::UidNext, StatusItem::Messages],
        };
        assert_eq!(
            read("A042 STATUS blurdybloop (UIDNEXT MESSAGES UIDNEXT)\r\n").unwrap(),
            Command::Status(expected)
        );
        for bad in [
            "a STATUS x\r\n",
            "a STATUS x ()\r\n",
            "a STATUS x (FOO)\r\n",
            "a STATUS x MESSAGES\r\n",
        ] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn decode_of_encode() {
        for given in [
            StatusItem::Messages,
            StatusItem::Recent,
            StatusItem::UidNext,
            StatusItem::UidValidity,
            StatusItem::Unseen,
            StatusItem::Size,
            StatusItem::Deleted,
            StatusItem::DeletedStorage,
        ] {
            assert_eq!(item(&mut Cursor::new(given.as_str().as_bytes())), Ok(given));
        }
    }
}
