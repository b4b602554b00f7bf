//! What a mailbox is for (RFC 6154).

use super::cursor::{Cursor, Parsed};
use super::error::{SyntaxError, What};

/// A special use.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SpecialUse {
    /// `\All`: every message of the user.
    All,
    /// `\Archive`
    Archive,
    /// `\Drafts`
    Drafts,
    /// `\Flagged`: every flagged message.
    Flagged,
    /// `\Junk`
    Junk,
    /// `\Sent`
    Sent,
    /// `\Trash`
    Trash,
}

impl SpecialUse {
    /// Every special use.
    pub const ALL: [Self; 7] = [
        Self::All,
        Self::Archive,
        Self::Drafts,
        Self::Flagged,
        Self::Junk,
        Self::Sent,
        Self::Trash,
    ];

    /// The attribute on the wire, with its backslash.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::All => "\\All",
            Self::Archive => "\\Archive",
            Self::Drafts => "\\Drafts",
            Self::Flagged => "\\Flagged",
            Self::Junk => "\\Junk",
            Self::Sent => "\\Sent",
            Self::Trash => "\\Trash",
        }
    }

    /// The word for it outside the protocol: the attribute in lower case, without its backslash.
    pub fn word(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Archive => "archive",
            Self::Drafts => "drafts",
            Self::Flagged => "flagged",
            Self::Junk => "junk",
            Self::Sent => "sent",
            Self::Trash => "trash",
        }
    }

    /// The special use of that word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|special_use| special_use.word() == word)
    }

    /// Reads the attribute, without regard to case.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|special_use| special_use.as_str().eq_ignore_ascii_case(name))
    }
}

impl Cursor<'_> {
    /// ```abnf
    /// use-attr = "\All" / "\Archive" / "\Drafts" / "\Flagged" / "\Junk" / "\Sent" / "\Trash" /
    ///            use-attr-ext
    /// ```
    pub(super) fn special_use(&mut self) -> Parsed<SpecialUse> {
        let offset = self.offset();
        let name = self.take_while(|byte| byte.is_ascii_alphanumeric() || byte == b'\\');
        str::from_utf8(name)
            .ok()
            .and_then(SpecialUse::from_name)
            .ok_or(SyntaxError { what: What::SpecialUse, offset })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decode_of_encode() {
        for special_use in SpecialUse::ALL {
            assert_eq!(
                SpecialUse::from_name(&special_use.as_str().to_lowercase()),
                Some(special_use)
            );
            assert_eq!(Cursor::new(special_use.as_str().as_bytes()).special_use(), Ok(special_use));
        }
        assert_eq!(SpecialUse::from_name("\\Foo"), None);
    }

    #[test]
    fn words_are_the_attributes_in_lower_case() {
        for special_use in SpecialUse::ALL {
            assert_eq!(format!("\\{}", special_use.word()), special_use.as_str().to_lowercase());
            assert_eq!(SpecialUse::from_word(special_use.word()), Some(special_use));
        }
        assert_eq!(SpecialUse::from_word("inbox"), None);
    }
}
