//! MIME: reading, splitting, reassembling and composing messages.
//!
//! The only place that names mail-parser and mail-builder. The shape of a message (which octets are
//! whose header, body, part) is read here, by one linear pass with hard bounds ([`scan`]), because
//! everything else is a byte range of it: FETCH, the split into skeleton and objects, rewriting.
//! mail-parser decodes values: encoded words, RFC 2231 parameters, dates, charsets, HTML.
//!
//! Start at [`parse`], which makes the [`Form`] of a message, once, at ingest.

mod address;
mod base64_lines;
mod binary;
mod bodies;
mod bound;
mod boundaries;
mod compose;
mod content;
mod decode;
pub mod delivery_status;
mod digest;
pub mod dsn;
mod entity;
mod envelope;
pub mod feedback;
mod field;
mod form;
pub mod headers;
mod html_body;
mod links;
pub mod mdn;
mod origin;
pub mod original;
mod parse;
mod part;
mod rebuild;
mod render;
pub mod report;
mod report_fields;
mod rewrite;
mod scan;
mod select;
mod split;
mod squeeze;
mod structure;
mod subject;
mod text;
mod verify;

#[cfg(test)]
mod bombs;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;

pub use base64_lines::{Base64Lines, Newline};
pub use binary::encode_binary;
pub use bound::Bound;
pub use compose::{ComposeError, Draft, Person, compose};
pub use content::{Encoding, transfer_encoding};
pub use decode::decode_body;
pub use digest::Sha256;
pub use field::{FieldError, field};
pub use form::{Attachment, Disposition, Form, Mailbox};
pub use links::HtmlError;
pub use parse::{parse, read_whole_text};
pub use part::{Part, PartKind, Parts, SectionText};
pub use rebuild::{Mismatch, Piece, Skeleton, original_len, pieces, rebuild};
pub use render::{collect_links, rewrite_message};
pub use rewrite::rewrite_html;
pub use select::{header_fields, header_fields_not, remove_fields};
pub use split::{Cut, MIN_CUT, Recipe, Split, split};
pub use squeeze::{SqueezeError, compress, decompress};
pub use subject::{base_subject, is_reply};
pub use verify::verify;
