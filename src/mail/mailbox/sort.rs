//! SORT (RFC 5256): what messages are compared by.

use std::cmp::Ordering;

use crate::domain::casemap::fold;
use crate::domain::ids::FolderId;
use crate::mail::Error;
use crate::mail::client::Identity;
use crate::mail::mailbox::{Mailboxes, Numbering};
use crate::store::search::{Row, Wanted};
use crate::wire::imap::command::{SearchKey, SortCriterion, SortKey};
use crate::wire::mime::base_subject;

/// Octets of a text that messages are sorted by.
const MAX_KEY: usize = 250;

/// What one criterion compares. Texts by octets, folded (RFC 5051).
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Value {
    Number(i128),
    Text(Box<str>),
}

impl Mailboxes {
    /// UIDs of the messages for which every key holds, sorted; those that are alike stay in the
    /// order of the mailbox. One query.
    pub async fn sort(
        &self,
        who: &Identity,
        folder: FolderId,
        keys: &[SearchKey],
        numbering: Numbering<'_>,
        criteria: &[SortCriterion],
    ) -> Result<Vec<u32>, Error> {
        let mut found: Vec<(Box<[Value]>, u32)> = Vec::new();
        let mut tx = self.snapshot(who).await?;
        tx.search_rows(folder, keys, numbering, wanted(criteria), |row| {
            let values = criteria.iter().map(|criterion| value(&row, criterion.key)).collect();
            found.push((values, row.uid));
        })
        .await?;
        found.sort_by(|(a, _), (b, _)| compare(criteria, a, b));
        Ok(found.into_iter().map(|(_, uid)| uid).collect())
    }
}

fn wanted(criteria: &[SortCriterion]) -> Wanted {
    let any = |keys: &[SortKey]| criteria.iter().any(|criterion| keys.contains(&criterion.key));
    Wanted {
        subject: any(&[SortKey::Subject]),
        people: any(&[
            SortKey::Cc,
            SortKey::From,
            SortKey::To,
            SortKey::DisplayFrom,
            SortKey::DisplayTo,
        ]),
        identifiers: false,
    }
}

fn compare(criteria: &[SortCriterion], a: &[Value], b: &[Value]) -> Ordering {
    let orders = criteria
        .iter()
        .zip(a.iter().zip(b))
        .map(|(criterion, (a, b))| if criterion.reverse { b.cmp(a) } else { a.cmp(b) });
    orders.fold(Ordering::Equal, Ordering::then)
}

fn value(row: &Row, key: SortKey) -> Value {
    match key {
        SortKey::Arrival => Value::Number(row.arrival.unix_timestamp_nanos()),
        SortKey::Date => Value::Number(row.sent.into()),
        SortKey::Size => Value::Number(row.size.into()),
        SortKey::Subject => text(&base_subject(&row.subject)),
        SortKey::From => text(local_part(&row.from.1)),
        SortKey::To => text(local_part(&row.to.1)),
        SortKey::Cc => text(local_part(&row.cc.1)),
        SortKey::DisplayFrom => display(&row.from),
        SortKey::DisplayTo => display(&row.to),
    }
}

fn local_part(address: &str) -> &str {
    address.rsplit_once('@').map_or(address, |(local, _)| local)
}

/// The name, else the address (RFC 5957 §3).
fn display((name, address): &(Option<String>, String)) -> Value {
    text(name.as_deref().filter(|name| !name.is_empty()).unwrap_or(address))
}

fn text(text: &str) -> Value {
    let mut folded = fold(text);
    folded.truncate(folded.floor_char_boundary(MAX_KEY));
    Value::Text(folded.into())
}
