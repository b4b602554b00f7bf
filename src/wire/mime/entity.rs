//! One entity: its part of the message and its MIME fields (RFC 2045 §2.4).

use super::bound::Bound;
use super::content::{Encoding, MimeFields, Value};
use super::part::{Part, PartKind};

/// One entity as the scan found it.
pub(super) struct Entity<'a> {
    pub(super) part: Part,
    pub(super) fields: MimeFields<'a>,
    /// Its Content-Type, or what goes for it.
    pub(super) content: Value,
    pub(super) disposition: Option<Value>,
}

impl<'a> Entity<'a> {
    /// Reads the header block of an entity at `start`; in a digest, one that does not say what it is
    /// is a message (RFC 2046 §5.1.5), elsewhere text (RFC 2045 §5.2).
    pub(super) fn read(start: usize, block: &'a [u8], in_digest: bool) -> Result<Self, Bound> {
        let part =
            Part { kind: PartKind::Leaf, start, header_len: block.len(), body_len: 0, span: 1 };
        let fields = MimeFields::read(block);
        let content = match fields.content_type.map(Value::read).transpose()? {
            Some(value) if !value.kind.is_empty() && value.subtype.is_some() => value,
            None if in_digest => Value::message_rfc822(),
            _ => Value::text_plain(),
        };
        let disposition = fields.disposition.map(Value::read).transpose()?;
        let disposition = disposition.filter(|disposition| !disposition.kind.is_empty());
        Ok(Self { part, fields, content, disposition })
    }

    /// Whether it is HTML.
    pub(super) fn is_html(&self) -> bool {
        self.content.is("text", "html")
    }

    /// Whether it is meant to be saved rather than shown (RFC 2183 §2.2).
    pub(super) fn is_to_save(&self) -> bool {
        self.disposition.as_ref().is_some_and(|disposition| disposition.is_kind("attachment"))
    }

    /// The container that it is, by what it declares.
    pub(super) fn opens(&self, entity: usize) -> Option<Open> {
        let content = &self.content;
        if content.is("message", "rfc822") && self.fields.encoding() == Encoding::Identity {
            return Some(Open { entity, boundary: None, digest: false });
        }
        let boundary = content.parameter("boundary").filter(|_| content.is_kind("multipart"))?;
        let boundary = boundary.trim_ascii_end().to_vec();
        let digest = content.is("multipart", "digest");
        (!boundary.is_empty()).then_some(Open { entity, boundary: Some(boundary), digest })
    }

    /// Octets of its header that its description repeats.
    pub(super) fn described(&self) -> usize {
        let octets = |value: Option<&[u8]>| value.map_or(0, <[u8]>::len);
        octets(self.fields.content_type) + octets(self.fields.disposition)
    }
}

/// A multipart or message whose end has not been seen.
pub(super) struct Open {
    /// Where it stands among the entities.
    pub(super) entity: usize,
    /// What its delimiters say, until its close delimiter has been seen; a message has none.
    pub(super) boundary: Option<Vec<u8>>,
    /// Whether it is a multipart/digest.
    pub(super) digest: bool,
}
