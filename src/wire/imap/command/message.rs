//! Commands that change messages: STORE, COPY, MOVE, UID EXPUNGE.

use super::{Command, gm_labels};
use crate::domain::flags::{FlagOp, Flags};
use crate::wire::imap::cursor::{Cursor, Parsed};
use crate::wire::imap::mailbox::MailboxName;
use crate::wire::imap::set::SequenceSet;

/// `STORE` or `UID STORE`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Store {
    /// Whether `set` names UIDs.
    pub uid: bool,
    /// The messages.
    pub set: SequenceSet,
    /// Only those that nobody changed after this mod-sequence (RFC 7162 §3.1.3).
    pub unchanged_since: Option<u64>,
    /// How their flags change.
    pub op: FlagOp,
    /// `.SILENT`: the client does not want to be told.
    pub silent: bool,
    /// With which flags.
    pub flags: Flags,
}

/// Which messages a STORE changes, and how.
pub(super) struct Changed {
    pub(super) uid: bool,
    pub(super) set: SequenceSet,
    pub(super) unchanged_since: Option<u64>,
    pub(super) op: FlagOp,
}

/// `COPY`, `MOVE`, `UID COPY` or `UID MOVE`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Transfer {
    /// Whether `set` names UIDs.
    pub uid: bool,
    /// The messages.
    pub set: SequenceSet,
    /// Where they go.
    pub mailbox: MailboxName,
}

/// ```abnf
/// store           = "STORE" SP sequence-set [store-modifier] SP store-att-flags
/// store-modifier  = SP "(" "UNCHANGEDSINCE" SP mod-sequence-valzer ")"    ; RFC 7162
/// store-att-flags = (["+" / "-"] "FLAGS" [".SILENT"]) SP (flag-list / (flag *(SP flag)))
/// ```
///
/// Labels go their own way: [`gm_labels`](super::gm_labels).
pub(super) fn store(cursor: &mut Cursor<'_>, uid: bool) -> Parsed<Command> {
    let set = set(cursor)?;
    cursor.sp()?;
    let mut unchanged_since = None;
    if cursor.eat(b"(") {
        cursor.expect("UNCHANGEDSINCE ")?;
        unchanged_since = Some(cursor.number64()?);
        cursor.expect(") ")?;
    }
    let op = match cursor.peek() {
        Some(b'+') => FlagOp::Add,
        Some(b'-') => FlagOp::Remove,
        _ => FlagOp::Replace,
    };
    if op != FlagOp::Replace {
        cursor.take(1);
    }
    if cursor.eat(b"X-GM-LABELS") {
        let begun = Changed { uid, set, unchanged_since, op };
        return gm_labels::labels(cursor, begun).map(Command::StoreLabels);
    }
    cursor.expect("FLAGS")?;
    let silent = cursor.eat(b".SILENT");
    cursor.sp()?;
    let flags =
        if cursor.peek() == Some(b'(') { cursor.flag_list()? } else { cursor.bare_flags()? };
    Ok(Command::Store(Store { uid, set, unchanged_since, op, silent, flags }))
}

/// ```abnf
/// copy = "COPY" SP sequence-set SP mailbox
/// move = "MOVE" SP sequence-set SP mailbox    ; RFC 6851
/// ```
pub(super) fn copy(cursor: &mut Cursor<'_>, uid: bool) -> Parsed<Transfer> {
    let set = set(cursor)?;
    cursor.sp()?;
    Ok(Transfer { uid, set, mailbox: cursor.mailbox()? })
}

/// ```abnf
/// uid-expunge = "UID" SP "EXPUNGE" SP sequence-set    ; RFC 4315
/// ```
pub(super) fn uid_expunge(cursor: &mut Cursor<'_>) -> Parsed<SequenceSet> {
    set(cursor)
}

/// `SP sequence-set`
fn set(cursor: &mut Cursor<'_>) -> Parsed<SequenceSet> {
    cursor.sp()?;
    cursor.sequence_set()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::imap::command::parse_command;

    fn parse(line: &str) -> Option<Command> {
        parse_command(line.as_bytes()).ok().map(|tagged| tagged.command)
    }

    #[test]
    fn the_examples_of_rfc_3501_section_6_4() {
        let Some(Command::Store(store)) = parse("A003 STORE 2:4 +FLAGS (\\Deleted)\r\n") else {
            panic!()
        };
        assert_eq!((store.uid, store.op, store.silent), (false, FlagOp::Add, false));
        assert_eq!(store.flags, Flags { deleted: true, ..Flags::default() });
        let Some(Command::Copy(copy)) = parse("A003 COPY 2:4 MEETING\r\n") else { panic!() };
        assert_eq!((copy.uid, copy.mailbox.as_str()), (false, "MEETING"));
        assert_eq!(copy.set.resolve(9).to_string(), "2:4");
    }

    #[test]
    fn store_in_every_form() {
        let read = |text: &str| match parse(&format!("a UID STORE 1:* {text}\r\n")) {
            Some(Command::Store(store)) => {
                Some((store.op, store.silent, store.flags.keywords.len()))
            }
            _ => None,
        };
        assert_eq!(read("FLAGS a b"), Some((FlagOp::Replace, false, 2)));
        assert_eq!(read("-flags.silent (a)"), Some((FlagOp::Remove, true, 1)));
        assert_eq!(read("+FLAGS.SILENT \\Seen"), Some((FlagOp::Add, true, 0)));
        assert_eq!(read("FLAGS ()"), Some((FlagOp::Replace, false, 0)));
        for bad in
            ["FLAGS", "FLAGS ", "*FLAGS a", "FLAGS.LOUD a", "FLAGS a ", "FLAGS (a) b", "FOO a"]
        {
            assert_eq!(read(bad), None, "{bad}");
        }
    }

    #[test]
    fn the_examples_of_rfc_7162_section_3_1_3() {
        let store = |line: &str| match parse(line) {
            Some(Command::Store(store)) => store,
            other => panic!("{other:?}"),
        };
        let conditional = store(
            "a103 UID STORE 6,4,8 (UNCHANGEDSINCE 12121230045) +FLAGS.SILENT (\\Deleted)\r\n",
        );
        assert_eq!(conditional.unchanged_since, Some(12_121_230_045));
        assert!(conditional.silent && conditional.flags.deleted);
        let never = store("c101 STORE 50 (UNCHANGEDSINCE 0) -FLAGS.SILENT ($Processed)\r\n");
        assert_eq!(never.unchanged_since, Some(0));
        assert_eq!(parse("a STORE 1 (UNCHANGEDSINCE) FLAGS ()\r\n"), None);
        assert_eq!(parse("a STORE 1 () FLAGS ()\r\n"), None);
    }

    #[test]
    fn by_uid() {
        // RFC 6851 §4.3 and RFC 4315 §2.1.
        assert!(matches!(
            parse("a UID MOVE 42:69 foo\r\n"),
            Some(Command::Move(Transfer { uid: true, .. }))
        ));
        assert!(matches!(
            parse("a MOVE 1 foo\r\n"),
            Some(Command::Move(Transfer { uid: false, .. }))
        ));
        assert!(matches!(
            parse("a UID COPY * foo\r\n"),
            Some(Command::Copy(Transfer { uid: true, .. }))
        ));
        let Some(Command::UidExpunge(set)) = parse("A101 UID EXPUNGE 3000:3002\r\n") else {
            panic!()
        };
        assert_eq!(set.resolve(5000).to_string(), "3000:3002");
        assert_eq!(parse("a UID EXPUNGE\r\n"), None);
    }
}
