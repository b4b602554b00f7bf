//! The shape of a message: one pass over its delimiter lines (RFC 2046 §5.1.1).
//!
//! Linear in the octets whatever they are: delimiters are looked up by content, however many
//! multiparts are open, and nothing is read twice. A delimiter line is `--boundary` or `--boundary--`
//! with nothing but white space behind it; the line break in front of it belongs to it. A delimiter
//! of an outer multipart ends everything inside (RFC 2046 §5.1.2).

use memchr::memmem;

use super::bound::{Bound, MAX_DEPTH, MAX_HEADER, MAX_PARTS, MAX_STRUCTURE};
use super::boundaries::Boundaries;
use super::content::Value;
use super::entity::{Entity, Open};
use super::headers::{is_blank_line, line_len};
use super::part::PartKind;

/// Takes `raw` apart; the message itself comes first, each entity before what is inside it.
pub(super) fn scan(raw: &[u8]) -> Result<Vec<Entity<'_>>, Bound> {
    let mut scanner = Scanner {
        raw,
        entities: Vec::new(),
        open: Vec::new(),
        boundaries: Boundaries::default(),
        leaf: None,
        described: 0,
    };
    let mut found = scanner.enter(0, false)?;
    while let Some(delimiter) = found {
        scanner.close_inside(delimiter.container, content_end(raw, delimiter.line));
        found = if delimiter.is_close {
            scanner.close_boundary(delimiter.container);
            scanner.search(delimiter.next)
        } else {
            let digest = scanner.open.get(delimiter.container).is_some_and(|open| open.digest);
            scanner.enter(delimiter.next, digest)?
        };
    }
    scanner.close_all(raw.len());
    Ok(scanner.entities)
}

/// A delimiter line: whose it is, where its line begins and where the next one does.
struct Delimiter {
    container: usize,
    line: usize,
    next: usize,
    is_close: bool,
}

struct Scanner<'a> {
    raw: &'a [u8],
    entities: Vec<Entity<'a>>,
    open: Vec<Open>,
    boundaries: Boundaries,
    /// The leaf whose end has not been seen.
    leaf: Option<usize>,
    /// Octets of headers kept in parsed form.
    described: usize,
}

impl<'a> Scanner<'a> {
    /// Reads the header of the entity at `start`, and of the messages that it begins with, then
    /// looks for the next delimiter.
    fn enter(&mut self, start: usize, in_digest: bool) -> Result<Option<Delimiter>, Bound> {
        let (mut start, mut in_digest) = (start, in_digest);
        loop {
            let (header_len, delimiter) = self.header(start)?;
            let block = self.raw.get(start..start + header_len).unwrap_or_default();
            let entity = Entity::read(start, block, in_digest)?;
            let index = self.entities.len();
            // A header cut short by a delimiter has no body that could hold anything.
            let opens = if delimiter.is_none() { entity.opens(index) } else { None };
            self.push(entity)?;
            match opens {
                None => self.leaf = Some(index),
                Some(open) => {
                    let is_message = open.boundary.is_none();
                    self.open(open)?;
                    if is_message {
                        (start, in_digest) = (start + header_len, false);
                        continue;
                    }
                }
            }
            return Ok(delimiter.or_else(|| self.search(start + header_len)));
        }
    }

    fn push(&mut self, entity: Entity<'a>) -> Result<(), Bound> {
        if self.entities.len() == MAX_PARTS {
            return Err(Bound::Parts);
        }
        self.described += entity.described();
        if self.described > MAX_STRUCTURE {
            return Err(Bound::Structure);
        }
        self.entities.push(entity);
        Ok(())
    }

    fn open(&mut self, open: Open) -> Result<(), Bound> {
        if self.open.len() == MAX_DEPTH {
            return Err(Bound::Depth);
        }
        let mut kind = PartKind::Message;
        if let Some(boundary) = &open.boundary {
            kind = PartKind::Multipart;
            self.boundaries.open(boundary, self.open.len());
        }
        self.mark(open.entity, |entity| entity.part.kind = kind);
        self.open.push(open);
        Ok(())
    }

    /// Octets of the header block at `start`, and the delimiter that cuts it short, if one does.
    fn header(&self, start: usize) -> Result<(usize, Option<Delimiter>), Bound> {
        let mut line = start;
        let mut delimiter = None;
        let mut ended = false;
        while !ended && line < self.raw.len() {
            delimiter = self.delimiter(line);
            if delimiter.is_some() {
                break;
            }
            let rest = self.raw.get(line..).unwrap_or_default();
            ended = is_blank_line(rest);
            line += line_len(rest);
            if line - start > MAX_HEADER {
                return Err(Bound::Header);
            }
        }
        Ok((line - start, delimiter))
    }

    /// The first delimiter at or after `from`, where a line begins.
    fn search(&self, from: usize) -> Option<Delimiter> {
        if self.boundaries.is_empty() {
            return None;
        }
        self.delimiter(from).or_else(|| {
            let rest = self.raw.get(from..)?;
            memmem::find_iter(rest, b"\n--").find_map(|newline| self.delimiter(from + newline + 1))
        })
    }

    /// The delimiter that the line at `line` is, if it is one.
    fn delimiter(&self, line: usize) -> Option<Delimiter> {
        let rest = self.raw.get(line..)?;
        let next = line + rest.starts_with(b"--").then(|| line_len(rest))?;
        let text = self.raw.get(line + 2..next)?.trim_ascii_end();
        let (container, is_close) = self.boundaries.find(text)?;
        Some(Delimiter { container, line, next, is_close })
    }

    /// Ends everything inside the container at `container` in the stack. The empty line behind a
    /// header stays with it, also where it is the line break in front of the delimiter.
    fn close_inside(&mut self, container: usize, end: usize) {
        let outermost = self.open.get(container + 1).map(|open| open.entity).or(self.leaf);
        let outermost = outermost.and_then(|entity| self.entities.get(entity));
        let end = end.max(outermost.map_or(0, |entity| entity.part.header().end));
        if let Some(leaf) = self.leaf.take() {
            self.set_end(leaf, end);
        }
        while self.open.len() > container + 1 {
            self.close_last(end);
        }
    }

    fn close_all(&mut self, end: usize) {
        self.close_inside(0, end);
        self.close_last(end);
    }

    fn close_last(&mut self, end: usize) {
        self.close_boundary(self.open.len().saturating_sub(1));
        if let Some(open) = self.open.pop() {
            self.set_end(open.entity, end);
        }
    }

    fn close_boundary(&mut self, container: usize) {
        if let Some(boundary) = self.open.get_mut(container).and_then(|open| open.boundary.take()) {
            self.boundaries.close(&boundary);
        }
    }

    fn set_end(&mut self, entity: usize, end: usize) {
        let span = self.entities.len() - entity;
        self.mark(entity, |entity| {
            let part = &mut entity.part;
            part.start = part.start.min(end);
            part.header_len = part.header_len.min(end - part.start);
            part.body_len = end - part.start - part.header_len;
            part.span = span;
            if span == 1 && entity.content.is_kind("multipart") {
                // Whatever a multipart without parts holds, it should be seen.
                part.kind = PartKind::Leaf;
                entity.content = Value::text_plain();
            }
        });
    }

    fn mark(&mut self, entity: usize, change: impl FnOnce(&mut Entity<'a>)) {
        if let Some(entity) = self.entities.get_mut(entity) {
            change(entity);
        }
    }
}

/// Where the content before the delimiter line at `line` ends.
fn content_end(raw: &[u8], line: usize) -> usize {
    let before = raw.get(..line).unwrap_or_default();
    let before = before.strip_suffix(b"\n").unwrap_or(before);
    before.strip_suffix(b"\r").unwrap_or(before).len()
}
