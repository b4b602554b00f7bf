//! What SEARCH and SORT are to return (RFC 4731, RFC 5182, RFC 5267, RFC 9394).

use crate::wire::imap::cursor::{Cursor, Parsed};
use crate::wire::imap::partial_range::PartialRange;

/// The options behind `RETURN`. None at all means all messages found.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Returns {
    /// `MIN`: the first of those found.
    pub min: bool,
    /// `MAX`: the last of them.
    pub max: bool,
    /// `ALL`: all of them.
    pub all: bool,
    /// `COUNT`: how many they are.
    pub count: bool,
    /// `SAVE`: what was found becomes `$` (RFC 5182).
    pub save: bool,
    /// `PARTIAL`: some of them (RFC 9394). Never together with `all`.
    pub partial: Option<PartialRange>,
}

impl Returns {
    /// `RETURN (ALL)`
    pub const ALL: Self =
        Self { min: false, max: false, all: true, count: false, save: false, partial: None };

    /// What SAVE keeps of the UIDs found, ascending: all, unless only some of them were asked for
    /// (RFC 5182 §2.4, RFC 9394 §3.1).
    pub fn kept(self, uids: &[u32]) -> Vec<u32> {
        let some = self.min || self.max || self.partial.is_some();
        let mut kept = if self.all || self.count || !some {
            uids.to_vec()
        } else {
            let range = self.partial.map_or(0..0, |range| range.of(uids.len()));
            let mut kept = uids.get(range).unwrap_or_default().to_vec();
            kept.extend(uids.first().filter(|_| self.min));
            kept.extend(uids.last().filter(|_| self.max));
            kept
        };
        kept.sort_unstable();
        kept.dedup();
        kept
    }

    /// Whether the answer tells anything: one that only saves has none (RFC 5182 §2.1).
    pub fn tells(self) -> bool {
        self != Self { save: true, ..Self::default() }
    }
}

/// ```abnf
/// search-return-opts  = SP "RETURN" SP "(" [search-return-opt *(SP search-return-opt)] ")"
/// search-return-opt   = "MIN" / "MAX" / "ALL" / "COUNT"
/// search-return-opt   =/ "SAVE"                                  ; RFC 5182
/// search-return-opt   =/ "PARTIAL" SP partial-range              ; RFC 9394
/// ```
pub(super) fn returns(cursor: &mut Cursor<'_>) -> Parsed<Option<Returns>> {
    if !cursor.eat(b" RETURN ") {
        return Ok(None);
    }
    let mut told = Returns::default();
    // There are six options; a client may repeat itself a little.
    cursor.list(20, "return options", true, |cursor| option(cursor, &mut told))?;
    if told == Returns::default() {
        return Ok(Some(Returns::ALL));
    }
    if told.all && told.partial.is_some() {
        return cursor.expected("either ALL or PARTIAL");
    }
    Ok(Some(told))
}

fn option(cursor: &mut Cursor<'_>, told: &mut Returns) -> Parsed<()> {
    let word = cursor.word("a return option")?;
    match word.as_slice() {
        b"MIN" => told.min = true,
        b"MAX" => told.max = true,
        b"ALL" => told.all = true,
        b"COUNT" => told.count = true,
        b"SAVE" => told.save = true,
        b"PARTIAL" if told.partial.is_none() => {
            cursor.sp()?;
            told.partial = Some(cursor.partial_range()?);
        }
        _ => return cursor.expected("a return option"),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::imap::command::{Command, parse_command};

    fn parse(text: &str) -> Option<Returns> {
        let line = format!("A282 SEARCH {text}\r\n");
        match parse_command(line.as_bytes()).ok()?.command {
            Command::Search(search) => search.returns,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_examples_of_rfc_4731_and_5182() {
        let read = parse("RETURN (MIN COUNT) FLAGGED SINCE 1-Feb-1994 NOT FROM \"Smith\"").unwrap();
        assert_eq!(read, Returns { min: true, count: true, ..Returns::default() });
        assert_eq!(parse("RETURN () FLAGGED").unwrap(), Returns::ALL);
        assert_eq!(parse("RETURN (ALL) FLAGGED").unwrap(), Returns::ALL);
        let save = parse("RETURN (SAVE) SINCE 1-Jan-2004 NOT FROM \"Smith\"").unwrap();
        assert!(save.save && !save.tells() && Returns::ALL.tells());
        assert_eq!(parse("FLAGGED"), None);
    }

    #[test]
    fn the_examples_of_rfc_9394() {
        let read = parse("RETURN (PARTIAL 23500:24000) UNDELETED UNKEYWORD $Junk").unwrap();
        assert_eq!(read.partial.unwrap().to_string(), "23500:24000");
        let read = parse("RETURN (PARTIAL -1:-100 count) UNDELETED").unwrap();
        assert_eq!(read.partial.unwrap().to_string(), "-1:-100");
        assert!(read.count && !read.all);
        for bad in [
            "RETURN (ALL PARTIAL 1:2) ALL",
            "RETURN (PARTIAL 1:2 PARTIAL 3:4) ALL",
            "RETURN (PARTIAL 1:-2) ALL",
            "RETURN (PARTIAL 0:2) ALL",
            "RETURN (PARTIAL 1) ALL",
            "RETURN (FOO) ALL",
            "RETURN MIN ALL",
            "RETURN (MIN)",
        ] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }
}
