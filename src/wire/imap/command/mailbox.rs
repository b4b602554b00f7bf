//! Commands about mailboxes: DELETE and its like, CREATE, RENAME.

use crate::wire::imap::cursor::{Cursor, Parsed};
use crate::wire::imap::error::{SyntaxError, What};
use crate::wire::imap::mailbox::MailboxName;
use crate::wire::imap::special_use::SpecialUse;

/// `CREATE`
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Create {
    /// The mailbox to make.
    pub mailbox: MailboxName,
    /// What it is for (RFC 6154 §3).
    pub special_use: Option<SpecialUse>,
}

/// `RENAME`
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Rename {
    /// The name as it is.
    pub from: MailboxName,
    /// The name as it shall be.
    pub to: MailboxName,
}

/// ```abnf
/// delete      = "DELETE" SP mailbox
/// subscribe   = "SUBSCRIBE" SP mailbox
/// unsubscribe = "UNSUBSCRIBE" SP mailbox
/// ```
pub(super) fn one(cursor: &mut Cursor<'_>) -> Parsed<MailboxName> {
    cursor.sp()?;
    cursor.mailbox()
}

/// ```abnf
/// create       = "CREATE" SP mailbox [SP "(" create-param *(SP create-param) ")"]
/// create-param = "USE" SP "(" [use-attr *(SP use-attr)] ")"    ; RFC 6154
/// ```
///
/// A mailbox here has one special use at most, and `USE` is the only parameter.
pub(super) fn create(cursor: &mut Cursor<'_>) -> Parsed<Create> {
    cursor.sp()?;
    let mailbox = cursor.new_mailbox()?;
    let mut special_use = None;
    if cursor.eat(b" ") {
        cursor.expect("(USE ")?;
        let offset = cursor.offset();
        let uses = cursor.list(SpecialUse::ALL.len(), "special uses", true, Cursor::special_use)?;
        cursor.expect(")")?;
        if uses.len() > 1 {
            return Err(SyntaxError { what: What::SpecialUse, offset });
        }
        special_use = uses.first().copied();
    }
    Ok(Create { mailbox, special_use })
}

/// ```abnf
/// rename = "RENAME" SP mailbox SP mailbox
/// ```
pub(super) fn rename(cursor: &mut Cursor<'_>) -> Parsed<Rename> {
    let from = one(cursor)?;
    cursor.sp()?;
    Ok(Rename { from, to: cursor.new_mailbox()? })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::imap::command::{Command, parse_command};

    fn parse(line: &str) -> Result<Command, What> {
        parse_command(line.as_bytes()).map(|tagged| tagged.command).map_err(|error| error.what)
    }

    fn name(name: &str) -> MailboxName {
        MailboxName::new(name).unwrap()
    }

    #[test]
    fn the_examples_of_rfc_3501_section_6_3() {
        assert_eq!(
            parse("A003 CREATE owatagusiam/\r\n").unwrap(),
            Command::Create(Create { mailbox: name("owatagusiam"), special_use: None })
        );
        assert_eq!(parse("A685 DELETE foo/bar\r\n").unwrap(), Command::Delete(name("foo/bar")));
        assert_eq!(
            parse("A683 RENAME blurdybloop sarasoop\r\n").unwrap(),
            Command::Rename(Rename { from: name("blurdybloop"), to: name("sarasoop") })
        );
        assert_eq!(
            parse("A SUBSCRIBE #news.comp.mail.mime\r\n").unwrap(),
            Command::Subscribe(name("#news.comp.mail.mime"))
        );
        assert_eq!(
            parse("A UNSUBSCRIBE \"Sent Items\"\r\n").unwrap(),
            Command::Unsubscribe(name("Sent Items"))
        );
        for bad in ["a DELETE\r\n", "a DELETE a b\r\n", "a RENAME a\r\n", "a DELETE %\r\n"] {
            assert!(matches!(parse(bad).unwrap_err(), What::Expected(_)), "{bad}");
        }
    }

    #[test]
    fn create_with_a_special_use() {
        // RFC 6154 §5.3.
        assert_eq!(
            parse("t2 CREATE MySpecial (USE (\\Drafts))\r\n").unwrap(),
            Command::Create(Create {
                mailbox: name("MySpecial"),
                special_use: Some(SpecialUse::Drafts)
            })
        );
        assert_eq!(
            parse("t2 CREATE a (USE ())\r\n").unwrap(),
            Command::Create(Create { mailbox: name("a"), special_use: None })
        );
        assert_eq!(parse("t1 CREATE a (USE (\\Drafts \\Sent))\r\n").unwrap_err(), What::SpecialUse);
        assert_eq!(parse("t1 CREATE a (USE (\\Foo))\r\n").unwrap_err(), What::SpecialUse);
        assert_eq!(parse("t1 CREATE a (USE (Drafts))\r\n").unwrap_err(), What::SpecialUse);
        assert!(parse("t1 CREATE a (FOO)\r\n").is_err());
    }
}
