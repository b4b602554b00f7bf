//! The names that LIST and LSUB choose from: folders, and the levels above them.

use std::collections::BTreeMap;

use crate::mail::mailbox::Folder;
use crate::wire::imap::mailbox::MailboxName;
use crate::wire::imap::response::ListAttribute;
use crate::wire::imap::special_use::SpecialUse;

/// Every name there is, in order.
pub(super) struct Names<'a>(BTreeMap<MailboxName, Name<'a>>);

/// A name, and what is known of it and of those below.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Name<'a> {
    /// The folder; `None` for a name that is only above others (RFC 3501 §6.3.4).
    pub(super) folder: Option<&'a Folder>,
    /// What it is for.
    pub(super) special_use: Option<SpecialUse>,
    /// What is below it.
    pub(super) below: Below,
}

/// What is below a name, at any depth.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Below {
    /// A folder.
    pub(super) any: bool,
    /// One that is subscribed to.
    pub(super) subscribed: bool,
    /// One with a special use.
    pub(super) special_use: bool,
}

impl<'a> Names<'a> {
    /// The names of these folders.
    pub(super) fn of(folders: &'a [Folder]) -> Self {
        let mut names = Self(BTreeMap::new());
        for folder in folders {
            // The table refuses what is no name, so this leaves none out.
            let Some(name) = MailboxName::new(&folder.name) else { continue };
            let special_use = folder.special_use.as_deref().and_then(SpecialUse::from_word);
            names.note_above(&name, folder.subscribed, special_use.is_some());
            let entry = names.0.entry(name).or_default();
            entry.folder = Some(folder);
            entry.special_use = special_use;
        }
        names
    }

    /// Tells the levels above `name` of it. Where one knows it all, so do those above.
    fn note_above(&mut self, name: &MailboxName, subscribed: bool, special_use: bool) {
        for above in name.ancestors() {
            let below = &mut self.0.entry(above).or_default().below;
            let now = Below {
                any: true,
                subscribed: below.subscribed || subscribed,
                special_use: below.special_use || special_use,
            };
            if *below == now {
                return;
            }
            *below = now;
        }
    }

    /// The names in order.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&MailboxName, &Name<'a>)> {
        self.0.iter()
    }
}

impl Name<'_> {
    /// Whether it is subscribed to.
    pub(super) fn subscribed(&self) -> bool {
        self.folder.is_some_and(|folder| folder.subscribed)
    }

    /// `\HasChildren` or `\HasNoChildren`.
    pub(super) fn children(&self) -> ListAttribute {
        if self.below.any { ListAttribute::HasChildren } else { ListAttribute::HasNoChildren }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::domain::ids::{AddressId, FolderId};
    use crate::domain::rights::Rights;

    /// A folder with nothing in it.
    pub(in crate::imap) fn folder(
        name: &str,
        subscribed: bool,
        special_use: Option<&str>,
    ) -> Folder {
        Folder {
            id: FolderId::random(),
            owner: AddressId::random(),
            rights: Rights::ALL,
            name: name.to_owned(),
            special_use: special_use.map(str::to_owned),
            subscribed,
            uidvalidity: 1,
            uidnext: 1,
            highestmodseq: 1,
            recent_from: 1,
            messages: 0,
            unseen: 0,
            size: 0,
        }
    }

    #[test]
    fn a_level_without_a_folder_is_a_name_too() {
        let folders = [
            folder("a/b/c", true, None),
            folder("a/b", false, None),
            folder("a/x", false, Some("sent")),
            folder("ab", false, Some("inbox")),
        ];
        let names = Names::of(&folders);
        let text: Vec<_> = names
            .iter()
            .map(|(name, known)| {
                let Below { any, subscribed, special_use } = known.below;
                let here = known.folder.is_some();
                format!("{name} {here} {any} {subscribed} {special_use} {:?}", known.special_use)
            })
            .collect();
        let expected = [
            "a false true true true None",
            "a/b true true true false None",
            "a/b/c true false false false None",
            "a/x true false false false Some(Sent)",
            "ab true false false false None",
        ];
        assert_eq!(text, expected);
    }
}
