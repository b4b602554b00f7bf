//! What comes back of a message with a report about it: the whole or its header (RFC 6522 §3).

use super::decode::{literal, message_ids};
use super::form::Form;
use super::headers::{block_len, find};
use super::report_fields::part;

/// Types that hold a message or its header, international ones too (RFC 6533 §4, §5).
const TYPES: [(&str, &str); 5] = [
    ("message", "rfc822"),
    ("text", "rfc822-headers"),
    ("message", "global"),
    ("message", "global-headers"),
    // Not of any standard, and sent.
    ("message", "rfc822-headers"),
];

/// What of it tells which message it was.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Original {
    /// Its Message-ID, without angle brackets.
    pub message_id: Option<String>,
    /// Its Return-Path, without angle brackets: where reports about it were to go.
    pub return_path: Option<String>,
}

/// Reads it off a report.
pub(super) fn original(raw: &[u8], form: &Form) -> Original {
    let Some(body) = part(raw, form, &TYPES) else { return Original::default() };
    let header = body.get(..block_len(&body)).unwrap_or_default();
    let message_id = find(header, "Message-ID");
    let return_path = find(header, "Return-Path").map(|field| literal(&field.text()));
    Original {
        message_id: message_id.and_then(|field| message_ids(field.value).into_iter().next()),
        return_path: return_path.map(|path| bare(&path).to_owned()).filter(|path| !path.is_empty()),
    }
}

/// An address without angle brackets.
pub(super) fn bare(text: &str) -> &str {
    let text = text.trim();
    text.strip_prefix('<').and_then(|text| text.strip_suffix('>')).unwrap_or(text).trim()
}
