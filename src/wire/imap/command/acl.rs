//! SETACL, DELETEACL, GETACL, LISTRIGHTS and MYRIGHTS (RFC 4314 §3). The last, and GETACL, name one
//! mailbox and nothing else.

use crate::domain::rights::Rights;
use crate::wire::imap::cursor::{Cursor, Parsed};
use crate::wire::imap::error::{SyntaxError, What};
use crate::wire::imap::mailbox::MailboxName;

/// `SETACL`
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SetAcl {
    /// The mailbox, and whose rights.
    pub of: AclEntry,
    /// What becomes of them.
    pub change: RightsChange,
}

/// An entry in the list of a mailbox.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AclEntry {
    /// The mailbox.
    pub mailbox: MailboxName,
    /// Whose rights.
    pub identifier: String,
}

/// How rights change.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RightsChange {
    /// They are these and no others.
    Replace(Rights),
    /// `+`: these as well.
    Add(Rights),
    /// `-`: these no more.
    Remove(Rights),
}

/// ```abnf
/// setacl     = "SETACL" SP mailbox SP identifier SP mod-rights
/// mod-rights = astring    ; +rights to add, -rights to remove, rights to replace
/// ```
pub(super) fn set_acl(cursor: &mut Cursor<'_>) -> Parsed<SetAcl> {
    let of = entry(cursor)?;
    cursor.sp()?;
    let offset = cursor.offset();
    let text = cursor.astring_utf8("rights")?;
    let (change, letters): (fn(Rights) -> RightsChange, _) = match text.split_at_checked(1) {
        Some(("+", letters)) => (RightsChange::Add, letters),
        Some(("-", letters)) => (RightsChange::Remove, letters),
        _ => (RightsChange::Replace, text.as_str()),
    };
    let rights = Rights::from_letters(letters)
        .ok_or(SyntaxError { what: What::Expected("rights of lrswipkxtea"), offset })?;
    Ok(SetAcl { of, change: change(rights) })
}

/// ```abnf
/// deleteacl  = "DELETEACL" SP mailbox SP identifier
/// listrights = "LISTRIGHTS" SP mailbox SP identifier
/// identifier = astring
/// ```
pub(super) fn entry(cursor: &mut Cursor<'_>) -> Parsed<AclEntry> {
    cursor.sp()?;
    let mailbox = cursor.mailbox()?;
    cursor.sp()?;
    Ok(AclEntry { mailbox, identifier: cursor.astring_utf8("an identifier")? })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::imap::command::{Command, parse_command};

    fn parse(line: &str) -> Result<Command, What> {
        parse_command(line.as_bytes()).map(|tagged| tagged.command).map_err(|error| error.what)
    }

    fn of(mailbox: &str, identifier: &str) -> AclEntry {
        AclEntry { mailbox: MailboxName::new(mailbox).unwrap(), identifier: identifier.to_owned() }
    }

    #[test]
    fn the_examples_of_rfc_4314_section_3() {
        let rights = |letters| Rights::from_letters(letters).unwrap();
        for (line, mailbox, identifier, change) in [
            ("A035 SETACL INBOX/Drafts John lrQswicda", "", "", None),
            (
                "A036 SETACL INBOX/Drafts John lrswicda",
                "INBOX/Drafts",
                "John",
                Some(RightsChange::Replace(rights("lrswikxtea"))),
            ),
            (
                "A035 SETACL INBOX/Drafts John +td",
                "INBOX/Drafts",
                "John",
                Some(RightsChange::Add(rights("xte"))),
            ),
            ("a SETACL x y \"-\"", "x", "y", Some(RightsChange::Remove(Rights::NONE))),
            ("a SETACL x y \"\"", "x", "y", Some(RightsChange::Replace(Rights::NONE))),
        ] {
            let expected = change
                .map(|change| Command::SetAcl(SetAcl { of: of(mailbox, identifier), change }))
                .ok_or(What::Expected("rights of lrswipkxtea"));
            assert_eq!(parse(&format!("{line}\r\n")), expected, "{line}");
        }
        assert_eq!(
            parse("B001 DELETEACL INBOX Fred\r\n"),
            Ok(Command::DeleteAcl(of("INBOX", "Fred")))
        );
        assert_eq!(
            parse("a001 LISTRIGHTS ~/Mail/saved smith\r\n"),
            Ok(Command::ListRights(of("~/Mail/saved", "smith")))
        );
        assert_eq!(parse("A002 GETACL INBOX\r\n"), Ok(Command::GetAcl(MailboxName::inbox())));
        assert_eq!(parse("A003 MYRIGHTS INBOX\r\n"), Ok(Command::MyRights(MailboxName::inbox())));
    }

    #[test]
    fn what_is_none_of_them() {
        for bad in [
            "a SETACL INBOX\r\n",
            "a SETACL INBOX fred\r\n",
            "a SETACL INBOX fred lr s\r\n",
            "a DELETEACL INBOX\r\n",
            "a LISTRIGHTS INBOX\r\n",
            "a GETACL\r\n",
            "a MYRIGHTS INBOX x\r\n",
        ] {
            assert!(matches!(parse(bad), Err(What::Expected(_))), "{bad}");
        }
        assert_eq!(parse("a SETACL ../x fred l\r\n"), Err(What::MailboxName));
    }
}
