//! What stands in X-GM-RAW: a search as people type it into the web mail of X-GM-EXT-1.
//!
//! ```abnf
//! raw    = *(term [1*WSP "OR" 1*WSP term] *WSP)            ; all of them
//! term   = ["-"] (group / operator ":" (group / value) / value)
//! group  = "(" raw ")" / "{" raw "}"                       ; all of it, or any of it
//! value  = DQUOTE *CHAR DQUOTE / 1*<neither space, quote nor bracket>
//! ```
//!
//! Operators: `from`, `to`, `cc`, `bcc`, `subject`, `label`, `rfc822msgid`, `has`, `is`, `in`,
//! `before`, `older`, `after`, `newer`, `older_than`, `newer_than`, `larger`, `size`, `smaller`.
//! What is none of this is a text to look for, as it is there.

use std::num::NonZeroU32;

use time::{Date, Month};

use super::search_key::{SearchFlag, SearchKey, not};
use crate::wire::imap::label::LabelName;

/// The most terms of one search, brackets and the like included.
const MAX_TERMS: usize = 100;
/// How deep they may nest.
const MAX_DEPTH: usize = 20;

/// What a bare value is looked for in.
type Make = fn(String) -> SearchKey;

/// What `text` asks for; `None` where that is too much.
pub(super) fn raw(text: &str) -> Option<SearchKey> {
    let mut raw = Raw { rest: text, left: MAX_TERMS };
    let keys = raw.terms(SearchKey::Text, 0, None)?;
    Some(all(keys))
}

struct Raw<'a> {
    rest: &'a str,
    left: usize,
}

impl Raw<'_> {
    /// Terms up to `close`, or to the end.
    fn terms(&mut self, make: Make, depth: usize, close: Option<char>) -> Option<Vec<SearchKey>> {
        let mut keys = Vec::new();
        while let Some(next) = self.next() {
            if matches!(next, ')' | '}') {
                self.skip(next);
                if close == Some(next) {
                    break;
                }
                continue;
            }
            let mut key = self.term(make, depth)?;
            while self.eat_or() {
                key = SearchKey::Or(Box::new(key), Box::new(self.term(make, depth)?));
            }
            keys.push(key);
        }
        Some(keys)
    }

    fn term(&mut self, make: Make, depth: usize) -> Option<SearchKey> {
        self.left = self.left.checked_sub(1)?;
        if depth > MAX_DEPTH {
            return None;
        }
        match self.next()? {
            '-' if self.rest.len() > 1 => {
                self.skip('-');
                self.term(make, depth + 1).map(not)
            }
            '(' | '{' => self.group(make, depth),
            '"' => Some(make(self.quoted())),
            _ => self.word(make, depth),
        }
    }

    fn group(&mut self, make: Make, depth: usize) -> Option<SearchKey> {
        if self.next() == Some('{') {
            self.skip('{');
            let any = self.terms(make, depth + 1, Some('}'))?;
            let or = |one, other| SearchKey::Or(Box::new(one), Box::new(other));
            return Some(any.into_iter().reduce(or).unwrap_or(SearchKey::All));
        }
        self.skip('(');
        self.terms(make, depth + 1, Some(')')).map(all)
    }

    fn word(&mut self, make: Make, depth: usize) -> Option<SearchKey> {
        let end = |c: char| c.is_whitespace() || "(){}\"".contains(c);
        let (word, rest) = self.rest.split_at(self.rest.find(end).unwrap_or(self.rest.len()));
        self.rest = rest;
        let Some((operator, value)) = word.split_once(':') else {
            return Some(make(word.to_owned()));
        };
        let operator = operator.to_ascii_lowercase();
        let in_text = in_text(&operator);
        if value.is_empty() {
            match (in_text, rest.chars().next()) {
                (Some(make), Some('(' | '{')) => return self.group(make, depth),
                (Some(make), Some('"')) => return Some(make(self.quoted())),
                _ => {}
            }
        }
        let known = match in_text {
            Some(in_text) => Some(in_text(value.to_owned())),
            None => of_value(&operator, value),
        };
        Some(known.unwrap_or_else(|| make(word.to_owned())))
    }

    fn quoted(&mut self) -> String {
        self.skip('"');
        let (text, rest) = self.rest.split_once('"').unwrap_or((self.rest, ""));
        let text = text.to_owned();
        self.rest = rest;
        text
    }

    /// What comes next behind spaces.
    fn next(&mut self) -> Option<char> {
        self.rest = self.rest.trim_start();
        self.rest.chars().next()
    }

    fn skip(&mut self, c: char) {
        self.rest = self.rest.strip_prefix(c).unwrap_or(self.rest);
    }

    /// Steps over an `OR` that something follows.
    fn eat_or(&mut self) -> bool {
        let behind = self.rest.trim_start().strip_prefix("OR").filter(|rest| {
            rest.starts_with(char::is_whitespace)
                && rest.trim_start().starts_with(|c: char| !matches!(c, ')' | '}'))
        });
        if let Some(behind) = behind {
            self.rest = behind;
        }
        behind.is_some()
    }
}

fn all(mut keys: Vec<SearchKey>) -> SearchKey {
    match keys.len() {
        0 => SearchKey::All,
        1 => keys.swap_remove(0),
        _ => SearchKey::And(keys),
    }
}

/// Operators whose value is a text.
fn in_text(operator: &str) -> Option<Make> {
    Some(match operator {
        "from" => SearchKey::From,
        "to" => SearchKey::To,
        "cc" => SearchKey::Cc,
        "bcc" => SearchKey::Bcc,
        "subject" => SearchKey::Subject,
        "label" => |name| LabelName::named(&name).map_or(not(SearchKey::All), SearchKey::Label),
        "rfc822msgid" => |text| SearchKey::Header { name: "Message-ID".to_owned(), text },
        _ => return None,
    })
}

/// Operators whose value is something else.
fn of_value(operator: &str, value: &str) -> Option<SearchKey> {
    match operator {
        "has" if value.eq_ignore_ascii_case("attachment") => Some(SearchKey::Attachment),
        "is" | "in" => state(&value.to_ascii_lowercase()),
        "before" | "older" => date(value).map(SearchKey::Before),
        "after" | "newer" => date(value).map(SearchKey::Since),
        "older_than" => span(value).map(SearchKey::Older),
        "newer_than" => span(value).map(SearchKey::Younger),
        "larger" | "size" => octets(value).map(SearchKey::Larger),
        "smaller" => octets(value).map(SearchKey::Smaller),
        _ => None,
    }
}

fn state(value: &str) -> Option<SearchKey> {
    let seen = SearchKey::Flag(SearchFlag::Seen);
    Some(match value {
        "read" => seen,
        "unread" => not(seen),
        "starred" => SearchKey::Label(LabelName::Starred),
        "important" => SearchKey::Label(LabelName::Important),
        "draft" | "drafts" => SearchKey::Label(LabelName::Draft),
        "anywhere" => SearchKey::All,
        "inbox" | "sent" | "trash" | "spam" => {
            SearchKey::Label(LabelName::Mailbox(value.to_owned()))
        }
        _ => return None,
    })
}

/// `yyyy/mm/dd` or `yyyy-mm-dd`
fn date(value: &str) -> Option<Date> {
    let mut parts = value.splitn(3, ['/', '-']);
    let year: u16 = parts.next()?.parse().ok()?;
    let month: u8 = parts.next()?.parse().ok()?;
    let day = parts.next()?.parse().ok()?;
    Date::from_calendar_date(year.into(), Month::try_from(month).ok()?, day).ok()
}

/// `2d`, `3m`, `1y`, in seconds.
fn span(value: &str) -> Option<NonZeroU32> {
    let (days, number) = [('d', 1), ('m', 30), ('y', 365)]
        .into_iter()
        .find_map(|(unit, days)| Some((days, value.strip_suffix(unit)?)))?;
    NonZeroU32::new(number.parse::<u32>().ok()?.checked_mul(days * 86_400)?)
}

/// `5000`, `10K`, `2M`, and the same with a `B` behind it.
fn octets(value: &str) -> Option<u64> {
    let value = value.to_ascii_lowercase();
    let value = value.strip_suffix('b').unwrap_or(&value);
    let (number, factor) = match (value.strip_suffix('k'), value.strip_suffix('m')) {
        (Some(number), _) => (number, 1 << 10),
        (_, Some(number)) => (number, 1 << 20),
        _ => (value, 1),
    };
    number.parse::<u64>().ok()?.checked_mul(factor)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use time::macros::date;

    use super::*;

    fn or(one: SearchKey, other: SearchKey) -> SearchKey {
        SearchKey::Or(Box::new(one), Box::new(other))
    }

    fn text(text: &str) -> SearchKey {
        SearchKey::Text(text.to_owned())
    }

    fn subject(text: &str) -> SearchKey {
        SearchKey::Subject(text.to_owned())
    }

    #[test]
    fn the_example_of_the_documentation() {
        let unread = not(SearchKey::Flag(SearchFlag::Seen));
        let expected = SearchKey::And(vec![SearchKey::Attachment, unread]);
        assert_eq!(raw("has:attachment in:unread"), Some(expected));
    }

    #[test]
    fn terms_and_how_they_combine() {
        for (typed, key) in [
            ("", SearchKey::All),
            ("dinner", text("dinner")),
            ("\"dinner and movie\"", text("dinner and movie")),
            ("-dinner", not(text("dinner"))),
            ("a OR b c", SearchKey::And(vec![or(text("a"), text("b")), text("c")])),
            ("{a b c}", or(or(text("a"), text("b")), text("c"))),
            ("subject:(a \"b c\")", SearchKey::And(vec![subject("a"), subject("b c")])),
            ("-subject:\"b c\"", not(subject("b c"))),
            ("From:amy", SearchKey::From("amy".to_owned())),
            ("label:foo", SearchKey::Label(LabelName::Named("foo".to_owned()))),
            ("is:starred", SearchKey::Label(LabelName::Starred)),
            ("after:2004/04/16", SearchKey::Since(date!(2004 - 04 - 16))),
            ("before:2004-4-18", SearchKey::Before(date!(2004 - 04 - 18))),
            ("older_than:2d", SearchKey::Older(NonZeroU32::new(172_800).unwrap())),
            ("larger:10M", SearchKey::Larger(10 << 20)),
            ("smaller:5kb", SearchKey::Smaller(5 << 10)),
            // What is nothing else is a text.
            ("http://x", text("http://x")),
            ("before:noon", text("before:noon")),
            ("-", text("-")),
            ("(a", text("a")),
            ("a) b", SearchKey::And(vec![text("a"), text("b")])),
            ("a OR", SearchKey::And(vec![text("a"), text("OR")])),
        ] {
            assert_eq!(raw(typed), Some(key), "{typed}");
        }
    }

    #[test]
    fn what_is_too_much_is_refused() {
        assert_eq!(raw(&"a ".repeat(MAX_TERMS + 1)), None);
        assert_eq!(raw(&"(".repeat(MAX_DEPTH + 2)), None);
        assert_eq!(raw(&"-".repeat(MAX_DEPTH + 3)), None);
    }

    proptest! {
        #[test]
        fn never_panics(typed in "[-(){}\"a:OR ü/0-9]{0,60}") {
            let _ = raw(&typed);
        }
    }
}
