//! What somebody may do with a folder (RFC 4314 §2.1).

use std::fmt;

use crate::domain::flags::Flags;

/// A set of rights.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Rights(u16);

/// Every right, in the order in which it is written.
const LETTERS: [(char, Rights); 11] = [
    ('l', Rights::LOOKUP),
    ('r', Rights::READ),
    ('s', Rights::SEEN),
    ('w', Rights::WRITE),
    ('i', Rights::INSERT),
    ('p', Rights::POST),
    ('k', Rights::CREATE),
    ('x', Rights::DELETE_FOLDER),
    ('t', Rights::DELETE_MESSAGES),
    ('e', Rights::EXPUNGE),
    ('a', Rights::ADMINISTER),
];

impl Rights {
    /// None.
    pub const NONE: Self = Self(0);
    /// `l`: the folder is seen in LIST.
    pub const LOOKUP: Self = Self(1);
    /// `r`: it can be opened and read.
    pub const READ: Self = Self(1 << 1);
    /// `s`: `\Seen` can be changed.
    pub const SEEN: Self = Self(1 << 2);
    /// `w`: flags other than `\Seen` and `\Deleted` can be changed.
    pub const WRITE: Self = Self(1 << 3);
    /// `i`: messages can be put in.
    pub const INSERT: Self = Self(1 << 4);
    /// `p`: mail can be sent to it; nothing here asks.
    pub const POST: Self = Self(1 << 5);
    /// `k`: folders can be made below it.
    pub const CREATE: Self = Self(1 << 6);
    /// `x`: it can be deleted and renamed.
    pub const DELETE_FOLDER: Self = Self(1 << 7);
    /// `t`: `\Deleted` can be changed.
    pub const DELETE_MESSAGES: Self = Self(1 << 8);
    /// `e`: messages can be expunged.
    pub const EXPUNGE: Self = Self(1 << 9);
    /// `a`: rights can be seen and given.
    pub const ADMINISTER: Self = Self(1 << 10);
    /// All: the owner's.
    pub const ALL: Self = Self((1 << 11) - 1);
    /// Any flag can be changed.
    pub const FLAGS: Self = Self(Self::SEEN.0 | Self::WRITE.0 | Self::DELETE_MESSAGES.0);
    /// Who has any of these opens a mailbox for writing (RFC 4314 §5.2).
    pub const ANY_CHANGE: Self = Self(Self::FLAGS.0 | Self::INSERT.0 | Self::EXPUNGE.0);
    /// What `d` stood for (RFC 4314 §2.1.1).
    const OLD_D: Self = Self(Self::DELETE_FOLDER.0 | Self::DELETE_MESSAGES.0 | Self::EXPUNGE.0);

    /// Reads letters; `None` where one is no right. `c` and `d` of RFC 2086 are `k` and `xte`
    /// (RFC 4314 §2.1.1).
    pub fn from_letters(letters: &str) -> Option<Self> {
        letters.chars().try_fold(Self::NONE, |rights, letter| {
            let right = match letter {
                'c' => Self::CREATE,
                'd' => Self::OLD_D,
                letter => LETTERS.iter().find(|(known, _)| *known == letter)?.1,
            };
            Some(rights.with(right))
        })
    }

    /// These and those.
    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// These without those.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Whether all of those are among these.
    pub const fn contain(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Whether any of those is among these.
    pub const fn overlap(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// Those of the flags that can be changed.
    pub fn allow(self, flags: &Flags) -> Flags {
        let write = self.contain(Self::WRITE);
        Flags {
            seen: flags.seen && self.contain(Self::SEEN),
            deleted: flags.deleted && self.contain(Self::DELETE_MESSAGES),
            answered: flags.answered && write,
            flagged: flags.flagged && write,
            draft: flags.draft && write,
            keywords: if write { flags.keywords.clone() } else { Vec::new() },
        }
    }

    /// The letters, without those of RFC 2086.
    pub fn letters(self) -> String {
        LETTERS
            .iter()
            .filter(|(_, right)| self.contain(*right))
            .map(|(letter, _)| *letter)
            .collect()
    }
}

/// As it is told to clients: `c` and `d` as well, where a client that knows only RFC 2086 should
/// see them (RFC 4314 §2.1.1).
impl fmt::Display for Rights {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.letters())?;
        f.write_str(if self.contain(Self::CREATE) { "c" } else { "" })?;
        f.write_str(if self.overlap(Self::OLD_D) { "d" } else { "" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_of_rfc_4314_section_2_1() {
        assert_eq!(Rights::from_letters("lrswipkxtea"), Some(Rights::ALL));
        assert_eq!(Rights::ALL.to_string(), "lrswipkxteacd");
        assert_eq!(Rights::from_letters("cd"), Rights::from_letters("kxte"));
        assert_eq!(Rights::from_letters(""), Some(Rights::NONE));
        assert_eq!((Rights::from_letters("0"), Rights::from_letters("L")), (None, None));
        assert_eq!(Rights::from_letters("srl").unwrap().to_string(), "lrs");
        assert_eq!(Rights::DELETE_MESSAGES.to_string(), "td");
    }

    #[test]
    fn flags_that_can_be_changed() {
        let flags = Flags { seen: true, deleted: true, draft: true, ..Flags::default() };
        let only = |rights: Rights| {
            let allowed = rights.allow(&flags);
            (allowed.seen, allowed.deleted, allowed.draft)
        };
        assert_eq!(only(Rights::SEEN), (true, false, false));
        assert_eq!(only(Rights::DELETE_MESSAGES.with(Rights::WRITE)), (false, true, true));
        assert_eq!(Rights::FLAGS.allow(&flags), flags);
    }

    #[test]
    fn sets() {
        let read = Rights::LOOKUP.with(Rights::READ);
        assert!(Rights::ALL.contain(read) && !read.contain(Rights::ALL));
        assert!(read.overlap(Rights::ALL) && !read.overlap(Rights::WRITE));
        assert_eq!(read.without(Rights::READ), Rights::LOOKUP);
    }
}
