//! What becomes of one message.

use crate::domain::flags::{Flags, Keyword};
use crate::mail::rules::Effects;
use crate::store::folders::Folder;

/// What becomes of a message; nothing of it is there yet.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub(super) struct Change {
    pub(super) to: Option<To>,
    pub(super) seen: bool,
    pub(super) flagged: bool,
    pub(super) keywords: Vec<String>,
}

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(super) enum To {
    Folder(String),
    Trash,
}

impl Change {
    /// What the rules want of a message in `folder` that has these flags, and it does not have yet.
    pub(super) fn missing(effects: Effects, folder: &Folder, has: &Flags) -> Self {
        if effects.rejected.is_some() {
            return Self::default();
        }
        let is_trash = folder.special_use.as_deref() == Some("trash");
        let to = match effects.discarded {
            true => (!is_trash).then_some(To::Trash),
            false => effects.folder.filter(|f| *f != folder.name).map(To::Folder),
        };
        let has_keyword =
            |k: &String| has.keywords.iter().any(|h| h.as_str().eq_ignore_ascii_case(k));
        Self {
            to,
            seen: effects.seen && !has.seen,
            flagged: effects.flagged && !has.flagged,
            keywords: effects.keywords.into_iter().filter(|k| !has_keyword(k)).collect(),
        }
    }

    pub(super) fn flags(&self) -> Flags {
        Flags {
            seen: self.seen,
            flagged: self.flagged,
            keywords: self.keywords.iter().filter_map(|k| Keyword::new(k)).collect(),
            ..Flags::default()
        }
    }
}
