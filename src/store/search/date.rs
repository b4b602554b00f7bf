//! Dates: the day a message came, and the day that its Date field names.

use std::num::NonZeroU32;

use time::{Date, OffsetDateTime, Time};

use super::Query;

/// INTERNALDATE from the day `since` on and before the day `before`. It is shown in UTC, so that
/// is the day it is on (RFC 3501 §6.4.4 disregards time and zone).
pub(super) fn received(query: &mut Query, since: Option<Date>, before: Option<Date>) {
    between(query, "m.internal_date", since, before);
}

/// When the message was put into this folder, likewise (RFC 8514).
pub(super) fn saved(query: &mut Query, since: Option<Date>, before: Option<Date>) {
    between(query, "e.saved_at", since, before);
}

fn between(query: &mut Query, column: &'static str, since: Option<Date>, before: Option<Date>) {
    query.push("(true");
    if let Some(day) = since {
        query.push(" AND ").push(column).push(" >= ").push_bind(midnight(day));
    }
    if let Some(day) = before {
        query.push(" AND ").push(column).push(" < ").push_bind(midnight(day));
    }
    query.push(")");
}

/// INTERNALDATE compared with the moment that is so many seconds ago (RFC 5032).
pub(super) fn age(query: &mut Query, compared: &'static str, seconds: NonZeroU32) {
    query.push("m.internal_date ").push(compared).push(" now() - make_interval(secs => ");
    query.push_bind(f64::from(seconds.get())).push(")");
}

fn midnight(day: Date) -> OffsetDateTime {
    OffsetDateTime::new_utc(day, Time::MIDNIGHT)
}

/// The day of the Date field as it is written there, whatever its zone: the envelope begins with
/// it. Where it is written in no usual way, the day in UTC. Compared as the number yyyymmdd, which
/// exists for days that no calendar has.
const SENT_DAY: &str = r#"coalesce(
    (SELECT d[3]::int * 10000 + d[1]::int
        + 100 * array_position('{jan,feb,mar,apr,may,jun,jul,aug,sep,oct,nov,dec}'::text[], lower(d[2]))
     FROM regexp_match(encode(substr(m.envelope, 1, 80), 'escape'),
        '^\("[^"0-9]*(\d{1,2})\s+([a-z]{3})\s+(\d{4})\s', 'i') d),
    to_char(m.sent_at AT TIME ZONE 'UTC', 'YYYYMMDD')::int)"#;

/// The day of the Date field `compared` with `day`; unknown when there is no Date field.
pub(super) fn sent(query: &mut Query, compared: &'static str, day: Date) {
    let number =
        day.year() * 10_000 + i32::from(u8::from(day.month())) * 100 + i32::from(day.day());
    query.push(SENT_DAY).push(" ").push(compared).push(" ").push_bind(number);
}
