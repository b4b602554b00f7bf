//! The keys of SEARCH (RFC 3501 §6.4.4) and those that extensions add.

use std::num::NonZeroU32;

use time::Date;

use super::gm_raw;
use crate::domain::flags::Keyword;
use crate::domain::ids::{EmailId, ThreadId};
use crate::wire::imap::cursor::{Cursor, Parsed};
use crate::wire::imap::error::What;
use crate::wire::imap::label::LabelName;
use crate::wire::imap::set::SequenceSet;

/// A condition on a message. Keys that only shorten others are spelled out: `NEW` is
/// `RECENT UNSEEN`, `OLD` is `NOT RECENT`, `UNSEEN` is `NOT SEEN` and so on.
///
/// Text is searched for as a substring, without regard to case; the empty text is in everything.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum SearchKey {
    /// `ALL`
    All,
    /// A message with this flag.
    Flag(SearchFlag),
    /// In the Bcc addresses.
    Bcc(String),
    /// In the Cc addresses.
    Cc(String),
    /// In the From addresses.
    From(String),
    /// In the To addresses.
    To(String),
    /// In the subject.
    Subject(String),
    /// In the body.
    Body(String),
    /// In header or body.
    Text(String),
    /// In the header field `name`; with an empty text, that the field is there.
    Header {
        /// The field's name, as written.
        name: String,
        /// The text in it.
        text: String,
    },
    /// Internal date, its time and zone disregarded, before this day.
    Before(Date),
    /// Internal date on this day.
    On(Date),
    /// Internal date on or after this day.
    Since(Date),
    /// Date field, its time and zone disregarded, before this day.
    SentBefore(Date),
    /// Date field on this day.
    SentOn(Date),
    /// Date field on or after this day.
    SentSince(Date),
    /// Internal date at least so many seconds ago (RFC 5032).
    Older(NonZeroU32),
    /// Internal date at most so many seconds ago (RFC 5032).
    Younger(NonZeroU32),
    /// Put into this mailbox before this day (RFC 8514).
    SavedBefore(Date),
    /// Put into this mailbox on this day.
    SavedOn(Date),
    /// Put into this mailbox on or after this day.
    SavedSince(Date),
    /// This message, whichever mailboxes it is in (RFC 8474); `None` for what is no id of ours.
    EmailId(Option<EmailId>),
    /// In this conversation (RFC 8474); `None` for what is no id of ours.
    ThreadId(Option<ThreadId>),
    /// The id of the message is this number (X-GM-EXT-1).
    EmailNumber(u64),
    /// The id of its thread is.
    ThreadNumber(u64),
    /// Has this label.
    Label(LabelName),
    /// Has an attachment.
    Attachment,
    /// This mod-sequence or a higher one (RFC 7162 §3.1.5).
    ModSeq(u64),
    /// More bytes than this.
    Larger(u64),
    /// Fewer bytes than this.
    Smaller(u64),
    /// Sequence numbers.
    Sequence(SequenceSet),
    /// UIDs.
    Uid(SequenceSet),
    /// Not this.
    Not(Box<SearchKey>),
    /// One of the two, or both.
    Or(Box<SearchKey>, Box<SearchKey>),
    /// All of these.
    And(Vec<SearchKey>),
}

impl SearchKey {
    /// Whether it asks for mod-sequences, here or in what it combines.
    pub fn is_of_mod_seq(&self) -> bool {
        self.any(&|key| matches!(key, Self::ModSeq(_)))
    }

    /// Whether it names sequence numbers, here or in what it combines.
    pub fn names_sequence_numbers(&self) -> bool {
        self.any(&|key| matches!(key, Self::Sequence(set) if !set.is_saved()))
    }

    /// Whether it names messages by any numbers, here or in what it combines.
    pub fn names_numbers(&self) -> bool {
        self.any(&|key| matches!(key, Self::Sequence(_) | Self::Uid(_)))
    }

    /// Whether `is` holds of this key, or of one that it combines.
    fn any(&self, is: &impl Fn(&Self) -> bool) -> bool {
        match self {
            Self::Not(one) => one.any(is),
            Self::Or(one, other) => one.any(is) || other.any(is),
            Self::And(keys) => keys.iter().any(|key| key.any(is)),
            key => is(key),
        }
    }
}

/// A flag to search for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum SearchFlag {
    /// `\Answered`
    Answered,
    /// `\Deleted`
    Deleted,
    /// `\Draft`
    Draft,
    /// `\Flagged`
    Flagged,
    /// `\Recent`, this session's view
    Recent,
    /// `\Seen`
    Seen,
    /// A keyword.
    Keyword(Keyword),
}

pub(super) fn not(key: SearchKey) -> SearchKey {
    SearchKey::Not(Box::new(key))
}

/// ```abnf
/// search-key =/ "ALL" / "ANSWERED" / "DELETED" / "DRAFT" / "FLAGGED" / "NEW" / "OLD" / "RECENT" /
///               "SEEN" / "UNANSWERED" / "UNDELETED" / "UNDRAFT" / "UNFLAGGED" / "UNSEEN" /
///               "KEYWORD" SP flag-keyword / "UNKEYWORD" SP flag-keyword
/// ```
pub(super) fn flag_key(cursor: &mut Cursor<'_>, word: &[u8]) -> Option<Parsed<SearchKey>> {
    let (negated, name) = match word.strip_prefix(b"UN") {
        Some(name) => (true, name),
        None => (false, word),
    };
    let flag = match name {
        b"ANSWERED" => SearchFlag::Answered,
        b"DELETED" => SearchFlag::Deleted,
        b"DRAFT" => SearchFlag::Draft,
        b"FLAGGED" => SearchFlag::Flagged,
        b"SEEN" => SearchFlag::Seen,
        b"KEYWORD" => match cursor.sp().and_then(|()| cursor.keyword()) {
            Ok(keyword) => SearchFlag::Keyword(keyword),
            Err(error) => return Some(Err(error)),
        },
        _ => return unnegated_flag_key(word).map(Ok),
    };
    let key = SearchKey::Flag(flag);
    Some(Ok(if negated { not(key) } else { key }))
}

/// The flag keys that have no `UN` form.
fn unnegated_flag_key(word: &[u8]) -> Option<SearchKey> {
    let recent = SearchKey::Flag(SearchFlag::Recent);
    match word {
        b"ALL" => Some(SearchKey::All),
        b"NEW" => Some(SearchKey::And(vec![recent, not(SearchKey::Flag(SearchFlag::Seen))])),
        b"OLD" => Some(not(recent)),
        b"RECENT" => Some(recent),
        _ => None,
    }
}

/// ```abnf
/// search-key =/ "BCC" SP astring / "BODY" SP astring / "CC" SP astring / "FROM" SP astring /
///               "SUBJECT" SP astring / "TEXT" SP astring / "TO" SP astring /
///               "HEADER" SP header-fld-name SP astring
/// ```
pub(super) fn text_key(cursor: &mut Cursor<'_>, word: &[u8]) -> Option<Parsed<SearchKey>> {
    let make = match word {
        b"BCC" => SearchKey::Bcc,
        b"BODY" => SearchKey::Body,
        b"CC" => SearchKey::Cc,
        b"FROM" => SearchKey::From,
        b"SUBJECT" => SearchKey::Subject,
        b"TEXT" => SearchKey::Text,
        b"TO" => SearchKey::To,
        b"HEADER" => return Some(header_key(cursor)),
        _ => return None,
    };
    Some(text(cursor).map(make))
}

fn text(cursor: &mut Cursor<'_>) -> Parsed<String> {
    cursor.sp()?;
    cursor.astring_utf8("a text to search for")
}

fn header_key(cursor: &mut Cursor<'_>) -> Parsed<SearchKey> {
    cursor.sp()?;
    let name = cursor.field_name()?;
    Ok(SearchKey::Header { name, text: text(cursor)? })
}

/// ```abnf
/// search-key =/ "BEFORE" SP date / "ON" SP date / "SINCE" SP date / "SENTBEFORE" SP date /
///               "SENTON" SP date / "SENTSINCE" SP date
/// search-key =/ "SAVEDBEFORE" SP date / "SAVEDON" SP date / "SAVEDSINCE" SP date /
///               "SAVEDATESUPPORTED"    ; RFC 8514
/// ```
pub(super) fn date_key(cursor: &mut Cursor<'_>, word: &[u8]) -> Option<Parsed<SearchKey>> {
    let make = match word {
        b"BEFORE" => SearchKey::Before,
        b"ON" => SearchKey::On,
        b"SINCE" => SearchKey::Since,
        b"SENTBEFORE" => SearchKey::SentBefore,
        b"SENTON" => SearchKey::SentOn,
        b"SENTSINCE" => SearchKey::SentSince,
        b"SAVEDBEFORE" => SearchKey::SavedBefore,
        b"SAVEDON" => SearchKey::SavedOn,
        b"SAVEDSINCE" => SearchKey::SavedSince,
        // Every mailbox keeps the date.
        b"SAVEDATESUPPORTED" => return Some(Ok(SearchKey::All)),
        _ => return None,
    };
    Some(cursor.sp().and_then(|()| cursor.date()).map(make))
}

/// ```abnf
/// search-key =/ "LARGER" SP number / "SMALLER" SP number / "UID" SP sequence-set
/// search-key =/ ("OLDER" / "YOUNGER") SP nz-number                  ; RFC 5032
/// search-key =/ ("UIDAFTER" / "UIDBEFORE") SP uniqueid              ; RFC 9738
/// search-key =/ "MODSEQ" [search-modseq-ext] SP mod-sequence-valzer ; RFC 7162
/// search-key =/ "EMAILID" SP objectid / "THREADID" SP objectid      ; RFC 8474
/// ```
pub(super) fn number_key(cursor: &mut Cursor<'_>, word: &[u8]) -> Option<Parsed<SearchKey>> {
    let read: fn(&mut Cursor<'_>) -> Parsed<SearchKey> = match word {
        b"LARGER" => |cursor| cursor.number64().map(SearchKey::Larger),
        b"SMALLER" => |cursor| cursor.number64().map(SearchKey::Smaller),
        b"UID" => |cursor| cursor.sequence_set().map(SearchKey::Uid),
        b"UIDAFTER" => |cursor| cursor.nz_number().map(uid_after),
        b"UIDBEFORE" => |cursor| cursor.nz_number().map(uid_before),
        b"OLDER" => |cursor| cursor.nz_number().map(SearchKey::Older),
        b"YOUNGER" => |cursor| cursor.nz_number().map(SearchKey::Younger),
        b"MODSEQ" => mod_seq_key,
        b"EMAILID" => |cursor| Ok(SearchKey::EmailId(object_id(cursor)?.parse().ok())),
        b"THREADID" => |cursor| Ok(SearchKey::ThreadId(object_id(cursor)?.parse().ok())),
        _ => return None,
    };
    Some(cursor.sp().and_then(|()| read(cursor)))
}

fn uid_after(uid: NonZeroU32) -> SearchKey {
    let after = uid.checked_add(1);
    after.map_or_else(none, |from| SearchKey::Uid(SequenceSet::between(from, NonZeroU32::MAX)))
}

fn uid_before(uid: NonZeroU32) -> SearchKey {
    let before = NonZeroU32::new(uid.get() - 1);
    before.map_or_else(none, |to| SearchKey::Uid(SequenceSet::between(NonZeroU32::MIN, to)))
}

/// Holds for no message.
fn none() -> SearchKey {
    SearchKey::Not(Box::new(SearchKey::All))
}

/// ```abnf
/// search-key =/ ("X-GM-MSGID" / "X-GM-THRID") SP number64 / "X-GM-LABELS" SP label /
///               "X-GM-RAW" SP astring
/// ```
pub(super) fn gm_key(cursor: &mut Cursor<'_>, word: &[u8]) -> Option<Parsed<SearchKey>> {
    let read: fn(&mut Cursor<'_>) -> Parsed<SearchKey> = match word {
        b"X-GM-MSGID" => |cursor| cursor.number64().map(SearchKey::EmailNumber),
        b"X-GM-THRID" => |cursor| cursor.number64().map(SearchKey::ThreadNumber),
        b"X-GM-LABELS" => |cursor| cursor.label().map(SearchKey::Label),
        b"X-GM-RAW" => |cursor| {
            let text = cursor.astring_utf8("a search")?;
            gm_raw::raw(&text).map_or_else(|| cursor.fail(What::Limit("search terms")), Ok)
        },
        _ => return None,
    };
    Some(cursor.sp().and_then(|()| read(cursor)))
}

/// ```abnf
/// search-modseq-ext = SP entry-name SP entry-type-req
/// entry-type-req    = "priv" / "shared" / "all"
/// ```
///
/// A message has one mod-sequence, whatever entry of it is asked about.
fn mod_seq_key(cursor: &mut Cursor<'_>) -> Parsed<SearchKey> {
    if cursor.peek() == Some(b'"') {
        cursor.astring("the name of an entry")?;
        cursor.sp()?;
        let known = cursor.eat(b"priv") || cursor.eat(b"shared") || cursor.eat(b"all");
        if !known {
            return cursor.expected("priv, shared or all");
        }
        cursor.sp()?;
    }
    cursor.number64().map(SearchKey::ModSeq)
}

/// ```abnf
/// objectid = 1*255(ALPHA / DIGIT / "_" / "-")    ; RFC 8474
/// ```
fn object_id<'a>(cursor: &mut Cursor<'a>) -> Parsed<&'a str> {
    let class = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    let id = cursor.take_while1(class, "an object id")?;
    match str::from_utf8(id) {
        Ok(id) if id.len() <= 255 => Ok(id),
        _ => cursor.expected("an object id"),
    }
}
