//! What can be said of a search from the filters of `email_search` alone.

use super::indexed::{hashes, start};
use crate::domain::casemap::fold;
use crate::domain::grams::may_contain;
use crate::wire::imap::command::SearchKey;

/// The filters over the texts of an email: see [`crate::domain::grams`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filters {
    /// Over the header.
    pub header: Box<[u8]>,
    /// Over the body.
    pub body: Box<[u8]>,
}

/// The bits that a filter must have, so that a key can hold: of the filter over the header, or of
/// that over the body where both are given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Need {
    header: Option<Vec<u16>>,
    body: Option<Vec<u16>>,
}

impl Need {
    /// What each of `keys` needs of which the filters tell anything: all of it together.
    pub fn of_all(keys: &[SearchKey]) -> Vec<Self> {
        let mut needs = Vec::new();
        for key in keys {
            match key {
                SearchKey::And(keys) => needs.extend(Self::of_all(keys)),
                key => needs.extend(Self::of(key)),
            }
        }
        needs
    }

    fn of(key: &SearchKey) -> Option<Self> {
        let (header, body) = match key {
            SearchKey::Body(needle) => (None, Some(hashes(&[&fold(needle)]))),
            SearchKey::Text(needle) => {
                let hashes = hashes(&[&fold(needle)]);
                (Some(hashes.clone()), Some(hashes))
            }
            // The empty text is in every subject, also in that of a message without.
            SearchKey::Subject(needle) if needle.is_empty() => return None,
            SearchKey::Subject(needle) => in_field("subject", needle),
            SearchKey::From(needle) => in_field("from", needle),
            SearchKey::To(needle) => in_field("to", needle),
            SearchKey::Cc(needle) => in_field("cc", needle),
            SearchKey::Bcc(needle) => in_field("bcc", needle),
            SearchKey::Header { name, text } => in_field(name, text),
            _ => return None,
        };
        Some(Self { header, body })
    }

    /// Whether an email with these filters may have it.
    pub fn may_be_in(&self, filters: &Filters) -> bool {
        let may = |filter, hashes: &Option<Vec<u16>>| {
            hashes.as_ref().is_some_and(|hashes| may_contain(filter, hashes))
        };
        may(&filters.header, &self.header) || may(&filters.body, &self.body)
    }
}

fn in_field(name: &str, needle: &str) -> (Option<Vec<u16>>, Option<Vec<u16>>) {
    (Some(hashes(&[&start(name), &fold(needle)])), None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::grams::filter;

    fn of(header: &str, body: &str) -> Filters {
        Filters { header: filter(&fold(header)).into(), body: filter(&fold(body)).into() }
    }

    fn may(key: SearchKey, filters: &Filters) -> bool {
        Need::of_all(&[key]).iter().all(|need| need.may_be_in(filters))
    }

    #[test]
    fn each_key_asks_its_own_text() {
        let filters = of("Subject: Rechnung\nX-Ticket: ticket-17\n", "Guten Morgen");
        let header = |text: &str| SearchKey::Header { name: "x-ticket".into(), text: text.into() };
        assert!(may(header("TICKET-17"), &filters));
        assert!(!may(header("ticket-99"), &filters));
        assert!(may(header(""), &filters));
        assert!(may(SearchKey::Subject("rechnung".into()), &filters));
        assert!(!may(SearchKey::Subject("morgen".into()), &filters));
        assert!(!may(SearchKey::Body("rechnung".into()), &filters));
        assert!(may(SearchKey::Body("morgen".into()), &filters));
        assert!(may(SearchKey::Text("rechnung".into()), &filters));
        assert!(!may(SearchKey::Text("abend".into()), &filters));
        // Nothing can be said.
        assert!(may(SearchKey::Text("zz".into()), &filters));
        assert!(may(SearchKey::Not(Box::new(SearchKey::Text("morgen".into()))), &filters));
    }
}
