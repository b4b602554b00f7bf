//! Message flags: the five of RFC 3501 §2.3.2 that are stored, and keywords.

/// A keyword: a flag that a client or a label names.
///
/// An IMAP atom of at most 100 octets (RFC 3501 §9, flag-keyword), compared
/// without regard to ASCII case as clients expect, shown as first written.
#[derive(Clone, Debug, Eq)]
pub struct Keyword(String);

impl Keyword {
    /// Checks that `text` is an atom that may stand in a FLAGS list.
    pub fn new(text: &str) -> Option<Self> {
        let ok = (1..=100).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_graphic() && !br#"(){%*"\]"#.contains(&b));
        ok.then(|| Self(text.to_owned()))
    }

    /// The keyword as first written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether programs have agreed on it, so that it is not for people to name: `$Junk` and its
    /// like.
    pub fn is_agreed_on(&self) -> bool {
        self.0.starts_with('$')
    }
}

impl PartialEq for Keyword {
    fn eq(&self, other: &Self) -> bool {
        self.0.eq_ignore_ascii_case(&other.0)
    }
}

/// The flags of one message in one folder. `\Recent` is a session's own view
/// and is not stored here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Flags {
    /// `\Seen`
    pub seen: bool,
    /// `\Answered`
    pub answered: bool,
    /// `\Flagged`
    pub flagged: bool,
    /// `\Deleted`
    pub deleted: bool,
    /// `\Draft`
    pub draft: bool,
    /// Keywords, each once, in the order they were set.
    pub keywords: Vec<Keyword>,
}

/// How STORE changes flags (RFC 3501 §6.4.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FlagOp {
    /// `FLAGS`: exactly these.
    Replace,
    /// `+FLAGS`: these as well.
    Add,
    /// `-FLAGS`: without these.
    Remove,
}

impl Flags {
    /// These flags after `op` with `with`.
    #[must_use]
    pub fn apply(&self, op: FlagOp, with: &Flags) -> Flags {
        let pick = |old: bool, given: bool| match op {
            FlagOp::Replace => given,
            FlagOp::Add => old || given,
            FlagOp::Remove => old && !given,
        };
        Flags {
            seen: pick(self.seen, with.seen),
            answered: pick(self.answered, with.answered),
            flagged: pick(self.flagged, with.flagged),
            deleted: pick(self.deleted, with.deleted),
            draft: pick(self.draft, with.draft),
            keywords: self.apply_keywords(op, &with.keywords),
        }
    }

    fn apply_keywords(&self, op: FlagOp, with: &[Keyword]) -> Vec<Keyword> {
        let mut out = match op {
            FlagOp::Replace => Vec::new(),
            FlagOp::Add => self.keywords.clone(),
            FlagOp::Remove => {
                return self.keywords.iter().filter(|k| !with.contains(k)).cloned().collect();
            }
        };
        for keyword in with {
            if !out.contains(keyword) {
                out.push(keyword.clone());
            }
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flags(seen: bool, keywords: &[&str]) -> Flags {
        let keywords = keywords.iter().map(|k| Keyword::new(k).unwrap()).collect();
        Flags { seen, keywords, ..Flags::default() }
    }

    #[test]
    fn store_adds_removes_and_replaces() {
        let old = flags(true, &["$Label1", "work"]);
        let with = flags(false, &["WORK", "new"]);
        assert_eq!(old.apply(FlagOp::Add, &with), flags(true, &["$Label1", "work", "new"]));
        assert_eq!(old.apply(FlagOp::Remove, &with), flags(true, &["$Label1"]));
        assert_eq!(old.apply(FlagOp::Replace, &with), flags(false, &["work", "new"]));
    }

    #[test]
    fn a_keyword_is_an_atom() {
        for bad in ["", "a b", "\\Seen", "a]", "é", "a(b", &"k".repeat(101)] {
            assert!(Keyword::new(bad).is_none(), "{bad}");
        }
    }
}
