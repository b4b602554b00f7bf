//! What is known of a message after one look at it.

use std::ops::Range;

use super::bound::Bound;
use super::content::Encoding;
use super::part::Parts;

/// Everything that listing, searching, threading and storing a message needs, computed once.
///
/// All text is free of control characters (bodies keep line feeds and tabs), so that a database takes
/// it, and bounded: identifiers and addresses by 998 octets (longer ones are dropped), other values by
/// 4 KiB, lists by 1,000.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Form {
    /// Octets of the header block, its empty line included.
    pub header_len: usize,
    /// The Message-ID, without its angle brackets.
    pub message_id: Option<String>,
    /// The identifiers of In-Reply-To, the last 50.
    pub in_reply_to: Vec<String>,
    /// The identifiers of References, oldest first, the last 50.
    pub references: Vec<String>,
    /// The Subject, decoded.
    pub subject: String,
    /// The base subject (RFC 5256 §2.1) in lower case, at most 998 octets.
    pub base_subject: String,
    /// Whether the subject is that of a reply or a forward.
    pub is_reply: bool,
    /// The Date, in seconds since 1970-01-01T00:00:00Z.
    pub date: Option<i64>,
    /// The From mailboxes, of all From fields together.
    pub from: Vec<Mailbox>,
    /// How many From fields there are; exactly one is right (RFC 5322 §3.6).
    pub from_count: usize,
    /// The Sender mailboxes; one at most is right.
    pub sender: Vec<Mailbox>,
    /// The Reply-To mailboxes.
    pub reply_to: Vec<Mailbox>,
    /// The To mailboxes, groups flattened.
    pub to: Vec<Mailbox>,
    /// The Cc mailboxes, groups flattened.
    pub cc: Vec<Mailbox>,
    /// The Bcc mailboxes, groups flattened.
    pub bcc: Vec<Mailbox>,
    /// ENVELOPE with its parentheses (RFC 3501 §7.4.2).
    pub envelope: Vec<u8>,
    /// BODYSTRUCTURE with its parentheses and extension data.
    pub body_structure: Vec<u8>,
    /// BODY with its parentheses: the structure without extension data.
    pub body: Vec<u8>,
    /// The octet ranges behind every section.
    pub parts: Parts,
    /// The text to read and to search: the plain text parts, else HTML made text; at most 256 KiB.
    pub text: String,
    /// The first 200 characters of the text, white space collapsed.
    pub snippet: String,
    /// Whether one of the bodies is HTML.
    pub html: bool,
    /// Every leaf that is not a body of its message, in order; those of messages inside too.
    pub attachments: Vec<Attachment>,
    /// The bound that the message went past; `None` for nearly every one.
    pub opaque: Option<Bound>,
}

/// A mailbox of an address field.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
pub struct Mailbox {
    /// The display name, decoded.
    pub name: Option<String>,
    /// `local@domain` as written; encoded words are never decoded here (RFC 2047 §5).
    pub address: String,
}

/// How an attachment wants to be shown (RFC 2183).
#[derive(Clone, Copy, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Disposition {
    /// To be offered for saving; what everything is that is not `inline`.
    Attachment,
    /// To be shown with the text: `inline`, or no disposition and a Content-ID.
    Inline,
}

/// A leaf that is not a body, or is a long one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Attachment {
    /// Its section number, like `2.1`.
    pub section: String,
    /// Its file name, decoded.
    pub filename: Option<String>,
    /// `type/subtype` in lower case.
    pub content_type: String,
    /// Attachment or inline.
    pub disposition: Disposition,
    /// Its Content-ID without angle brackets.
    pub content_id: Option<String>,
    /// Its transfer encoding.
    pub encoding: Encoding,
    /// Its body in the original, still encoded.
    pub range: Range<usize>,
}
