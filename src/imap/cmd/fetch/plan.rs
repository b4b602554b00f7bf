//! What a FETCH needs, found once for all its messages.

use crate::domain::label::Labels;
use crate::imap::enabled::Enabled;
use crate::mail::mailbox::Columns;
use crate::wire::imap::command::{Content, FetchItem};
use crate::wire::imap::section::SectionText;

/// What to read and what to tell.
pub(super) struct Plan<'a> {
    /// What to tell, in this order.
    pub(super) items: &'a [FetchItem],
    /// It is a UID FETCH.
    pub(super) uid: bool,
    /// What the client has turned on.
    pub(super) enabled: Enabled,
    /// What to read.
    pub(super) columns: Columns,
    /// Flags and UID are all that is asked for.
    pub(super) only_entry: bool,
    /// What the labels are called, where they are told.
    pub(super) labels: Labels,
    /// What is told counts as read.
    pub(super) sets_seen: bool,
}

impl<'a> Plan<'a> {
    /// The plan to tell `items`, in a UID FETCH where `uid`.
    pub(super) fn of(
        items: &'a [FetchItem],
        uid: bool,
        marks_seen: bool,
        enabled: Enabled,
    ) -> Self {
        let has = |item: &FetchItem| items.contains(item);
        let contents = || items.iter().filter_map(FetchItem::content);
        Self {
            items,
            uid,
            enabled,
            columns: Columns {
                envelope: has(&FetchItem::Envelope),
                body: has(&FetchItem::Body),
                body_structure: has(&FetchItem::BodyStructure),
                thread: has(&FetchItem::ThreadId) || has(&FetchItem::GmThrId),
                preview: has(&FetchItem::Preview),
                header: contents().any(of_header),
                source: contents().any(|content| !of_header(content)),
            },
            only_entry: items.iter().all(FetchItem::is_of_entry),
            labels: Labels::default(),
            sets_seen: marks_seen && items.iter().any(FetchItem::sets_seen),
        }
    }

    /// Whether the UID is told although it was not asked for, where the answer does not begin with
    /// it.
    pub(super) fn extra_uid(&self) -> bool {
        self.uid && !self.items.contains(&FetchItem::Uid)
    }
}

/// Whether a piece is in the header of the message itself, which is kept apart.
fn of_header(content: Content<'_>) -> bool {
    match content {
        Content::Rfc822Header => true,
        Content::Rfc822 | Content::Rfc822Text | Content::Binary { .. } | Content::BinarySize(_) => {
            false
        }
        Content::Section { section, .. } => {
            let header = SectionText::Header;
            section.part.is_empty()
                && section.text.as_ref().is_some_and(|text| {
                    *text == header
                        || matches!(
                            text,
                            SectionText::HeaderFields(_) | SectionText::HeaderFieldsNot(_)
                        )
                })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::imap::command::{Command, parse_command};

    fn with_plan(items: &str, check: impl FnOnce(Plan<'_>)) {
        let line = format!("a UID FETCH 1 {items}\r\n");
        match parse_command(line.as_bytes()).unwrap().command {
            Command::Fetch(fetch) => {
                check(Plan::of(&fetch.items, fetch.uid, true, Enabled::default()));
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn only_what_is_told_is_read() {
        with_plan("(FLAGS UID)", |plan| {
            assert!(plan.only_entry && !plan.extra_uid() && !plan.sets_seen);
        });
        with_plan("(BODY.PEEK[HEADER.FIELDS (From)] RFC822.SIZE)", |plan| {
            let expected = Columns { header: true, ..Columns::default() };
            assert!(plan.columns == expected && plan.extra_uid() && !plan.sets_seen);
        });
        with_plan("(RFC822.HEADER BODY[1.HEADER])", |plan| {
            assert!(plan.columns.header && plan.columns.source && plan.sets_seen);
        });
        with_plan("FULL", |plan| {
            let columns = plan.columns;
            assert!(columns.envelope && columns.body && !columns.body_structure);
            assert!(!columns.header && !columns.source && !plan.only_entry);
        });
    }
}
