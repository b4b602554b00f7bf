//! What X-GM-EXT-1 asks about: labels, and ids as numbers.

use super::{Query, flag};
use crate::domain::flags::Keyword;
use crate::domain::ids::NUMBER_MASK;
use crate::store::search::Numbering;
use crate::wire::imap::command::SearchFlag;
use crate::wire::imap::label::LabelName;

/// A message with this label; one that nobody knows is on none.
pub(super) fn label(query: &mut Query, label: &LabelName, numbering: Numbering<'_>) {
    match label {
        LabelName::Draft => flag(query, &SearchFlag::Draft, numbering),
        LabelName::Starred => flag(query, &SearchFlag::Flagged, numbering),
        LabelName::Important => match Keyword::new("$Important") {
            Some(keyword) => flag(query, &SearchFlag::Keyword(keyword), numbering),
            None => drop(query.push("false")),
        },
        LabelName::Mailbox(name) => mailbox(query, name),
        LabelName::Named(name) => named(query, name),
    }
}

/// In the mailbox of that special use.
fn mailbox(query: &mut Query, name: &str) {
    let special_use = if name == "spam" { "junk" } else { name };
    query.push("e.folder_id IN (SELECT f.id FROM folders f WHERE f.special_use = ");
    query.push_bind(special_use.to_owned()).push(")");
}

/// By the name that the owner of the folder has given the label, or by its keyword.
fn named(query: &mut Query, name: &str) {
    query.push("EXISTS (SELECT 1 FROM unnest(e.keywords) k WHERE lower(k) = lower(");
    query.push_bind(name.to_owned());
    query.push(
        ") OR EXISTS (SELECT 1 FROM folders f, labels l
            WHERE f.id = e.folder_id AND (l.address_id = f.address_id OR l.address_id IS NULL)
                AND lower(l.keyword) = lower(k) AND lower(l.name) = lower(",
    );
    query.push_bind(name.to_owned()).push(")))");
}

/// The row whose id in `column` is this number, see [`crate::domain::ids::EmailId::number`].
pub(super) fn number(query: &mut Query, column: &'static str, number: u64) {
    query.push("('x' || right(replace(").push(column);
    query.push("::text, '-', ''), 16))::bit(64)::bigint & ");
    query.push_bind(NUMBER_MASK.cast_signed()).push(" = ");
    query.push_bind(number.cast_signed());
}
