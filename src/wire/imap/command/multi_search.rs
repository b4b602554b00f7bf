//! ESEARCH: one search in several mailboxes (RFC 7377).

use crate::wire::imap::command::filter::{Filter, filter};
use crate::wire::imap::command::search::search;
use crate::wire::imap::command::search_key::SearchKey;
use crate::wire::imap::command::search_return::Returns;
use crate::wire::imap::cursor::{Cursor, Parsed};
use crate::wire::imap::error::{SyntaxError, What};

/// The most filters in one ESEARCH.
const MAX_SOURCES: usize = 50;

/// `ESEARCH`. What it finds is told as UIDs.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MultiSearch {
    /// The mailbox that is open is searched.
    pub selected: bool,
    /// And these.
    pub others: Vec<Filter>,
    /// What the answers tell.
    pub returns: Returns,
    /// What must hold of a message: every one of these, at least one.
    pub keys: Vec<SearchKey>,
}

impl MultiSearch {
    /// Whether it asks for what means something in the open mailbox only, and other mailboxes are
    /// searched too: numbers of messages, and SAVE.
    pub fn mixes_mailboxes(&self) -> bool {
        let numbers = self.keys.iter().any(SearchKey::names_numbers);
        !self.others.is_empty() && (numbers || self.returns.save)
    }
}

/// ```abnf
/// esearch             = "ESEARCH" [SP esearch-source-opts] [SP search-return-opts] SP search-program
/// esearch-source-opts = "IN" SP "(" source-mbox [SP "(" scope-options ")"] ")"
/// source-mbox         = filter-mailboxes *(SP filter-mailboxes)
/// ```
///
/// No scope options are known.
pub(super) fn multi_search(cursor: &mut Cursor<'_>) -> Parsed<MultiSearch> {
    let (mut selected, mut others) = (false, Vec::new());
    if cursor.eat(b" IN ") {
        cursor.list(MAX_SOURCES, "mailbox filters", false, |cursor| {
            let offset = cursor.offset();
            let word = cursor.word("a mailbox filter")?;
            if word == b"SELECTED" {
                selected = true;
                return Ok(());
            }
            let what = What::Expected("a mailbox filter");
            others.push(filter(cursor, &word)?.ok_or(SyntaxError { what, offset })?);
            Ok(())
        })?;
    } else {
        selected = true;
    }
    let asked = search(cursor, true)?;
    let returns = asked.returns.unwrap_or(Returns::ALL);
    Ok(MultiSearch { selected, others, returns, keys: asked.keys })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::imap::command::{Command, parse_command};
    use crate::wire::imap::mailbox::MailboxName;

    fn parse(text: &str) -> Option<MultiSearch> {
        match parse_command(format!("tag1 ESEARCH{text}\r\n").as_bytes()).ok()?.command {
            Command::MultiSearch(search) => Some(search),
            other => panic!("{other:?}"),
        }
    }

    /// RFC 7377 §2.3.
    #[test]
    fn the_examples_of_rfc_7377() {
        let name = |name| MailboxName::new(name).unwrap();
        let read = parse(" IN (mailboxes \"folder1\" subtree \"folder2\") unseen").unwrap();
        assert!(!read.selected && !read.mixes_mailboxes() && read.returns == Returns::ALL);
        let [Filter::Mailboxes(one), Filter::Subtree(_)] = &read.others[..] else {
            panic!("{read:?}")
        };
        assert_eq!(one, &[name("folder1")]);
        assert!(read.others[1].matches(&name("folder2/a/b"), false));
        let read = parse(" IN (mailboxes \"folder1\" subtree-one \"folder2\") subject \"chad\"");
        let read = read.unwrap();
        for (folder, matches) in
            [("folder2", true), ("folder2/a", true), ("folder2/a/b", false), ("folder", false)]
        {
            assert_eq!(read.others[1].matches(&name(folder), false), matches, "{folder}");
        }
        let alone = parse(" RETURN (SAVE) 1:5").unwrap();
        assert!(alone.selected && !alone.mixes_mailboxes());
    }

    #[test]
    fn what_is_no_search_in_many() {
        for bad in [
            "",
            " IN () ALL",
            " IN personal ALL",
            " IN (selected-delayed) ALL",
            " IN (subtree) ALL",
            " IN (personal (DEPTH 2)) ALL",
            " IN (personal)",
        ] {
            assert_eq!(parse(bad), None, "{bad}");
        }
        for mixed in ["RETURN (SAVE) ALL", "NOT 1", "UID 1:5", "$"] {
            let read = parse(&format!(" IN (selected personal) {mixed}")).unwrap();
            assert!(read.selected && read.mixes_mailboxes(), "{mixed}");
        }
    }
}
