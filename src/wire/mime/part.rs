//! The entities of a message as octet ranges of the original, and the sections that name them.

use std::ops::Range;

/// What an entity holds, as far as section numbers care.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PartKind {
    /// Content of its own.
    Leaf,
    /// A multipart: entities between delimiters.
    Multipart,
    /// A message/rfc822: one entity, a message of its own.
    Message,
}

/// One entity: a header block and the body right behind it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
#[serde(into = "Row", try_from = "Row")]
pub struct Part {
    /// What it holds.
    pub kind: PartKind,
    /// Where its header block begins in the original, in octets.
    pub start: usize,
    /// Octets of its header block, the empty line included.
    pub header_len: usize,
    /// Octets of its body, still encoded, without the line break that belongs to the delimiter.
    pub body_len: usize,
    /// How many entities it is, itself included; those inside follow it in the list.
    pub span: usize,
}

impl Part {
    /// The header block.
    pub fn header(&self) -> Range<usize> {
        self.start..self.start.saturating_add(self.header_len)
    }

    /// The body, still encoded.
    pub fn body(&self) -> Range<usize> {
        let body = self.header().end;
        body..body.saturating_add(self.body_len)
    }

    /// Header block and body.
    pub fn whole(&self) -> Range<usize> {
        self.start..self.body().end
    }
}

/// Kind, start, header, body, span: five numbers in JSON.
type Row = (u8, usize, usize, usize, usize);

impl From<Part> for Row {
    fn from(part: Part) -> Self {
        (part.kind as u8, part.start, part.header_len, part.body_len, part.span)
    }
}

impl TryFrom<Row> for Part {
    type Error = &'static str;

    fn try_from((kind, start, header_len, body_len, span): Row) -> Result<Self, Self::Error> {
        let kind = match kind {
            0 => PartKind::Leaf,
            1 => PartKind::Multipart,
            2 => PartKind::Message,
            _ => return Err("unknown kind of part"),
        };
        Ok(Self { kind, start, header_len, body_len, span })
    }
}

/// What of a section is meant (RFC 3501 §6.4.5). `HEADER.FIELDS` is a choice from `Header`
/// ([`super::header_fields`]).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SectionText {
    /// The body of a part with everything in it; with no part numbers, the whole message.
    Full,
    /// The header of a message.
    Header,
    /// The body of a message.
    Text,
    /// The MIME header of a part.
    Mime,
}

/// All entities of a message: the message itself first, each before what is inside it.
#[derive(Clone, PartialEq, Eq, Default, Debug, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct Parts(Vec<Part>);

impl Parts {
    pub(super) fn new(parts: Vec<Part>) -> Self {
        Self(parts)
    }

    /// The entities, the message itself first.
    pub fn as_slice(&self) -> &[Part] {
        &self.0
    }

    /// The octets of the original that `BODY[section]` means; `None` when there is no such section.
    pub fn resolve(&self, path: &[u32], text: SectionText) -> Option<Range<usize>> {
        let root = self.0.first()?;
        if path.is_empty() {
            return match text {
                SectionText::Full => Some(root.whole()),
                SectionText::Header => Some(root.header()),
                SectionText::Text => Some(root.body()),
                SectionText::Mime => None,
            };
        }
        let mut at = None;
        for &number in path {
            at = Some(match at {
                None => self.in_message(0, number)?,
                Some(at) => self.inside(at, number)?,
            });
        }
        let at = at?;
        let part = self.0.get(at)?;
        let inner = || self.0.get(at + 1).filter(|_| part.kind == PartKind::Message);
        match text {
            SectionText::Full => Some(part.body()),
            SectionText::Mime => Some(part.header()),
            SectionText::Header => inner().map(Part::header),
            SectionText::Text => inner().map(Part::body),
        }
    }

    /// Every leaf with its section number, in order.
    pub(super) fn leaves(&self) -> Vec<(usize, String)> {
        let mut leaves = Vec::new();
        self.number_message(0, "", &mut leaves);
        leaves
    }

    /// The entity that part `number` of the entity at `at` is.
    fn inside(&self, at: usize, number: u32) -> Option<usize> {
        match self.0.get(at)?.kind {
            PartKind::Leaf => None,
            PartKind::Multipart => {
                self.children(at).nth(usize::try_from(number).ok()?.checked_sub(1)?)
            }
            PartKind::Message => self.in_message(at + 1, number),
        }
    }

    /// The entity that part `number` of the message whose own entity is `root` is: "every message
    /// has at least one part number" (RFC 3501 §6.4.5), so what is no multipart is its own part 1.
    fn in_message(&self, root: usize, number: u32) -> Option<usize> {
        match self.0.get(root)?.kind {
            PartKind::Multipart => self.inside(root, number),
            PartKind::Leaf | PartKind::Message => (number == 1).then_some(root),
        }
    }

    /// The entities right inside the one at `at`.
    pub(super) fn children(&self, at: usize) -> impl Iterator<Item = usize> {
        let end = at.saturating_add(self.0.get(at).map_or(0, |part| part.span));
        let mut next = at + 1;
        std::iter::from_fn(move || {
            let child = next;
            let span = self.0.get(child).filter(|_| child < end)?.span;
            next = child.saturating_add(span.max(1));
            Some(child)
        })
    }

    fn number_message(&self, root: usize, prefix: &str, leaves: &mut Vec<(usize, String)>) {
        match self.0.get(root).map(|part| part.kind) {
            Some(PartKind::Multipart) => self.number_children(root, prefix, leaves),
            Some(_) => self.number_part(root, join(prefix, 1), leaves),
            None => {}
        }
    }

    fn number_children(&self, at: usize, prefix: &str, leaves: &mut Vec<(usize, String)>) {
        for (index, child) in self.children(at).enumerate() {
            self.number_part(child, join(prefix, index + 1), leaves);
        }
    }

    fn number_part(&self, at: usize, section: String, leaves: &mut Vec<(usize, String)>) {
        match self.0.get(at).map(|part| part.kind) {
            Some(PartKind::Leaf) => leaves.push((at, section)),
            Some(PartKind::Multipart) => self.number_children(at, &section, leaves),
            Some(PartKind::Message) => self.number_message(at + 1, &section, leaves),
            None => {}
        }
    }
}

fn join(prefix: &str, number: usize) -> String {
    if prefix.is_empty() { number.to_string() } else { format!("{prefix}.{number}") }
}
