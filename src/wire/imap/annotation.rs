//! What an annotation is called (RFC 5464 §3.1).

use super::cursor::{Cursor, Parsed};
use super::error::{SyntaxError, What};
use super::strings::encode_astring;

/// The longest name, in bytes, without `/private` or `/shared`.
pub const MAX_ENTRY: usize = 250;

/// The name of an entry, or of a whole tree of them: `/private` or `/shared` and a path, in lower
/// case, since names compare without regard to case.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct EntryName {
    private: bool,
    path: String,
}

/// How far below a name to look (RFC 5464 §4.2.2).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Depth {
    /// `0`: the entry itself.
    #[default]
    Zero,
    /// `1`: also those right below it.
    One,
    /// `infinity`: also all below it.
    Infinity,
}

impl EntryName {
    /// Checks a name; `None` for one that no entry and no tree can have. Printable ASCII without
    /// `*` and `%`, and no level is empty.
    pub fn new(name: &str) -> Option<Self> {
        let name = name.to_ascii_lowercase();
        let (private, path) = match name.strip_prefix("/private") {
            Some(path) => (true, path),
            None => (false, name.strip_prefix("/shared")?),
        };
        Self::of_path(private, path)
    }

    /// The name of a path such as `/comment`, for its reader alone or for everybody.
    pub fn of_path(private: bool, path: &str) -> Option<Self> {
        let sound = path.len() <= MAX_ENTRY
            && path.bytes().all(|byte| matches!(byte, b' '..=b'~') && !matches!(byte, b'*' | b'%'))
            && match path.strip_prefix('/') {
                Some(levels) => levels.split('/').all(|level| !level.is_empty()),
                None => path.is_empty(),
            };
        sound.then(|| Self { private, path: path.to_ascii_lowercase() })
    }

    /// Whether it is `/private`: for one reader.
    pub fn is_private(&self) -> bool {
        self.private
    }

    /// What stands behind `/private` or `/shared`; empty for the whole tree.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Whether `other` is this entry, or lies below it and no deeper than `depth`.
    pub fn covers(&self, other: &Self, depth: Depth) -> bool {
        let Some(rest) = other.path.strip_prefix(&self.path) else { return false };
        self.private == other.private
            && match (rest.strip_prefix('/'), depth) {
                (None, _) => rest.is_empty(),
                (Some(_), Depth::Zero) => false,
                (Some(below), Depth::One) => !below.contains('/'),
                (Some(_), Depth::Infinity) => true,
            }
    }

    /// Appends the name as `entry`.
    pub fn encode(&self, out: &mut Vec<u8>) {
        let tree = if self.private { "/private" } else { "/shared" };
        encode_astring(out, format!("{tree}{}", self.path).as_bytes());
    }
}

impl Cursor<'_> {
    /// ```abnf
    /// entry = astring
    ///         ; slash-separated path to entry
    ///         ; MUST NOT contain "*" or "%"
    /// ```
    pub(super) fn entry_name(&mut self) -> Parsed<EntryName> {
        let offset = self.offset();
        let name = self.astring_utf8("the name of an entry")?;
        let what = What::Expected("/private or /shared and a path");
        EntryName::new(&name).ok_or(SyntaxError { what, offset })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_of_rfc_5464_section_3_1() {
        let name = EntryName::new("/shared/Comment").unwrap();
        assert_eq!((name.is_private(), name.path()), (false, "/comment"));
        assert_eq!(EntryName::new("/PRIVATE/vendor/a b").unwrap().path(), "/vendor/a b");
        assert_eq!(EntryName::new("/private").unwrap().path(), "");
        let long = format!("/private/{}", "a".repeat(MAX_ENTRY));
        for bad in [
            "",
            "/",
            "comment",
            "/comment",
            "/privates",
            "/private/",
            "/private//a",
            "/private/a/",
            "/shared/a*",
            "/shared/%",
            "/shared/\u{e9}",
            "/shared/a\0",
            "/shared/a\x19",
            long.as_str(),
        ] {
            assert_eq!(EntryName::new(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn depths_of_rfc_5464_section_4_2_2() {
        let name = |name| EntryName::new(name).unwrap();
        let filters = name("/private/filters/values");
        for (other, depths) in [
            ("/private/filters/values", [true, true, true]),
            ("/private/filters/values/small", [false, true, true]),
            ("/private/filters/values/small/a", [false, false, true]),
            ("/private/filters/valuesx", [false, false, false]),
            ("/private/filters", [false, false, false]),
            ("/shared/filters/values", [false, false, false]),
        ] {
            let covered = [Depth::Zero, Depth::One, Depth::Infinity]
                .map(|depth| filters.covers(&name(other), depth));
            assert_eq!(covered, depths, "{other}");
        }
        assert!(name("/private").covers(&name("/private/a"), Depth::One));
    }

    proptest! {
        #[test]
        fn decode_of_encode(path in "(/[a-z \"\\\\(]{1,9}){0,4}", private: bool) {
            let Some(name) = EntryName::of_path(private, &path) else { return Ok(()) };
            let mut out = Vec::new();
            name.encode(&mut out);
            out.push(b' ');
            prop_assert_eq!(Cursor::new(&out).entry_name(), Ok(name));
        }
    }
}
