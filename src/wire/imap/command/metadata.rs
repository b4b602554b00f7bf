//! GETMETADATA and SETMETADATA (RFC 5464 §4), and the return option of LIST (RFC 9590).

use crate::wire::imap::annotation::{Depth, EntryName};
use crate::wire::imap::cursor::{Cursor, Parsed};
use crate::wire::imap::error::{SyntaxError, What};
use crate::wire::imap::mailbox::MailboxName;

/// The most entries in one command.
const MAX_ENTRIES: usize = 100;
/// The most options, repeated ones included.
const MAX_OPTIONS: usize = 4;

/// `GETMETADATA`
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct GetMetadata {
    /// The mailbox asked about; `None` for the server.
    pub mailbox: Option<MailboxName>,
    /// `DEPTH`: how far below the entries.
    pub depth: Depth,
    /// `MAXSIZE`: larger values, in octets, are not to be sent.
    pub max_size: Option<u32>,
    /// The entries, each once.
    pub entries: Vec<EntryName>,
}

/// `SETMETADATA`
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SetMetadata {
    /// The mailbox; `None` for the server.
    pub mailbox: Option<MailboxName>,
    /// Entries, each once, and their new values; `None` removes one.
    pub values: Vec<(EntryName, Option<Vec<u8>>)>,
}

/// ```abnf
/// getmetadata         = "GETMETADATA" [SP getmetadata-options] SP mailbox SP entries
/// getmetadata-options = "(" getmetadata-option *(SP getmetadata-option) ")"
/// ```
///
/// The RFC's examples have the options behind the mailbox, and clients do as they do.
pub(super) fn get_metadata(cursor: &mut Cursor<'_>) -> Parsed<GetMetadata> {
    let mut wanted =
        GetMetadata { mailbox: None, depth: Depth::Zero, max_size: None, entries: Vec::new() };
    cursor.sp()?;
    if cursor.peek() == Some(b'(') {
        options(cursor, &mut wanted)?;
        cursor.sp()?;
    }
    wanted.mailbox = subject(cursor)?;
    cursor.sp()?;
    if matches!(cursor.rest(), [b'(', next, ..] if next.is_ascii_alphabetic()) {
        options(cursor, &mut wanted)?;
        cursor.sp()?;
    }
    wanted.entries = entries(cursor)?;
    Ok(wanted)
}

/// ```abnf
/// getmetadata-option = "DEPTH" SP ("0" / "1" / "infinity") / "MAXSIZE" SP number
/// ```
fn options(cursor: &mut Cursor<'_>, wanted: &mut GetMetadata) -> Parsed<()> {
    cursor.list(MAX_OPTIONS, "options", false, |cursor| {
        let offset = cursor.offset();
        let option = cursor.word("DEPTH or MAXSIZE")?;
        cursor.sp()?;
        match option.as_slice() {
            b"DEPTH" => wanted.depth = depth(cursor)?,
            b"MAXSIZE" => wanted.max_size = Some(cursor.number()?),
            _ => return Err(SyntaxError { what: What::Expected("DEPTH or MAXSIZE"), offset }),
        }
        Ok(())
    })?;
    Ok(())
}

fn depth(cursor: &mut Cursor<'_>) -> Parsed<Depth> {
    let offset = cursor.offset();
    match cursor.word("a depth")?.as_slice() {
        b"0" => Ok(Depth::Zero),
        b"1" => Ok(Depth::One),
        b"INFINITY" => Ok(Depth::Infinity),
        _ => Err(SyntaxError { what: What::Expected("0, 1 or infinity"), offset }),
    }
}

/// ```abnf
/// entries = entry / "(" entry *(SP entry) ")"
/// ```
pub(super) fn entries(cursor: &mut Cursor<'_>) -> Parsed<Vec<EntryName>> {
    if cursor.peek() != Some(b'(') {
        return Ok(vec![cursor.entry_name()?]);
    }
    let mut entries = Vec::new();
    cursor.list(MAX_ENTRIES, "entries", false, |cursor| {
        let entry = cursor.entry_name()?;
        if !entries.contains(&entry) {
            entries.push(entry);
        }
        Ok(())
    })?;
    Ok(entries)
}

/// ```abnf
/// setmetadata  = "SETMETADATA" SP mailbox SP entry-values
/// entry-values = "(" entry-value *(SP entry-value) ")"
/// entry-value  = entry SP value
/// ```
///
/// An entry that is named twice has the last value.
pub(super) fn set_metadata(cursor: &mut Cursor<'_>) -> Parsed<SetMetadata> {
    cursor.sp()?;
    let mailbox = subject(cursor)?;
    cursor.sp()?;
    let mut values = cursor.list(MAX_ENTRIES, "entries", false, |cursor| {
        let offset = cursor.offset();
        let entry = cursor.entry_name()?;
        if entry.path().is_empty() {
            return Err(SyntaxError { what: What::Expected("the name of an entry"), offset });
        }
        cursor.sp()?;
        Ok((entry, value(cursor)?))
    })?;
    values.reverse();
    values.sort_by(|(one, _), (other, _)| one.cmp(other));
    values.dedup_by(|(later, _), (kept, _)| later == kept);
    Ok(SetMetadata { mailbox, values })
}

/// ```abnf
/// value    = nstring / literal8
/// literal8 = "~{" number64 ["+"] "}" CRLF *OCTET    ; RFC 9051 §9
/// ```
fn value(cursor: &mut Cursor<'_>) -> Parsed<Option<Vec<u8>>> {
    if !cursor.eat(b"~") {
        return cursor.nstring("a value");
    }
    let size = cursor.literal_header()?;
    match usize::try_from(size).ok().and_then(|size| cursor.take(size)) {
        Some(octets) => Ok(Some(octets.to_vec())),
        None => cursor.expected("a literal"),
    }
}

/// A mailbox, or the empty name for the server.
fn subject(cursor: &mut Cursor<'_>) -> Parsed<Option<MailboxName>> {
    if cursor.eat(b"\"\"") { Ok(None) } else { cursor.mailbox().map(Some) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::imap::command::{Command, parse_command};

    fn parse(line: &str) -> Result<Command, What> {
        parse_command(line.as_bytes()).map(|tagged| tagged.command).map_err(|error| error.what)
    }

    fn get(line: &str) -> GetMetadata {
        match parse(line) {
            Ok(Command::GetMetadata(get)) => get,
            other => panic!("{line}: {other:?}"),
        }
    }

    fn entry(name: &str) -> EntryName {
        EntryName::new(name).unwrap()
    }

    #[test]
    fn the_examples_of_rfc_5464_section_4_2() {
        let plain = get("a GETMETADATA \"\" /shared/comment\r\n");
        assert_eq!((plain.mailbox, plain.max_size), (None, None));
        assert_eq!(plain.entries, [entry("/shared/comment")]);
        let several = get("a GETMETADATA \"INBOX\" (/private/comment /shared/comment)\r\n");
        assert_eq!(several.mailbox, Some(MailboxName::inbox()));
        assert_eq!(several.entries.len(), 2);
        for line in [
            "a GETMETADATA (MAXSIZE 1024 DEPTH 1) \"INBOX\" (/private/filters/values)\r\n",
            "a GETMETADATA \"INBOX\" (DEPTH 1 MAXSIZE 1024) (/private/filters/values)\r\n",
        ] {
            let wanted = get(line);
            assert_eq!((wanted.max_size, wanted.depth), (Some(1024), Depth::One));
        }
        assert_eq!(get("a GETMETADATA (DEPTH infinity) \"\" /shared\r\n").depth, Depth::Infinity);
    }

    #[test]
    fn the_examples_of_rfc_5464_section_4_3() {
        let set = |line: &str| match parse(line) {
            Ok(Command::SetMetadata(set)) => set,
            other => panic!("{line}: {other:?}"),
        };
        let told =
            set("a SETMETADATA INBOX (/private/comment {6}\r\nMy own /shared/comment NIL)\r\n");
        let values = [
            (entry("/private/comment"), Some(b"My own".to_vec())),
            (entry("/shared/comment"), None),
        ];
        let mut values = values.to_vec();
        values.sort();
        assert_eq!(told.values, values);
        let told = set("a SETMETADATA \"\" (/private/a \"1\" /private/A ~{2}\r\n\0b)\r\n");
        assert_eq!(
            (told.mailbox, told.values),
            (None, vec![(entry("/private/a"), Some(b"\0b".to_vec()))])
        );
    }

    #[test]
    fn what_is_none_of_them() {
        for bad in [
            "a GETMETADATA\r\n",
            "a GETMETADATA INBOX\r\n",
            "a GETMETADATA INBOX ()\r\n",
            "a GETMETADATA INBOX comment\r\n",
            "a GETMETADATA (DEPTH 2) INBOX /shared/a\r\n",
            "a GETMETADATA (FOO 2) INBOX /shared/a\r\n",
            "a SETMETADATA INBOX /shared/a \"b\"\r\n",
            "a SETMETADATA INBOX (/shared/a)\r\n",
            "a SETMETADATA INBOX (/shared \"a\")\r\n",
            "a SETMETADATA INBOX (/shared/a ~{9}\r\nx)\r\n",
        ] {
            assert!(matches!(parse(bad), Err(What::Expected(_))), "{bad}");
        }
        assert_eq!(parse("a GETMETADATA ../x /shared/a\r\n"), Err(What::MailboxName));
        let many =
            format!("a GETMETADATA \"\" ({}/shared/a)\r\n", "/shared/a ".repeat(MAX_ENTRIES));
        assert_eq!(parse(&many), Err(What::Limit("entries")));
    }
}
