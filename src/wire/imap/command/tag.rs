//! Tags: what a client names its commands with.

use std::fmt;

use crate::wire::imap::chars::is_tag_char;
use crate::wire::imap::cursor::{Cursor, Parsed};

/// The longest tag, in bytes; it is echoed in every answer.
const MAX_TAG: usize = 255;

/// A tag, safe to write back as it is.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Tag(String);

impl Tag {
    /// The tag as the client wrote it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The tag at the start of a line, if there is one.
    pub(in crate::wire::imap) fn of_line(line: &[u8]) -> Option<Self> {
        tag(&mut Cursor::new(line)).ok()
    }
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A command and the tag to answer it with.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Tagged<T> {
    /// The tag.
    pub tag: Tag,
    /// What is tagged.
    pub command: T,
}

/// ```abnf
/// tag = 1*<any ASTRING-CHAR except "+">
/// ```
pub(super) fn tag(cursor: &mut Cursor<'_>) -> Parsed<Tag> {
    let start = cursor.take_while1(is_tag_char, "a tag")?;
    match str::from_utf8(start) {
        Ok(tag) if tag.len() <= MAX_TAG => Ok(Tag(tag.to_owned())),
        _ => cursor.expected("a shorter tag"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags() {
        assert_eq!(Tag::of_line(b"A001 NOOP").unwrap().as_str(), "A001");
        assert_eq!(Tag::of_line(b"a]b.c-1\r\n").unwrap().as_str(), "a]b.c-1");
        for bad in [&b""[..], b" A", b"+ A", b"\xff", b"(", b"*"] {
            assert_eq!(Tag::of_line(bad), None);
        }
        assert!(Tag::of_line(&[b'a'; MAX_TAG]).is_some());
        assert!(Tag::of_line(&[b'a'; MAX_TAG + 1]).is_none());
    }
}
