//! SEARCH (RFC 3501 §6.4.4), extended by RFC 4731.

use crate::wire::imap::command::search_key::{
    SearchKey, date_key, flag_key, gm_key, not, number_key, text_key,
};
use crate::wire::imap::command::search_return::{Returns, returns};
use crate::wire::imap::cursor::{Cursor, Parsed};
use crate::wire::imap::error::{SyntaxError, What};

/// How deep `NOT`, `OR` and parentheses may nest.
const MAX_DEPTH: usize = 50;
/// The most keys in one SEARCH, nested ones and those that combine others included.
const MAX_KEYS: usize = 1000;

/// `SEARCH` or `UID SEARCH`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Search {
    /// Whether the answer is UIDs. Sets among the keys are sequence numbers either way, unless
    /// they stand behind `UID`.
    pub uid: bool,
    /// What the answer tells; `None` where the client did not say.
    pub returns: Option<Returns>,
    /// A charset was named.
    pub charset: bool,
    /// What must hold of a message: every one of these, at least one.
    pub keys: Vec<SearchKey>,
}

/// ```abnf
/// search         = "SEARCH" [search-return-opts] SP search-program
/// search-program = ["CHARSET" SP astring SP] search-key *(SP search-key)
/// ```
///
/// US-ASCII and UTF-8 are the charsets here (RFC 3501 §6.4.4 asks for the first, RFC 9051 for the
/// second), so text is UTF-8 whether a charset was named or not.
pub(super) fn search(cursor: &mut Cursor<'_>, uid: bool) -> Parsed<Search> {
    let returns = returns(cursor)?;
    let named = cursor.eat(b" CHARSET ");
    if named {
        charset(cursor)?;
    }
    Ok(Search { uid, returns, charset: named, keys: search_keys(cursor)? })
}

/// The name of a charset, which has to be one of the two.
pub(super) fn charset(cursor: &mut Cursor<'_>) -> Parsed<()> {
    let offset = cursor.offset();
    let charset = cursor.astring("a charset")?.to_ascii_uppercase();
    match charset.as_slice() {
        b"UTF-8" | b"US-ASCII" => Ok(()),
        _ => Err(SyntaxError { what: What::Charset, offset }),
    }
}

/// `1*(SP search-key)`
pub(super) fn search_keys(cursor: &mut Cursor<'_>) -> Parsed<Vec<SearchKey>> {
    let mut keys = Keys { cursor, left: MAX_KEYS };
    let mut all = vec![keys.next(0)?];
    while keys.cursor.peek() == Some(b' ') {
        all.push(keys.next(0)?);
    }
    Ok(all)
}

/// Reads keys and counts them.
struct Keys<'c, 'a> {
    cursor: &'c mut Cursor<'a>,
    left: usize,
}

impl Keys<'_, '_> {
    /// ```abnf
    /// search-key = sequence-set / "(" search-key *(SP search-key) ")" / "NOT" SP search-key /
    ///              "OR" SP search-key SP search-key / <the others, below>
    /// ```
    fn key(&mut self, depth: usize) -> Parsed<SearchKey> {
        self.left = match self.left.checked_sub(1) {
            Some(left) if depth <= MAX_DEPTH => left,
            _ => return self.cursor.fail(What::Limit("search keys")),
        };
        match self.cursor.peek() {
            Some(b'(') => return self.all_of(depth + 1),
            Some(b'0'..=b'9' | b'*' | b'$') => {
                return self.cursor.sequence_set().map(SearchKey::Sequence);
            }
            _ => {}
        }
        let offset = self.cursor.offset();
        let word = self.cursor.word("a search key")?;
        match word.as_slice() {
            b"NOT" => self.next(depth + 1).map(not),
            b"OR" => {
                let one = self.next(depth + 1)?;
                Ok(SearchKey::Or(Box::new(one), Box::new(self.next(depth + 1)?)))
            }
            word => {
                let unknown = SyntaxError { what: What::Expected("a search key"), offset };
                flag_key(self.cursor, word)
                    .or_else(|| text_key(self.cursor, word))
                    .or_else(|| date_key(self.cursor, word))
                    .or_else(|| number_key(self.cursor, word))
                    .or_else(|| gm_key(self.cursor, word))
                    .unwrap_or(Err(unknown))
            }
        }
    }

    /// `SP search-key`
    fn next(&mut self, depth: usize) -> Parsed<SearchKey> {
        self.cursor.sp()?;
        self.key(depth)
    }

    /// `"(" search-key *(SP search-key) ")"`
    fn all_of(&mut self, depth: usize) -> Parsed<SearchKey> {
        self.cursor.expect("(")?;
        let mut keys = vec![self.key(depth)?];
        while !self.cursor.eat(b")") {
            keys.push(self.next(depth)?);
        }
        Ok(SearchKey::And(keys))
    }
}

#[cfg(test)]
mod tests {
    use time::macros::date;

    use super::*;
    use crate::domain::flags::Keyword;
    use crate::wire::imap::command::SearchFlag;
    use crate::wire::imap::command::{Command, parse_command};

    fn parse(text: &str) -> Result<Vec<SearchKey>, What> {
        let line = format!("A282 SEARCH {text}\r\n");
        match parse_command(line.as_bytes()).map_err(|error| error.what)?.command {
            Command::Search(search) => Ok(search.keys),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_examples_of_rfc_3501_section_6_4_4() {
        assert_eq!(
            parse("FLAGGED SINCE 1-Feb-1994 NOT FROM \"Smith\"").unwrap(),
            [
                SearchKey::Flag(SearchFlag::Flagged),
                SearchKey::Since(date!(1994 - 02 - 01)),
                not(SearchKey::From("Smith".to_owned())),
            ]
        );
        assert_eq!(parse("TEXT \"string not in mailbox\"").unwrap().len(), 1);
        assert_eq!(
            parse("CHARSET UTF-8 TEXT {6}\r\n日本").unwrap(),
            [SearchKey::Text("日本".to_owned())]
        );
    }

    #[test]
    fn shorthands_are_spelled_out() {
        let flag = |flag| SearchKey::Flag(flag);
        let keyword = SearchFlag::Keyword(Keyword::new("$x").unwrap());
        assert_eq!(
            parse("NEW OLD UNSEEN UNKEYWORD $x keyword $X").unwrap(),
            [
                SearchKey::And(vec![flag(SearchFlag::Recent), not(flag(SearchFlag::Seen))]),
                not(flag(SearchFlag::Recent)),
                not(flag(SearchFlag::Seen)),
                not(flag(keyword.clone())),
                flag(keyword),
            ]
        );
    }

    #[test]
    fn every_key_is_read() {
        let all = "ALL ANSWERED BCC a BEFORE 1-Feb-1994 BODY a CC a DELETED DRAFT FLAGGED FROM a HEADER X-A \"\" \
                   KEYWORD k LARGER 1 NEW NOT ALL OLD ON 1-Feb-1994 OR ALL 1 RECENT SEEN SENTBEFORE 1-Feb-1994 \
                   SENTON 1-Feb-1994 SENTSINCE 1-Feb-1994 SINCE 1-Feb-1994 SMALLER 5000000000 SUBJECT a TEXT a \
                   TO a UID 1:* UNANSWERED UNDELETED UNDRAFT UNFLAGGED UNKEYWORD k UNSEEN 2,4 (1 (ALL)) $ \
                   OLDER 1 YOUNGER 86400 SAVEDBEFORE 1-Feb-1994 SAVEDON 1-Feb-1994 SAVEDSINCE 1-Feb-1994 \
                   SAVEDATESUPPORTED EMAILID M1 THREADID T-_1";
        assert_eq!(parse(all).unwrap().len(), 46);
    }

    #[test]
    fn what_is_no_search() {
        for bad in [
            "",
            "FOO",
            "UNALL",
            "UNNEW",
            "UNFROM a",
            "NOT",
            "OR ALL",
            "()",
            "(ALL",
            "ALL ",
            "FROM",
            "HEADER a",
            "HEADER a:b c",
            "SINCE yesterday",
            "0",
            "UID x",
            "LARGER -1",
            "CHARSET UTF-8",
            "KEYWORD \\Seen",
            "OLDER 0",
            "YOUNGER x",
            "SAVEDATESUPPORTED x",
            "EMAILID \"\"",
            "THREADID a+b",
            "TEXT {1}\r\n\u{0}",
        ] {
            assert!(parse(bad).is_err(), "{bad}");
        }
        assert_eq!(parse("CHARSET ISO-8859-1 ALL").unwrap_err(), What::Charset);
        let latin1 = b"a SEARCH TEXT {1}\r\n\xe9\r\n";
        assert_eq!(parse_command(latin1).unwrap_err().what, What::Expected("UTF-8 text"));
    }

    #[test]
    fn nesting_and_number_are_bounded() {
        let limit = What::Limit("search keys");
        assert!(parse(&("NOT ".repeat(MAX_DEPTH) + "ALL")).is_ok());
        assert_eq!(parse(&("NOT ".repeat(MAX_DEPTH + 1) + "ALL")).unwrap_err(), limit);
        assert_eq!(parse(&"(".repeat(10_000)).unwrap_err(), limit);
        assert_eq!(parse(&"OR ".repeat(10_000)).unwrap_err(), limit);
        assert!(parse(&vec!["ALL"; MAX_KEYS].join(" ")).is_ok());
        assert_eq!(parse(&vec!["ALL"; MAX_KEYS + 1].join(" ")).unwrap_err(), limit);
    }
}
