//! FETCH (RFC 3501 §6.4.5).

use super::preview;
use crate::wire::imap::cursor::{Cursor, Parsed};
use crate::wire::imap::error::{SyntaxError, What};
use crate::wire::imap::partial_range::PartialRange;
use crate::wire::imap::section::Section;
use crate::wire::imap::set::SequenceSet;

/// The most items in one FETCH.
const MAX_ITEMS: usize = 100;

/// `FETCH` or `UID FETCH`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fetch {
    /// Whether `set` names UIDs; the answers then carry the UID, asked for or not.
    pub uid: bool,
    /// The messages.
    pub set: SequenceSet,
    /// What of them, macros spelled out, each item once.
    pub items: Vec<FetchItem>,
    /// Only what changed since.
    pub changed: Option<ChangedSince>,
    /// `PARTIAL`: only some of these messages, counted in the order of their UIDs (RFC 9394 §3.3).
    /// In a UID FETCH only.
    pub partial: Option<PartialRange>,
}

/// `CHANGEDSINCE` (RFC 7162 §3.1.4.1)
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ChangedSince {
    /// Messages with a higher mod-sequence than this.
    pub mod_seq: u64,
    /// `VANISHED`: and which of the set are gone (RFC 7162 §3.2.6).
    pub vanished: bool,
}

/// One thing to fetch of each message.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum FetchItem {
    /// `BINARY[...]` or `BINARY.PEEK[...]` (RFC 9051 §6.4.5)
    Binary {
        /// Whether `\Seen` stays as it is.
        peek: bool,
        /// Which part; empty for the message as it stands.
        part: Vec<u32>,
        /// Only these bytes of it, decoded.
        partial: Option<Partial>,
    },
    /// `BINARY.SIZE[...]`: how long the part is, decoded.
    BinarySize(Vec<u32>),
    /// `BODY`: the structure without its extension data.
    Body,
    /// `BODYSTRUCTURE`
    BodyStructure,
    /// `EMAILID` (RFC 8474 §5.1)
    EmailId,
    /// `ENVELOPE`
    Envelope,
    /// `FLAGS`
    Flags,
    /// `X-GM-LABELS` (X-GM-EXT-1)
    GmLabels,
    /// `X-GM-MSGID`: the id of the message as a number.
    GmMsgId,
    /// `X-GM-THRID`: the id of its thread as a number.
    GmThrId,
    /// `INTERNALDATE`
    InternalDate,
    /// `MODSEQ` (RFC 7162 §3.1.5)
    ModSeq,
    /// `PREVIEW` (RFC 8970): the beginning of the text.
    Preview,
    /// `RFC822`: the whole message; sets `\Seen`.
    Rfc822,
    /// `RFC822.HEADER`: the header; does not set `\Seen`.
    Rfc822Header,
    /// `RFC822.SIZE`
    Rfc822Size,
    /// `RFC822.TEXT`: the body; sets `\Seen`.
    Rfc822Text,
    /// `THREADID` (RFC 8474 §5.2)
    ThreadId,
    /// `UID`
    Uid,
    /// `BODY[...]` or `BODY.PEEK[...]`
    Section {
        /// Whether `\Seen` stays as it is.
        peek: bool,
        /// Which part.
        section: Section,
        /// Only these bytes of it.
        partial: Option<Partial>,
    },
}

/// A piece of the message itself, by the name that a FETCH answer gives it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Content<'a> {
    /// `BINARY[...]`
    Binary {
        /// Which part.
        part: &'a [u32],
        /// Only these bytes of it.
        partial: Option<Partial>,
    },
    /// `BINARY.SIZE[...]`
    BinarySize(&'a [u32]),
    /// `RFC822`
    Rfc822,
    /// `RFC822.HEADER`
    Rfc822Header,
    /// `RFC822.TEXT`
    Rfc822Text,
    /// `BODY[...]`
    Section {
        /// Which part.
        section: &'a Section,
        /// Only these bytes of it.
        partial: Option<Partial>,
    },
}

/// A range of bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Partial {
    /// The first byte, from 0; past the end is allowed and means nothing is left.
    pub origin: u64,
    /// How many bytes at most, not 0.
    pub length: u64,
}

impl FetchItem {
    /// Whether fetching this sets `\Seen` (RFC 3501 §6.4.5).
    pub fn sets_seen(&self) -> bool {
        matches!(
            self,
            Self::Rfc822
                | Self::Rfc822Text
                | Self::Section { peek: false, .. }
                | Self::Binary { peek: false, .. }
        )
    }

    /// Whether it stands in the folder entry, so that no message has to be read for it.
    pub fn is_of_entry(&self) -> bool {
        matches!(self, Self::Flags | Self::Uid | Self::ModSeq | Self::GmLabels)
    }

    /// The piece of the message that this asks for, if it asks for one.
    pub fn content(&self) -> Option<Content<'_>> {
        match self {
            Self::Binary { part, partial, .. } => Some(Content::Binary { part, partial: *partial }),
            Self::BinarySize(part) => Some(Content::BinarySize(part)),
            Self::Rfc822 => Some(Content::Rfc822),
            Self::Rfc822Header => Some(Content::Rfc822Header),
            Self::Rfc822Text => Some(Content::Rfc822Text),
            Self::Section { section, partial, .. } => {
                Some(Content::Section { section, partial: *partial })
            }
            _ => None,
        }
    }
}

/// ```abnf
/// fetch = "FETCH" SP sequence-set SP ("ALL" / "FULL" / "FAST" / fetch-att /
///         "(" fetch-att *(SP fetch-att) ")") [SP fetch-modifiers]
/// ```
pub(super) fn fetch(cursor: &mut Cursor<'_>, uid: bool) -> Parsed<Fetch> {
    cursor.sp()?;
    let set = cursor.sequence_set()?;
    cursor.sp()?;
    let mut items = if cursor.peek() == Some(b'(') {
        fetch_atts(cursor)?
    } else if let Some(of_macro) = fetch_macro(cursor) {
        of_macro.to_vec()
    } else {
        vec![fetch_att(cursor)?]
    };
    let (changed, partial) = if cursor.eat(b" ") { modifiers(cursor, uid)? } else { (None, None) };
    if changed.is_some() && !items.contains(&FetchItem::ModSeq) {
        items.push(FetchItem::ModSeq);
    }
    Ok(Fetch { uid, set, items, changed, partial })
}

/// `"(" fetch-att *(SP fetch-att) ")"`, each once.
pub(super) fn fetch_atts(cursor: &mut Cursor<'_>) -> Parsed<Vec<FetchItem>> {
    let mut items = Vec::new();
    cursor.list(MAX_ITEMS, "items", false, |cursor| {
        let item = fetch_att(cursor)?;
        if !items.contains(&item) {
            items.push(item);
        }
        Ok(())
    })?;
    Ok(items)
}

/// ```abnf
/// fetch-modifiers = "(" fetch-modifier *(SP fetch-modifier) ")"    ; RFC 4466
/// fetch-modifier  = "CHANGEDSINCE" SP mod-sequence-value /         ; RFC 7162
///                   "VANISHED" /
///                   "PARTIAL" SP partial-range                     ; RFC 9394
/// ```
///
/// `VANISHED` and `PARTIAL` stand in a UID FETCH only, the first not without `CHANGEDSINCE`.
fn modifiers(
    cursor: &mut Cursor<'_>,
    uid: bool,
) -> Parsed<(Option<ChangedSince>, Option<PartialRange>)> {
    let (mut since, mut partial) = (None, None);
    let mut vanished = false;
    cursor.list(3, "modifiers", false, |cursor| {
        if uid && partial.is_none() && cursor.eat(b"PARTIAL ") {
            partial = Some(cursor.partial_range()?);
            return Ok(());
        }
        if uid && cursor.eat(b"VANISHED") {
            vanished = true;
            return Ok(());
        }
        cursor.expect("CHANGEDSINCE ")?;
        since = Some(cursor.number64()?);
        Ok(())
    })?;
    match since {
        Some(mod_seq) => Ok((Some(ChangedSince { mod_seq, vanished }), partial)),
        None if vanished => cursor.expected("CHANGEDSINCE"),
        None => Ok((None, partial)),
    }
}

/// The items that `ALL`, `FAST` and `FULL` stand for; only where no list is.
fn fetch_macro(cursor: &mut Cursor<'_>) -> Option<&'static [FetchItem]> {
    const FULL: &[FetchItem] = &[
        FetchItem::Flags,
        FetchItem::InternalDate,
        FetchItem::Rfc822Size,
        FetchItem::Envelope,
        FetchItem::Body,
    ];
    for (name, items) in [(&b"FAST"[..], 3), (b"ALL", 4), (b"FULL", 5)] {
        if cursor.eat(name) {
            return FULL.get(..items);
        }
    }
    None
}

/// ```abnf
/// fetch-att = "EMAILID" / "THREADID" / "ENVELOPE" / "FLAGS" / "INTERNALDATE" / "MODSEQ" / "RFC822" [".HEADER" / ".SIZE" / ".TEXT"] /
///             "BODY" ["STRUCTURE"] / "UID" /
///             "BODY" section ["<" number "." nz-number ">"] /
///             "BODY.PEEK" section ["<" number "." nz-number ">"] /
///             "BINARY" [".PEEK"] section-binary ["<" number "." nz-number ">"] /
///             "BINARY.SIZE" section-binary /    ; RFC 9051
///             preview /                        ; RFC 8970
///             "X-GM-LABELS" / "X-GM-MSGID" / "X-GM-THRID"    ; X-GM-EXT-1
/// ```
fn fetch_att(cursor: &mut Cursor<'_>) -> Parsed<FetchItem> {
    let offset = cursor.offset();
    let word = cursor.word("a data item to fetch")?;
    let bracket = cursor.peek() == Some(b'[');
    match word.as_slice() {
        b"BODY" if bracket => section(cursor, false),
        b"BODY.PEEK" if bracket => section(cursor, true),
        b"BINARY" if bracket => binary(cursor, false),
        b"BINARY.PEEK" if bracket => binary(cursor, true),
        b"BINARY.SIZE" if bracket => part(cursor).map(FetchItem::BinarySize),
        b"BODY" => Ok(FetchItem::Body),
        b"BODYSTRUCTURE" => Ok(FetchItem::BodyStructure),
        b"EMAILID" => Ok(FetchItem::EmailId),
        b"THREADID" => Ok(FetchItem::ThreadId),
        b"ENVELOPE" => Ok(FetchItem::Envelope),
        b"FLAGS" => Ok(FetchItem::Flags),
        b"INTERNALDATE" => Ok(FetchItem::InternalDate),
        b"MODSEQ" => Ok(FetchItem::ModSeq),
        b"PREVIEW" => preview::modifiers(cursor).map(|()| FetchItem::Preview),
        b"RFC822" => Ok(FetchItem::Rfc822),
        b"RFC822.HEADER" => Ok(FetchItem::Rfc822Header),
        b"RFC822.SIZE" => Ok(FetchItem::Rfc822Size),
        b"RFC822.TEXT" => Ok(FetchItem::Rfc822Text),
        b"UID" => Ok(FetchItem::Uid),
        b"X-GM-LABELS" => Ok(FetchItem::GmLabels),
        b"X-GM-MSGID" => Ok(FetchItem::GmMsgId),
        b"X-GM-THRID" => Ok(FetchItem::GmThrId),
        _ => Err(SyntaxError { what: What::Expected("a data item to fetch"), offset }),
    }
}

/// ```abnf
/// section ["<" number "." nz-number ">"]
/// ```
fn section(cursor: &mut Cursor<'_>, peek: bool) -> Parsed<FetchItem> {
    let section = cursor.section()?;
    Ok(FetchItem::Section { peek, section, partial: partial(cursor)? })
}

/// ```abnf
/// section-binary ["<" number "." nz-number ">"]
/// ```
fn binary(cursor: &mut Cursor<'_>, peek: bool) -> Parsed<FetchItem> {
    let part = part(cursor)?;
    Ok(FetchItem::Binary { peek, part, partial: partial(cursor)? })
}

/// ```abnf
/// section-binary = "[" [section-part] "]"
/// ```
fn part(cursor: &mut Cursor<'_>) -> Parsed<Vec<u32>> {
    let offset = cursor.offset();
    let Section { part, text } = cursor.section()?;
    if text.is_some() {
        return Err(SyntaxError { what: What::Expected("part numbers alone"), offset });
    }
    Ok(part)
}

/// ```abnf
/// partial = "<" number "." nz-number ">"
/// ```
fn partial(cursor: &mut Cursor<'_>) -> Parsed<Option<Partial>> {
    if !cursor.eat(b"<") {
        return Ok(None);
    }
    let origin = cursor.number64()?;
    cursor.expect(".")?;
    let length = cursor.number64()?;
    if length == 0 {
        return cursor.expected("a length above zero");
    }
    cursor.expect(">")?;
    Ok(Some(Partial { origin, length }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::imap::command::{Command, parse_command};
    use crate::wire::imap::section::SectionText;

    fn items(text: &str) -> Vec<FetchItem> {
        let line = format!("A654 FETCH 2:4 {text}\r\n");
        let Command::Fetch(fetch) = parse_command(line.as_bytes()).unwrap().command else {
            panic!("{text}")
        };
        assert!(!fetch.uid);
        fetch.items
    }

    #[test]
    fn the_example_of_rfc_3501_section_6_4_5() {
        let section = Section {
            part: vec![],
            text: Some(SectionText::HeaderFields(vec!["DATE".to_owned(), "FROM".to_owned()])),
        };
        assert_eq!(
            items("(FLAGS BODY[HEADER.FIELDS (DATE FROM)])"),
            [FetchItem::Flags, FetchItem::Section { peek: false, section, partial: None }]
        );
    }

    #[test]
    fn decoded_parts() {
        let range = Some(Partial { origin: 0, length: 4 });
        assert_eq!(
            items("(BINARY.SIZE[1.2] BINARY.PEEK[1]<0.4> BINARY[])"),
            [
                FetchItem::BinarySize(vec![1, 2]),
                FetchItem::Binary { peek: true, part: vec![1], partial: range },
                FetchItem::Binary { peek: false, part: vec![], partial: None },
            ]
        );
        for bad in ["BINARY[1.MIME]", "BINARY[TEXT]", "BINARY", "BINARY.SIZE[1]<0.4>"] {
            let line = format!("a FETCH 1 {bad}\r\n");
            assert!(parse_command(line.as_bytes()).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_examples_of_rfc_7162() {
        let fetch = |line: &str| match parse_command(line.as_bytes()).ok()?.command {
            Command::Fetch(fetch) => Some(fetch),
            other => panic!("{other:?}"),
        };
        // Section 3.1.4.1.
        let changed = fetch("s100 UID FETCH 1:* (FLAGS) (CHANGEDSINCE 12345)\r\n").unwrap();
        assert_eq!(changed.items, [FetchItem::Flags, FetchItem::ModSeq]);
        assert_eq!(changed.changed, Some(ChangedSince { mod_seq: 12345, vanished: false }));
        // Section 3.2.6.
        let line = "s100 UID FETCH 300:500 (FLAGS) (CHANGEDSINCE 12345 VANISHED)\r\n";
        let vanished = fetch(line).unwrap().changed;
        assert_eq!(vanished, Some(ChangedSince { mod_seq: 12345, vanished: true }));
        for bad in [
            "a FETCH 1 FLAGS (CHANGEDSINCE 1 VANISHED)\r\n",
            "a UID FETCH 1 FLAGS (VANISHED)\r\n",
            "a FETCH 1 FLAGS (CHANGEDSINCE)\r\n",
            "a FETCH 1 FLAGS ()\r\n",
        ] {
            assert_eq!(fetch(bad), None, "{bad}");
        }
    }

    #[test]
    fn the_examples_of_rfc_9394() {
        let fetch = |line: &str| match parse_command(line.as_bytes()).ok()?.command {
            Command::Fetch(fetch) => Some(fetch),
            other => panic!("{other:?}"),
        };
        let read = fetch("10 UID FETCH 25900:26600 (UID FLAGS) (PARTIAL -1:-100)\r\n").unwrap();
        assert_eq!(read.partial.unwrap().to_string(), "-1:-100");
        let line = "101 UID FETCH 25900:26600 (FLAGS) (PARTIAL 1:30 CHANGEDSINCE 98305)\r\n";
        let read = fetch(line).unwrap();
        assert_eq!(read.partial.unwrap().to_string(), "1:30");
        assert_eq!(read.changed.unwrap().mod_seq, 98305);
        for bad in [
            "a FETCH 1 FLAGS (PARTIAL 1:2)\r\n",
            "a UID FETCH 1 FLAGS (PARTIAL 1:2 PARTIAL 1:2)\r\n",
            "a UID FETCH 1 FLAGS (PARTIAL 1:-2)\r\n",
            "a UID FETCH 1 FLAGS (PARTIAL)\r\n",
        ] {
            assert_eq!(fetch(bad), None, "{bad}");
        }
    }

    #[test]
    fn macros_are_spelled_out() {
        use FetchItem::{Body, Envelope, Flags, InternalDate, Rfc822Size};
        assert_eq!(items("fast"), [Flags, InternalDate, Rfc822Size]);
        assert_eq!(items("ALL"), [Flags, InternalDate, Rfc822Size, Envelope]);
        assert_eq!(items("FULL"), [Flags, InternalDate, Rfc822Size, Envelope, Body]);
        assert!(parse_command(b"a FETCH 1 (ALL)\r\n").is_err());
        assert!(parse_command(b"a FETCH 1 ALLES\r\n").is_err());
    }

    #[test]
    fn every_item_once_and_which_sets_seen() {
        let all = items(
            "(BODY BODYSTRUCTURE ENVELOPE FLAGS INTERNALDATE RFC822.HEADER RFC822.SIZE UID BODY.PEEK[1] \
             RFC822 RFC822.TEXT BODY[] UID)",
        );
        assert_eq!(all.len(), 12);
        assert!(all[..9].iter().all(|item| !item.sets_seen()));
        assert!(all[9..].iter().all(FetchItem::sets_seen));
    }

    #[test]
    fn partials() {
        let item = |origin, length| FetchItem::Section {
            peek: true,
            section: Section::default(),
            partial: Some(Partial { origin, length }),
        };
        assert_eq!(items("BODY.PEEK[]<0.2048>"), [item(0, 2048)]);
        assert_eq!(items("BODY.PEEK[]<4294967296.1>"), [item(1 << 32, 1)]);
        for bad in [
            "BODY[]<0.0>",
            "BODY[]<0>",
            "BODY[]<0.1",
            "BODY.PEEK",
            "BODY[",
            "(FLAGS",
            "()",
            "FOO",
            "",
        ] {
            assert!(parse_command(format!("a FETCH 1 {bad}\r\n").as_bytes()).is_err(), "{bad}");
        }
    }

    #[test]
    fn items_are_bounded() {
        let many = vec!["FLAGS"; MAX_ITEMS + 1].join(" ");
        let error = parse_command(format!("a FETCH 1 ({many})\r\n").as_bytes()).unwrap_err();
        assert_eq!(error.what, What::Limit("items"));
    }
}
