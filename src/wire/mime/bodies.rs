//! Which leaves are what a message says, and which are attached to it.

use super::decode::{literal, message_ids, parameter};
use super::entity::Entity;
use super::form::{Attachment, Disposition};
use super::part::{PartKind, Parts};
use super::text::MAX_TEXT;

/// Which of a message's leaves are bodies: plain text and HTML that is not to be saved as a file.
pub(super) struct Bodies<'a> {
    entities: &'a [Entity<'a>],
    parts: &'a Parts,
    is_body: Vec<bool>,
}

impl<'a> Bodies<'a> {
    pub(super) fn of(entities: &'a [Entity<'a>], parts: &'a Parts) -> Self {
        // A body may have a file name only where nothing stands before it in its message.
        let mut first = true;
        let mut is_body = Vec::with_capacity(entities.len());
        for entity in entities {
            let is_leaf = entity.part.kind == PartKind::Leaf;
            is_body.push(is_leaf && shows_text(entity) && (first || file_name(entity).is_none()));
            first = entity.part.kind == PartKind::Message || first && !is_leaf;
        }
        Self { entities, parts, is_body }
    }

    /// The leaves to read for the text of the message, in order. Of a multipart/alternative, that is
    /// the first version in plain text, else the best, which is the last (RFC 2046 §5.1.4). Messages
    /// inside are not this message's text.
    pub(super) fn readable(&self) -> Vec<&'a Entity<'a>> {
        let leaves = self.readable_at(0).into_iter();
        leaves.filter_map(|at| self.entities.get(at)).collect()
    }

    fn readable_at(&self, at: usize) -> Vec<usize> {
        let Some(entity) = self.entities.get(at) else { return Vec::new() };
        if entity.part.kind != PartKind::Multipart {
            let is_body = self.is_body.get(at) == Some(&true);
            return if is_body { vec![at] } else { Vec::new() };
        }
        let children = self.parts.children(at).map(|child| self.readable_at(child));
        if !entity.content.is("multipart", "alternative") {
            return children.flatten().collect();
        }
        let is_html = |at: &usize| self.entities.get(*at).is_some_and(Entity::is_html);
        let mut versions: Vec<_> = children.filter(|leaves| !leaves.is_empty()).collect();
        match versions.iter().position(|leaves| !leaves.iter().any(is_html)) {
            Some(plain) => versions.swap_remove(plain),
            None => versions.pop().unwrap_or_default(),
        }
    }

    /// Whether a body of the message itself, not of one inside, is HTML.
    pub(super) fn has_html(&self) -> bool {
        let mut at = 0;
        while let (Some(entity), Some(is_body)) = (self.entities.get(at), self.is_body.get(at)) {
            if *is_body && entity.is_html() {
                return true;
            }
            let inside = if entity.part.kind == PartKind::Message { entity.part.span } else { 1 };
            at += inside;
        }
        false
    }

    /// Every leaf that is no body, with its section number; and every body of which more is there
    /// than the text that is kept, so that it can be kept as they are.
    pub(super) fn attachments(&self) -> Vec<Attachment> {
        let leaves = self.parts.leaves().into_iter();
        let is_long =
            |at: usize| self.entities.get(at).is_some_and(|entity| entity.part.body_len > MAX_TEXT);
        let others = leaves.filter(|(at, _)| self.is_body.get(*at) == Some(&false) || is_long(*at));
        others
            .filter_map(|(at, section)| Some(attachment(self.entities.get(at)?, section)))
            .collect()
    }
}

fn shows_text(entity: &Entity<'_>) -> bool {
    !entity.is_to_save() && (entity.content.is("text", "plain") || entity.is_html())
}

fn attachment(entity: &Entity<'_>, section: String) -> Attachment {
    let content = &entity.content;
    let subtype = content.subtype.as_deref().unwrap_or_default();
    let content_type = format!("{}/{}", literal(&content.kind), literal(subtype));
    let content_id = entity.fields.id.and_then(|id| message_ids(id).pop());
    let inline = match &entity.disposition {
        Some(disposition) => disposition.is_kind("inline"),
        None => content_id.is_some(),
    };
    Attachment {
        section,
        filename: file_name(entity),
        content_type: content_type.to_ascii_lowercase(),
        disposition: if inline { Disposition::Inline } else { Disposition::Attachment },
        content_id,
        encoding: entity.fields.encoding(),
        range: entity.part.body(),
    }
}

fn file_name(entity: &Entity<'_>) -> Option<String> {
    let of = |value: Option<&[u8]>, name| value.and_then(|value| parameter(value, name));
    of(entity.fields.disposition, "filename").or_else(|| of(entity.fields.content_type, "name"))
}
