//! LIST and LSUB (RFC 3501 §6.3.8, RFC 5258, RFC 5819, RFC 6154, RFC 8440, RFC 9590).

use crate::wire::imap::annotation::EntryName;
use crate::wire::imap::command::metadata;
use crate::wire::imap::command::status::{self, StatusItem};
use crate::wire::imap::cursor::{Cursor, Parsed};
use crate::wire::imap::error::{SyntaxError, What};
use crate::wire::imap::pattern::ListPattern;

/// The most patterns in one LIST.
const MAX_PATTERNS: usize = 20;
/// The most options of one kind.
const MAX_OPTIONS: usize = 20;

/// `LIST`
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct List {
    /// A name matches if one of these does; they carry the reference already.
    pub patterns: Vec<ListPattern>,
    /// Which mailboxes.
    pub select: ListSelect,
    /// What to tell of each; `None` without `RETURN`.
    pub returns: Option<ListReturn>,
}

/// Selection options (RFC 5258 §3.1).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct ListSelect {
    /// `SUBSCRIBED`: subscribed names, also of mailboxes that are gone, and nothing else.
    pub subscribed: bool,
    /// `RECURSIVEMATCH`: also names that do not fit, above one that does.
    pub recursive_match: bool,
    /// `SPECIAL-USE`: only mailboxes with a special use.
    pub special_use: bool,
}

/// Return options (RFC 5258 §3.2).
#[expect(clippy::struct_excessive_bools, reason = "each is an option, given or not")]
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ListReturn {
    /// `SUBSCRIBED`: tell which are.
    pub subscribed: bool,
    /// `CHILDREN`: tell which have any.
    pub children: bool,
    /// `SPECIAL-USE`: tell the special use.
    pub special_use: bool,
    /// `STATUS`: a STATUS answer for each with these items (RFC 5819); empty for none.
    pub status: Vec<StatusItem>,
    /// `MYRIGHTS`: a MYRIGHTS answer for each (RFC 8440).
    pub my_rights: bool,
    /// `METADATA`: a METADATA answer for each with these entries (RFC 9590); empty for none.
    pub metadata: Vec<EntryName>,
}

/// `LSUB`
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Lsub {
    /// Which subscribed names; carries the reference already.
    pub pattern: ListPattern,
}

/// ```abnf
/// lsub = "LSUB" SP mailbox SP list-mailbox
/// ```
pub(super) fn lsub(cursor: &mut Cursor<'_>) -> Parsed<Lsub> {
    cursor.sp()?;
    let reference = cursor.reference()?;
    cursor.sp()?;
    Ok(Lsub { pattern: cursor.list_mailbox(&reference)? })
}

/// ```abnf
/// list        = "LIST" [SP list-select-opts] SP mailbox SP mbox-or-pat [SP list-return-opts]
/// mbox-or-pat = list-mailbox / patterns
/// patterns    = "(" list-mailbox *(SP list-mailbox) ")"
/// ```
pub(super) fn list(cursor: &mut Cursor<'_>) -> Parsed<List> {
    cursor.sp()?;
    let mut select = ListSelect::default();
    if cursor.peek() == Some(b'(') {
        select = select_options(cursor)?;
        cursor.sp()?;
    }
    let reference = cursor.reference()?;
    cursor.sp()?;
    let patterns = if cursor.peek() == Some(b'(') {
        cursor.list(MAX_PATTERNS, "patterns", false, |cursor| cursor.list_mailbox(&reference))?
    } else {
        vec![cursor.list_mailbox(&reference)?]
    };
    let returns = if cursor.eat(b" ") { Some(return_options(cursor)?) } else { None };
    Ok(List { patterns, select, returns })
}

/// ```abnf
/// list-select-opts = "(" [(*(list-select-opt SP) list-select-base-opt *(SP list-select-opt)) /
///                    (list-select-independent-opt *(SP list-select-independent-opt))] ")"
/// ```
///
/// `REMOTE` selects nothing more here: all mailboxes are local. `RECURSIVEMATCH` only goes with
/// an option that a mailbox below can match (RFC 5258 §3.1).
fn select_options(cursor: &mut Cursor<'_>) -> Parsed<ListSelect> {
    let start = cursor.offset();
    let mut select = ListSelect::default();
    cursor.list(MAX_OPTIONS, "selection options", true, |cursor| {
        let offset = cursor.offset();
        match cursor.word("a selection option")?.as_slice() {
            b"SUBSCRIBED" => select.subscribed = true,
            b"RECURSIVEMATCH" => select.recursive_match = true,
            b"SPECIAL-USE" => select.special_use = true,
            b"REMOTE" => {}
            _ => return Err(SyntaxError { what: What::Expected("a selection option"), offset }),
        }
        Ok(())
    })?;
    if select.recursive_match && !select.subscribed && !select.special_use {
        let what = What::Expected("SUBSCRIBED or SPECIAL-USE with RECURSIVEMATCH");
        return Err(SyntaxError { what, offset: start });
    }
    Ok(select)
}

/// ```abnf
/// list-return-opts = "RETURN" SP "(" [return-option *(SP return-option)] ")"
/// return-option    = "SUBSCRIBED" / "CHILDREN" / "SPECIAL-USE" / "MYRIGHTS" /
///                    status-option / metadata-option
/// status-option    = "STATUS" SP "(" status-att *(SP status-att) ")"
/// metadata-option  = "METADATA" SP entries    ; RFC 9590
/// ```
fn return_options(cursor: &mut Cursor<'_>) -> Parsed<ListReturn> {
    cursor.expect("RETURN")?;
    cursor.sp()?;
    let mut returns = ListReturn::default();
    cursor.list(MAX_OPTIONS, "return options", true, |cursor| {
        let offset = cursor.offset();
        match cursor.word("a return option")?.as_slice() {
            b"SUBSCRIBED" => returns.subscribed = true,
            b"CHILDREN" => returns.children = true,
            b"SPECIAL-USE" => returns.special_use = true,
            b"MYRIGHTS" => returns.my_rights = true,
            b"STATUS" => returns.status = status::items(cursor)?,
            b"METADATA" => {
                cursor.sp()?;
                returns.metadata = metadata::entries(cursor)?;
            }
            _ => return Err(SyntaxError { what: What::Expected("a return option"), offset }),
        }
        Ok(())
    })?;
    Ok(returns)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::imap::command::{Command, parse_command};

    fn parse(line: &str) -> Result<List, What> {
        match parse_command(line.as_bytes()).map_err(|error| error.what)?.command {
            Command::List(list) => Ok(list),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_examples_of_rfc_3501_section_6_3_8() {
        let root = parse("A101 LIST \"\" \"\"\r\n").unwrap();
        assert!(root.patterns[0].asks_for_root());
        let list = parse("A202 LIST ~/Mail/ %\r\n").unwrap();
        assert_eq!(list.patterns, [ListPattern::new("~/Mail/", "%")]);
        assert_eq!((list.select, list.returns), (ListSelect::default(), None));
        assert_eq!(
            parse_command(b"A002 LSUB \"\" \"&Jjo-*\"\r\n").unwrap().command,
            Command::Lsub(Lsub { pattern: ListPattern::new("", "☺*") })
        );
    }

    #[test]
    fn the_examples_of_rfc_5258_section_5() {
        let list = parse("A03 LIST () \"\" \"%\" RETURN (CHILDREN)\r\n").unwrap();
        assert_eq!(list.returns.unwrap(), ListReturn { children: true, ..ListReturn::default() });
        let list = parse("C01 LIST (SUBSCRIBED RECURSIVEMATCH) \"\" \"foo\"\r\n").unwrap();
        assert!(list.select.subscribed && list.select.recursive_match);
        let list = parse("BBB LIST \"\" (\"INBOX\" \"Drafts\" \"Sent/%\")\r\n").unwrap();
        assert_eq!(list.patterns.len(), 3);
        assert!(parse("a LIST (RECURSIVEMATCH) \"\" *\r\n").is_err());
        assert!(parse("a LIST (RECURSIVEMATCH REMOTE) \"\" *\r\n").is_err());
    }

    #[test]
    fn special_use_and_status() {
        // RFC 6154 §5.2, RFC 5819 §3.
        assert!(parse("t2 LIST (SPECIAL-USE) \"\" \"*\"\r\n").unwrap().select.special_use);
        let list =
            parse("A01 LIST \"\" % RETURN (SPECIAL-USE STATUS (MESSAGES UNSEEN) SUBSCRIBED)\r\n")
                .unwrap();
        let returns = list.returns.unwrap();
        assert!(returns.special_use && returns.subscribed && !returns.children);
        assert_eq!(returns.status, [StatusItem::Messages, StatusItem::Unseen]);
    }

    #[test]
    fn the_example_of_rfc_9590_section_3() {
        let color = "/shared/vendor/cmu/cyrus-imapd/color";
        let line = format!("A00 LIST \"\" % RETURN (METADATA (\"{color}\") CHILDREN)\r\n");
        let returns = parse(&line).unwrap().returns.unwrap();
        assert_eq!(returns.metadata, [EntryName::new(color).unwrap()]);
        assert!(returns.children);
        assert!(parse("a LIST \"\" % RETURN (METADATA ())\r\n").is_err());
    }

    #[test]
    fn what_is_no_list() {
        for bad in [
            "a LIST\r\n",
            "a LIST \"\"\r\n",
            "a LIST \"\" * FOO\r\n",
            "a LIST \"\" * RETURN\r\n",
            "a LIST \"\" * RETURN (FOO)\r\n",
            "a LIST (FOO) \"\" *\r\n",
            "a LIST \"\" ()\r\n",
            "a LIST \"\" \"&*\"\r\n",
            "a LIST \"\" * RETURN (STATUS ())\r\n",
        ] {
            assert!(parse(bad).is_err(), "{bad}");
        }
        let many = format!("a LIST \"\" ({}*)\r\n", "* ".repeat(MAX_PATTERNS));
        assert_eq!(parse(&many).unwrap_err(), What::Limit("patterns"));
    }
}
