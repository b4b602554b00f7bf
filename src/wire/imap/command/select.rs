//! SELECT and EXAMINE (RFC 3501 §6.3.1), with CONDSTORE and QRESYNC (RFC 7162).

use crate::wire::imap::cursor::{Cursor, Parsed};
use crate::wire::imap::mailbox::MailboxName;
use crate::wire::imap::set::SequenceSet;

/// `SELECT` or `EXAMINE`
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Select {
    /// The mailbox to open.
    pub mailbox: MailboxName,
    /// `EXAMINE`: nothing in it may change.
    pub read_only: bool,
    /// `CONDSTORE`: turns it on (RFC 7162 §3.1.8).
    pub condstore: bool,
    /// What the client knows of the mailbox from an earlier session.
    pub known: Option<Known>,
}

/// `QRESYNC`: what a client that comes back knows (RFC 7162 §3.2.5).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Known {
    /// The UIDVALIDITY for which the rest holds.
    pub uid_validity: u32,
    /// The HIGHESTMODSEQ up to which it knows everything.
    pub mod_seq: u64,
    /// The messages that it knows; `None` for all there were.
    pub uids: Option<SequenceSet>,
    /// Some of them were named by sequence numbers as well.
    pub by_sequence: bool,
}

/// ```abnf
/// select       = "SELECT" SP mailbox [select-params]
/// examine      = "EXAMINE" SP mailbox [select-params]
/// select-params = SP "(" select-param *(SP select-param) ")"    ; RFC 4466
/// select-param = "CONDSTORE" / "QRESYNC" SP "(" qresync ")"     ; RFC 7162
/// ```
pub(super) fn select(cursor: &mut Cursor<'_>, read_only: bool) -> Parsed<Select> {
    cursor.sp()?;
    let mailbox = cursor.mailbox()?;
    let mut select = Select { mailbox, read_only, condstore: false, known: None };
    if cursor.eat(b" ") {
        cursor.list(2, "parameters", false, |cursor| {
            if cursor.eat(b"CONDSTORE") {
                select.condstore = true;
            } else {
                cursor.expect("QRESYNC (")?;
                select.known = Some(known(cursor)?);
            }
            Ok(())
        })?;
    }
    Ok(select)
}

/// ```abnf
/// qresync = uidvalidity SP mod-sequence-value [SP known-uids] [SP seq-match-data] ")"
/// seq-match-data = "(" known-sequence-set SP known-uid-set ")"
/// ```
///
/// The match data spare a server that has forgotten which messages went from naming all of them;
/// the answer is right without, so they are read and no more.
fn known(cursor: &mut Cursor<'_>) -> Parsed<Known> {
    let uid_validity = cursor.nz_number()?.get();
    cursor.sp()?;
    let mod_seq = cursor.number64()?;
    let mut uids = None;
    if cursor.rest().starts_with(b" ") && !cursor.rest().starts_with(b" (") {
        cursor.sp()?;
        uids = Some(cursor.sequence_set()?);
    }
    let by_sequence = cursor.eat(b" (");
    if by_sequence {
        cursor.sequence_set()?;
        cursor.sp()?;
        cursor.sequence_set()?;
        cursor.expect(")")?;
    }
    cursor.expect(")")?;
    Ok(Known { uid_validity, mod_seq, uids, by_sequence })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::imap::command::{Command, parse_command};

    fn parse(line: &str) -> Option<Select> {
        match parse_command(line.as_bytes()).ok()?.command {
            Command::Select(select) => Some(select),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn plain() {
        let select = parse("A142 SELECT INBOX\r\n").unwrap();
        assert!(select.mailbox.is_inbox() && !select.read_only && !select.condstore);
        let examine = parse("A932 EXAMINE blurdybloop\r\n").unwrap();
        assert!(examine.read_only && examine.known.is_none());
        for bad in ["a SELECT\r\n", "a SELECT a b\r\n", "a SELECT %\r\n", "a SELECT a ()\r\n"] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn the_examples_of_rfc_7162() {
        // Section 3.1.8.
        assert!(parse("A142 SELECT INBOX (CONDSTORE)\r\n").unwrap().condstore);
        // Section 3.2.5.
        let known = |line: &str| parse(line).unwrap().known.unwrap();
        let two =
            known("A02 SELECT INBOX (QRESYNC (67890007 20050715194045000 41,43:211,214:541))\r\n");
        assert_eq!((two.uid_validity, two.mod_seq), (67_890_007, 20_050_715_194_045_000));
        assert_eq!(two.uids.unwrap().ranges().len(), 3);
        let matched = known(
            "B04 SELECT INBOX (QRESYNC (67890007 90060115205545359 41:211,214:541 \
             (5000,7500,9000,9990:9999 15000,22500,27000,29970,29973)))\r\n",
        );
        assert_eq!(matched.uids.unwrap().ranges().len(), 2);
        let no_uids = known("a SELECT x (QRESYNC (1 2 (1 1)) CONDSTORE)\r\n");
        assert_eq!(no_uids.uids, None);
        assert_eq!(known("a EXAMINE x (QRESYNC (1 2))\r\n").mod_seq, 2);
        for bad in ["QRESYNC", "QRESYNC (0 1)", "QRESYNC (1)", "QRESYNC (1 2 (1))", "SNOOZE"] {
            assert_eq!(parse(&format!("a SELECT x ({bad})\r\n")), None, "{bad}");
        }
    }
}
