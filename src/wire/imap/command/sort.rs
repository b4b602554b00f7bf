//! SORT (RFC 5256), with the keys of RFC 5957.

use crate::wire::imap::command::search::{charset, search_keys};
use crate::wire::imap::command::search_key::SearchKey;
use crate::wire::imap::command::search_return::{Returns, returns};
use crate::wire::imap::cursor::{Cursor, Parsed};

/// The most criteria in one SORT: there are nine keys.
const MAX_CRITERIA: usize = 20;

/// `SORT` or `UID SORT`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Sort {
    /// Whether the answer is UIDs.
    pub uid: bool,
    /// What the answer tells; `None` where the client did not say.
    pub returns: Option<Returns>,
    /// What to sort by, the first counting most; at least one.
    pub criteria: Vec<SortCriterion>,
    /// What must hold of a message.
    pub keys: Vec<SearchKey>,
}

/// One thing to sort by.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SortCriterion {
    /// What.
    pub key: SortKey,
    /// `REVERSE`: largest first.
    pub reverse: bool,
}

/// What messages can be sorted by (RFC 5256 §3).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SortKey {
    /// Internal date and time.
    Arrival,
    /// The local part of the first Cc address.
    Cc,
    /// The Date field; the internal date where there is none (RFC 5256 §2.2).
    Date,
    /// The name of the first From mailbox, else its address (RFC 5957).
    DisplayFrom,
    /// The name of the first To mailbox, else its address (RFC 5957).
    DisplayTo,
    /// The local part of the first From address.
    From,
    /// Octets.
    Size,
    /// The base subject (RFC 5256 §2.1).
    Subject,
    /// The local part of the first To address.
    To,
}

/// ```abnf
/// sort            = "SORT" [search-return-opts] SP sort-criteria SP search-criteria
/// sort-criteria   = "(" sort-criterion *(SP sort-criterion) ")"
/// search-criteria = charset 1*(SP search-key)
/// ```
pub(super) fn sort(cursor: &mut Cursor<'_>, uid: bool) -> Parsed<Sort> {
    let returns = returns(cursor)?;
    cursor.sp()?;
    let criteria = cursor.list(MAX_CRITERIA, "sort criteria", false, sort_criterion)?;
    Ok(Sort { uid, returns, criteria, keys: search_criteria(cursor)? })
}

/// `SP charset 1*(SP search-key)`
pub(super) fn search_criteria(cursor: &mut Cursor<'_>) -> Parsed<Vec<SearchKey>> {
    cursor.sp()?;
    charset(cursor)?;
    search_keys(cursor)
}

/// ```abnf
/// sort-criterion = ["REVERSE" SP] sort-key
/// sort-key       = "ARRIVAL" / "CC" / "DATE" / "FROM" / "SIZE" / "SUBJECT" / "TO"
/// sort-key       =/ "DISPLAYFROM" / "DISPLAYTO"    ; RFC 5957
/// ```
fn sort_criterion(cursor: &mut Cursor<'_>) -> Parsed<SortCriterion> {
    let reverse = cursor.eat(b"REVERSE ");
    let word = cursor.word("a sort key")?;
    let key = match word.as_slice() {
        b"ARRIVAL" => SortKey::Arrival,
        b"CC" => SortKey::Cc,
        b"DATE" => SortKey::Date,
        b"DISPLAYFROM" => SortKey::DisplayFrom,
        b"DISPLAYTO" => SortKey::DisplayTo,
        b"FROM" => SortKey::From,
        b"SIZE" => SortKey::Size,
        b"SUBJECT" => SortKey::Subject,
        b"TO" => SortKey::To,
        _ => return cursor.expected("a sort key"),
    };
    Ok(SortCriterion { key, reverse })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::imap::command::{Command, parse_command};
    use crate::wire::imap::error::What;

    fn parse(text: &str) -> Result<Sort, What> {
        let line = format!("A282 {text}\r\n");
        match parse_command(line.as_bytes()).map_err(|error| error.what)?.command {
            Command::Sort(sort) => Ok(sort),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_examples_of_rfc_5256() {
        let sort = parse("SORT (SUBJECT) UTF-8 SINCE 1-Feb-1994").unwrap();
        assert_eq!(sort.criteria, [SortCriterion { key: SortKey::Subject, reverse: false }]);
        assert!(!sort.uid && sort.returns.is_none() && sort.keys.len() == 1);
        let sort = parse("UID SORT (SUBJECT REVERSE DATE) UTF-8 ALL").unwrap();
        assert_eq!(sort.criteria[1], SortCriterion { key: SortKey::Date, reverse: true });
        assert!(sort.uid);
        let text = "SORT (SUBJECT) US-ASCII TEXT \"not in mailbox\"";
        assert_eq!(parse(text).unwrap().keys, [SearchKey::Text("not in mailbox".to_owned())]);
        // RFC 5267 §3.1.
        let sort = parse("UID SORT RETURN (PARTIAL 23500:24000) (REVERSE DATE) UTF-8 UNDELETED");
        assert!(sort.unwrap().returns.unwrap().partial.is_some());
    }

    #[test]
    fn what_is_no_sort() {
        let every =
            "SORT (arrival CC DATE FROM SIZE SUBJECT TO DISPLAYFROM REVERSE DISPLAYTO) utf-8 1 ALL";
        assert_eq!(parse(every).unwrap().criteria.len(), 9);
        for bad in [
            "()",
            "(SUBJECT)",
            "(SUBJECT) UTF-8",
            "SUBJECT UTF-8 ALL",
            "(REVERSE) UTF-8 ALL",
            "(X) UTF-8 ALL",
        ] {
            assert!(parse(&format!("SORT {bad}")).is_err(), "{bad}");
        }
        assert_eq!(parse("SORT (DATE) KOI8-R ALL").unwrap_err(), What::Charset);
    }
}
