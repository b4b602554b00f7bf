//! Conditions on text, answered from `email_search`: filter first, then the text itself. For a
//! message that has no row there yet, the same is asked of the message as it stands.
//!
//! Everything is looked up row by row, in scalar subqueries, on purpose: so a search costs what the
//! folder holds, whatever the organisation does, and no plan can read all texts of all folders.

use super::{Query, text};
use crate::domain::casemap::fold;
use crate::domain::grams::probes;

/// One of the two texts of a message.
#[derive(Clone, Copy)]
enum Text {
    Header,
    Body,
}

impl Text {
    fn column(self) -> &'static str {
        match self {
            Self::Header => "x.header",
            Self::Body => "x.body",
        }
    }
}

/// In the body.
pub(super) fn body(query: &mut Query, needle: &str) {
    let folded = fold(needle);
    look_up(
        query,
        |query| contains(query, Text::Body, &folded),
        |query| text::column(query, "m.text_body", needle),
    );
}

/// In header or body.
pub(super) fn anywhere(query: &mut Query, needle: &str) {
    let folded = fold(needle);
    look_up(
        query,
        |query| {
            query.push("(");
            contains(query, Text::Header, &folded);
            query.push(" OR ");
            contains(query, Text::Body, &folded);
            query.push(")");
        },
        |query| text::anywhere(query, needle),
    );
}

/// In the subject. The empty text is in every one, also in that of a message without.
pub(super) fn subject(query: &mut Query, needle: &str) {
    if needle.is_empty() {
        query.push("true");
        return;
    }
    look_up(
        query,
        |query| field(query, "subject", needle),
        |query| text::column(query, "m.subject", needle),
    );
}

/// In an address field. Holds for the empty text when there is an address.
pub(super) fn addresses(query: &mut Query, name: &'static str, needle: &str) {
    look_up(
        query,
        |query| field(query, name, needle),
        |query| text::addresses(query, name, needle),
    );
}

/// In a header field; for the empty text, that it is there (RFC 3501 §6.4.4).
pub(super) fn header(query: &mut Query, name: &str, needle: &str) {
    look_up(query, |query| field(query, name, needle), |query| text::header(query, name, needle));
}

/// `indexed` of the message's row in `email_search`, else `otherwise` of the message.
fn look_up(
    query: &mut Query,
    indexed: impl FnOnce(&mut Query),
    otherwise: impl FnOnce(&mut Query),
) {
    query.push("coalesce((SELECT ");
    indexed(query);
    query.push(" FROM email_search x WHERE x.id = e.email_id), (SELECT coalesce(");
    otherwise(query);
    query.push(
        ", false) FROM emails m LEFT JOIN email_sources s ON s.id = m.id WHERE m.id = e.email_id), false)",
    );
}

/// In one of the lines `NAME: value` of the header.
fn field(query: &mut Query, name: &str, needle: &str) {
    let start = start(name);
    let needle = fold(needle);
    when_filter(query, Text::Header, &[&start, &needle], |query| {
        query.push(
            "EXISTS (SELECT 1 FROM string_to_table(x.header, E'\\n') f WHERE starts_with(f, ",
        );
        query.push_bind(start.clone()).push(") AND position(").push_bind(needle.clone());
        query
            .push(" IN substr(f, ")
            .push_bind(i32::try_from(start.chars().count() + 1).unwrap_or(1));
        query.push(")) > 0)");
    });
}

fn contains(query: &mut Query, text: Text, folded: &str) {
    when_filter(query, text, &[folded], |query| {
        query.push("position(").push_bind(folded.to_owned()).push(" IN ");
        query.push(text.column()).push(") > 0");
    });
}

/// What stands before the value of a field in the header, as it is kept for searching.
pub(super) fn start(name: &str) -> String {
    format!("{}: ", fold(name))
}

/// The bits that a filter has which lets all of `needles` pass.
pub(super) fn hashes(needles: &[&str]) -> Vec<u16> {
    let mut hashes: Vec<u16> = needles.iter().flat_map(|needle| probes(needle)).collect();
    hashes.sort_unstable();
    hashes.dedup();
    hashes
}

/// `then`, if the filter lets all of `needles` pass.
fn when_filter(query: &mut Query, text: Text, needles: &[&str], then: impl FnOnce(&mut Query)) {
    query.push("CASE WHEN true");
    for hash in hashes(needles) {
        let grams = text.column();
        // Bound, so that a search for another word is the same statement and not planned again.
        query.push(format!(" AND get_bit({grams}_grams, ")).push_bind(i32::from(hash));
        query.push(format!(" & (8 * octet_length({grams}_grams) - 1)) = 1"));
    }
    query.push(" THEN ");
    then(query);
    query.push(" ELSE false END");
}
