//! SEARCH as one query: each key becomes a condition, every value is bound.

mod date;
mod indexed;
mod label;
mod need;
mod rows;
mod text;

use std::collections::HashMap;
use std::fmt::Write as _;

use sqlx::types::Uuid;
use sqlx::{Postgres, QueryBuilder};

use crate::domain::ids::FolderId;
use crate::store::emails::to_u32;
use crate::store::entries::bigints;
use crate::store::error::Error;
use crate::store::tenant::TenantTx;
use crate::wire::imap::command::{SearchFlag, SearchKey};
use crate::wire::imap::numbers::NumberSet;

pub use need::{Filters, Need};
pub use rows::{Row, Wanted};

type Query = QueryBuilder<Postgres>;

/// What only a session knows, and some keys ask about.
#[derive(Clone, Copy, Debug)]
pub struct Numbering<'a> {
    /// UIDs in the order of their sequence numbers, ascending.
    pub uids: &'a [u32],
    /// UIDs from here on are `\Recent`.
    pub recent_from: u32,
    /// The UIDs that `$` stands for (RFC 5182), ascending.
    pub saved: &'a [u32],
}

impl TenantTx {
    /// UIDs, ascending, of the messages of a folder for which every key holds.
    ///
    /// Reads only Postgres, in one query. Text is compared without regard to case (RFC 5051); in a
    /// message of the last moment as far as the database's locale knows letters. Where it is known
    /// that others are out of the question, only the messages `among` are looked at.
    pub async fn search(
        &mut self,
        folder: FolderId,
        keys: &[SearchKey],
        numbering: Numbering<'_>,
        among: Option<&[u32]>,
    ) -> Result<Vec<u32>, Error> {
        let mut query = select("e.uid", &[folder], keys, numbering, among);
        // No two searches are alike, so their plans are not worth keeping.
        let uids: Vec<i64> =
            query.build_query_scalar().persistent(false).fetch_all(self.conn()).await?;
        uids.into_iter().map(to_u32).collect()
    }

    /// The same in several folders, none of which the session has open; of each in which something
    /// is found. No message there is `\Recent` to the session, and none has a number that it knows.
    pub async fn search_all(
        &mut self,
        folders: &[FolderId],
        keys: &[SearchKey],
    ) -> Result<HashMap<FolderId, Vec<u32>>, Error> {
        let numbering = Numbering { uids: &[], recent_from: u32::MAX, saved: &[] };
        let mut query = select("e.folder_id, e.uid", folders, keys, numbering, None);
        let found: Vec<(Uuid, i64)> =
            query.build_query_as().persistent(false).fetch_all(self.conn()).await?;
        let mut by_folder: HashMap<FolderId, Vec<u32>> = HashMap::new();
        for (folder, uid) in found {
            by_folder.entry(FolderId(folder)).or_default().push(to_u32(uid)?);
        }
        Ok(by_folder)
    }
}

/// The query for `columns` of what is found, by UID.
fn select(
    columns: &str,
    folders: &[FolderId],
    keys: &[SearchKey],
    numbering: Numbering<'_>,
    among: Option<&[u32]>,
) -> Query {
    // A table that no condition and no column names is not read: the planner drops the join.
    let mut query = Query::new("SELECT ");
    query.push(columns);
    query.push(
        " FROM folder_entries e LEFT JOIN emails m ON m.id = e.email_id WHERE e.folder_id = ",
    );
    match folders {
        [one] => query.push_bind(one.0),
        many => {
            let ids: Vec<Uuid> = many.iter().map(|folder| folder.0).collect();
            query.push("ANY (").push_bind(ids).push(")")
        }
    };
    if let Some(among) = among {
        query.push(" AND e.uid = ANY (").push_bind(bigints(among)).push(")");
    }
    query.push(" AND ");
    all(&mut query, keys, numbering);
    query.push(" ORDER BY e.uid");
    query
}

/// `(a AND b AND ...)`
fn all(query: &mut Query, keys: &[SearchKey], numbering: Numbering<'_>) {
    query.push("(true");
    for one in keys {
        query.push(" AND ");
        key(query, one, numbering);
    }
    query.push(")");
}

fn key(query: &mut Query, key: &SearchKey, numbering: Numbering<'_>) {
    match key {
        SearchKey::All => drop(query.push("true")),
        SearchKey::Flag(wanted) => flag(query, wanted, numbering),
        SearchKey::Bcc(text) => indexed::addresses(query, "bcc", text),
        SearchKey::Cc(text) => indexed::addresses(query, "cc", text),
        SearchKey::From(text) => indexed::addresses(query, "from", text),
        SearchKey::To(text) => indexed::addresses(query, "to", text),
        SearchKey::Subject(text) => indexed::subject(query, text),
        SearchKey::Body(text) => indexed::body(query, text),
        SearchKey::Text(text) => indexed::anywhere(query, text),
        SearchKey::Header { name, text } => indexed::header(query, name, text),
        SearchKey::Before(day) => date::received(query, None, Some(*day)),
        SearchKey::On(day) => date::received(query, Some(*day), day.next_day()),
        SearchKey::Since(day) => date::received(query, Some(*day), None),
        SearchKey::SentBefore(day) => date::sent(query, "<", *day),
        SearchKey::SentOn(day) => date::sent(query, "=", *day),
        SearchKey::SentSince(day) => date::sent(query, ">=", *day),
        SearchKey::Larger(size) => size_is(query, ">", *size),
        SearchKey::Smaller(size) => size_is(query, "<", *size),
        SearchKey::ModSeq(from) => mod_seq_from(query, *from),
        SearchKey::Older(seconds) => date::age(query, "<=", *seconds),
        SearchKey::Younger(seconds) => date::age(query, ">=", *seconds),
        SearchKey::SavedBefore(day) => date::saved(query, None, Some(*day)),
        SearchKey::SavedOn(day) => date::saved(query, Some(*day), day.next_day()),
        SearchKey::SavedSince(day) => date::saved(query, Some(*day), None),
        SearchKey::EmailId(id) => drop(query.push("e.email_id = ").push_bind(id.map(|id| id.0))),
        SearchKey::ThreadId(id) => drop(query.push("m.thread_id = ").push_bind(id.map(|id| id.0))),
        SearchKey::EmailNumber(id) => label::number(query, "e.email_id", *id),
        SearchKey::ThreadNumber(id) => label::number(query, "m.thread_id", *id),
        SearchKey::Label(name) => label::label(query, name, numbering),
        SearchKey::Attachment => drop(query.push("m.has_attachments")),
        SearchKey::Sequence(set) | SearchKey::Uid(set) if set.is_saved() => {
            let saved: NumberSet = numbering.saved.iter().copied().collect();
            uid_in(query, saved.ranges().iter().copied());
        }
        SearchKey::Sequence(set) => {
            let sequence = set.resolve(u32::try_from(numbering.uids.len()).unwrap_or(u32::MAX));
            uid_in(query, uids_of(&sequence, numbering.uids));
        }
        SearchKey::Uid(set) => {
            let uids = set.resolve(numbering.uids.last().copied().unwrap_or(0));
            uid_in(query, uids.ranges().iter().copied());
        }
        SearchKey::Not(one) => not(query, one, numbering),
        SearchKey::Or(one, other) => {
            query.push("(");
            self::key(query, one, numbering);
            query.push(" OR ");
            self::key(query, other, numbering);
            query.push(")");
        }
        SearchKey::And(keys) => all(query, keys, numbering),
    }
}

/// What is not known (no Date field, no such column) does not hold, so its opposite does.
fn not(query: &mut Query, one: &SearchKey, numbering: Numbering<'_>) {
    query.push("NOT coalesce(");
    key(query, one, numbering);
    query.push(", false)");
}

fn flag(query: &mut Query, flag: &SearchFlag, numbering: Numbering<'_>) {
    let column = match flag {
        SearchFlag::Answered => "e.answered",
        SearchFlag::Deleted => "e.deleted",
        SearchFlag::Draft => "e.draft",
        SearchFlag::Flagged => "e.flagged",
        SearchFlag::Seen => "e.seen",
        SearchFlag::Recent => {
            query.push("e.uid >= ").push_bind(i64::from(numbering.recent_from));
            return;
        }
        SearchFlag::Keyword(keyword) => {
            query.push("EXISTS (SELECT 1 FROM unnest(e.keywords) k WHERE lower(k) = lower(");
            query.push_bind(keyword.as_str().to_owned()).push("))");
            return;
        }
    };
    query.push(column);
}

fn size_is(query: &mut Query, compared: &'static str, size: u64) {
    query.push("m.size_bytes ").push(compared).push(" ");
    query.push_bind(i64::try_from(size).unwrap_or(i64::MAX));
}

fn mod_seq_from(query: &mut Query, mod_seq: u64) {
    query.push("e.modseq >= ").push_bind(i64::try_from(mod_seq).unwrap_or(i64::MAX));
}

/// A range of sequence numbers is a range of UIDs: those between belong to no other message.
fn uids_of(sequence: &NumberSet, uids: &[u32]) -> impl Iterator<Item = (u32, u32)> {
    let uid = |number: u32| uids.get(usize::try_from(number.checked_sub(1)?).ok()?).copied();
    sequence.ranges().iter().filter_map(move |&(from, to)| Some((uid(from)?, uid(to)?)))
}

/// One value however many ranges there are, searched in logarithmic time.
fn uid_in(query: &mut Query, ranges: impl Iterator<Item = (u32, u32)>) {
    let mut multirange = String::from("{");
    for (from, to) in ranges {
        let separator = if multirange.len() > 1 { "," } else { "" };
        let _ = write!(multirange, "{separator}[{from},{to}]");
    }
    multirange.push('}');
    query.push("e.uid <@ ").push_bind(multirange).push("::int8multirange");
}
