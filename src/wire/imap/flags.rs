//! Flags on the wire (RFC 3501 §2.3.2).

use super::cursor::{Cursor, Parsed};
use super::error::What;
use crate::domain::flags::{Flags, Keyword};

/// The most keywords in one list; STORE compares each with each.
const MAX_KEYWORDS: usize = 100;

/// Appends flags as a list, with `extra` at its end: `\Recent` or `\*`, where they may stand.
///
/// ```abnf
/// flag-list = "(" [flag *(SP flag)] ")"
/// ```
pub(super) fn encode_flags(out: &mut Vec<u8>, flags: &Flags, extra: Option<&str>) {
    let system = [
        (flags.answered, "\\Answered"),
        (flags.flagged, "\\Flagged"),
        (flags.deleted, "\\Deleted"),
        (flags.seen, "\\Seen"),
        (flags.draft, "\\Draft"),
    ];
    let system = system.iter().filter(|(set, _)| *set).map(|(_, name)| *name);
    out.push(b'(');
    let keywords = flags.keywords.iter().map(Keyword::as_str);
    for (i, name) in system.chain(keywords).chain(extra).enumerate() {
        if i > 0 {
            out.push(b' ');
        }
        out.extend_from_slice(name.as_bytes());
    }
    out.push(b')');
}

impl Cursor<'_> {
    /// ```abnf
    /// flag-list = "(" [flag *(SP flag)] ")"
    /// ```
    pub(super) fn flag_list(&mut self) -> Parsed<Flags> {
        let mut flags = Flags::default();
        self.list(usize::MAX, "flags", true, |cursor| cursor.flag(&mut flags))?;
        Ok(flags)
    }

    /// ```abnf
    /// flag *(SP flag)
    /// ```
    pub(super) fn bare_flags(&mut self) -> Parsed<Flags> {
        let mut flags = Flags::default();
        self.flag(&mut flags)?;
        while self.eat(b" ") {
            self.flag(&mut flags)?;
        }
        Ok(flags)
    }

    /// ```abnf
    /// flag = "\Answered" / "\Flagged" / "\Deleted" / "\Seen" / "\Draft" / flag-keyword /
    ///        flag-extension    ; Does not include "\Recent"
    /// ```
    ///
    /// `\Recent` is stepped over all the same: clients copy it from what they fetched, and it is
    /// not theirs to set. There are no extensions.
    fn flag(&mut self, flags: &mut Flags) -> Parsed<()> {
        if !self.eat(b"\\") {
            let keyword = self.keyword()?;
            if !flags.keywords.contains(&keyword) {
                if flags.keywords.len() == MAX_KEYWORDS {
                    return self.fail(What::Limit("keywords"));
                }
                flags.keywords.push(keyword);
            }
            return Ok(());
        }
        match self.word("a system flag")?.as_slice() {
            b"ANSWERED" => flags.answered = true,
            b"FLAGGED" => flags.flagged = true,
            b"DELETED" => flags.deleted = true,
            b"SEEN" => flags.seen = true,
            b"DRAFT" => flags.draft = true,
            b"RECENT" => {}
            _ => return self.expected("a system flag"),
        }
        Ok(())
    }

    /// ```abnf
    /// flag-keyword = atom
    /// ```
    pub(super) fn keyword(&mut self) -> Parsed<Keyword> {
        let atom = self.atom("a flag")?;
        Keyword::new(atom).map_or_else(|| self.expected("a shorter keyword"), Ok)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn reads_flag_lists() {
        let read = |text: &str| Cursor::new(text.as_bytes()).flag_list();
        let flags = read("(\\seen \\Recent $Forwarded \\Deleted $forwarded)").unwrap();
        let keywords = vec![Keyword::new("$Forwarded").unwrap()];
        assert_eq!(flags, Flags { seen: true, deleted: true, keywords, ..Flags::default() });
        assert_eq!(read("()").unwrap(), Flags::default());
        for bad in
            ["(\\Foo)", "(\\)", "(a", "( a)", "a", "(\\*)", &format!("({})", "k".repeat(101))]
        {
            assert!(read(bad).is_err(), "{bad}");
        }
        let many: Vec<_> = (0..=MAX_KEYWORDS).map(|n| format!("k{n}")).collect();
        let error = read(&format!("({})", many.join(" "))).unwrap_err();
        assert_eq!(error.what, What::Limit("keywords"));
    }

    #[test]
    fn writes_flag_lists() {
        let mut out = Vec::new();
        encode_flags(&mut out, &Flags { flagged: true, ..Flags::default() }, Some("\\Recent"));
        encode_flags(&mut out, &Flags::default(), None);
        assert_eq!(out, b"(\\Flagged \\Recent)()");
    }

    proptest! {
        #[test]
        fn decode_of_encode(
            bits in any::<[bool; 5]>(),
            keywords in proptest::collection::btree_set("[$a-z][a-z0-9-]{0,8}", 0..9),
        ) {
            let keywords = keywords.iter().map(|keyword| Keyword::new(keyword).unwrap()).collect();
            let [seen, answered, flagged, deleted, draft] = bits;
            let flags = Flags { seen, answered, flagged, deleted, draft, keywords };
            let mut out = Vec::new();
            encode_flags(&mut out, &flags, None);
            prop_assert_eq!(Cursor::new(&out).flag_list().unwrap(), flags);
        }
    }
}
