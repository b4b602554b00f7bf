//! Mailbox names (RFC 3501 §5.1): keys in a hierarchy, never paths.

use std::fmt;

use super::cursor::{Cursor, Parsed};
use super::error::{SyntaxError, What};
use super::name_form::NameForm;

/// What stands between the levels of a name.
pub const DELIMITER: char = '/';

/// The longest name, in bytes of UTF-8.
pub const MAX_NAME: usize = 1000;

/// A mailbox name in UTF-8, at most [`MAX_NAME`] bytes.
///
/// No level is empty, `.` or `..`, and no character is a control character or a line separator
/// (RFC 9051 §5.1). A first level of `INBOX` in any case is in upper case here, so names compare
/// as plain strings.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct MailboxName(String);

impl MailboxName {
    /// Checks a name in UTF-8; `None` for one that no mailbox can have.
    pub fn new(name: &str) -> Option<Self> {
        let sound = name.len() <= MAX_NAME
            && name.split(DELIMITER).all(|level| !matches!(level, "" | "." | ".."))
            && !name.chars().any(is_forbidden);
        sound.then(|| Self(fold_inbox(name)))
    }

    /// Checks a name as it stands on the wire.
    pub fn from_wire(bytes: &[u8], form: NameForm) -> Option<Self> {
        Self::new(&form.decode(bytes)?)
    }

    /// The mailbox that always exists.
    pub fn inbox() -> Self {
        Self("INBOX".to_owned())
    }

    /// Whether this is `INBOX`.
    pub fn is_inbox(&self) -> bool {
        self.0 == "INBOX"
    }

    /// The name in UTF-8.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The names above this one, the nearest first.
    pub fn ancestors(&self) -> impl Iterator<Item = MailboxName> {
        let above = |name: &Self| name.0.rsplit_once(DELIMITER).map(|(up, _)| Self(up.to_owned()));
        std::iter::successors(above(self), above)
    }

    /// Whether this mailbox lies below `other`, at any depth.
    pub fn is_below(&self, other: &MailboxName) -> bool {
        self.0.strip_prefix(&other.0).is_some_and(|rest| rest.starts_with(DELIMITER))
    }

    /// Appends the name as `mailbox`.
    ///
    /// ```abnf
    /// mailbox = "INBOX" / astring
    /// ```
    pub fn encode(&self, out: &mut Vec<u8>, form: NameForm) {
        form.encode(out, &self.0);
    }
}

impl fmt::Display for MailboxName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// RFC 9051 §5.1 (by RFC 5198 §2): no control characters, no line or paragraph separator.
fn is_forbidden(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}')
}

/// `INBOX` is `INBOX` in any case (RFC 3501 §5.1), also above other names.
fn fold_inbox(name: &str) -> String {
    let (first, rest) = name.split_at_checked(inbox_prefix(name)).unwrap_or(("", name));
    first.to_ascii_uppercase() + rest
}

/// The length of a first level `INBOX` of `name`, 0 if the first level is another.
pub(super) fn inbox_prefix(name: &str) -> usize {
    let first = name.split(DELIMITER).next().unwrap_or_default();
    if first.eq_ignore_ascii_case("INBOX") { first.len() } else { 0 }
}

impl Cursor<'_> {
    /// ```abnf
    /// mailbox = "INBOX" / astring    ; INBOX is case-insensitive
    /// ```
    pub(super) fn mailbox(&mut self) -> Parsed<MailboxName> {
        let offset = self.offset();
        let bytes = self.astring("a mailbox name")?;
        MailboxName::from_wire(&bytes, self.names())
            .ok_or(SyntaxError { what: What::MailboxName, offset })
    }

    /// A `mailbox` to be created. A delimiter at the end only announces names below it and is not
    /// part of the name (RFC 3501 §6.3.3).
    pub(super) fn new_mailbox(&mut self) -> Parsed<MailboxName> {
        let offset = self.offset();
        let bytes = self.astring("a mailbox name")?;
        let bytes = bytes.strip_suffix(b"/").unwrap_or(&bytes);
        MailboxName::from_wire(bytes, self.names())
            .ok_or(SyntaxError { what: What::MailboxName, offset })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_are_keys_never_paths() {
        let bad = [
            "",
            "/",
            "/a",
            "a/",
            "a//b",
            "..",
            "../a",
            "a/../b",
            "a/..",
            "./a",
            "a\0b",
            "a\rb",
            "a\x7f",
            "a\u{85}b",
            "a\u{2028}b",
        ];
        for name in bad {
            assert_eq!(MailboxName::new(name), None, "{name:?}");
        }
        assert_eq!(MailboxName::new(&"a".repeat(MAX_NAME + 1)), None);
        for good in ["...", "a..b", "Sent Items", "日本語/&", "a\\b", "%*"] {
            assert_eq!(MailboxName::new(good).unwrap().as_str(), good);
        }
    }

    #[test]
    fn inbox_in_any_case_is_one_name() {
        let name = |name| MailboxName::new(name).unwrap();
        assert!(name("inBox").is_inbox());
        assert_eq!(name("inbox/a/Inbox").as_str(), "INBOX/a/Inbox");
        assert_eq!(name("inboxes").as_str(), "inboxes");
        assert_eq!(name("a/inbox").as_str(), "a/inbox");
    }

    #[test]
    fn hierarchy() {
        let name = |name| MailboxName::new(name).unwrap();
        let above: Vec<_> = name("a/b/c").ancestors().collect();
        assert_eq!(above, [name("a/b"), name("a")]);
        assert!(name("a/b/c").is_below(&name("a")));
        assert!(!name("ab").is_below(&name("a")));
        assert!(!name("a").is_below(&name("a")));
    }

    #[test]
    fn reads_names_from_the_wire() {
        let read = |bytes: &'static [u8]| Cursor::new(bytes).mailbox();
        assert_eq!(read(b"inbox\r\n").unwrap(), MailboxName::inbox());
        assert_eq!(read(b"\"Entw&APw-rfe\"\r\n").unwrap().as_str(), "Entwürfe");
        assert_eq!(read(b"{5}\r\na b/c\r\n").unwrap().as_str(), "a b/c");
        assert_eq!(read(b"&bad").unwrap_err(), SyntaxError { what: What::MailboxName, offset: 0 });
        // An encoded NUL, and a control character that hides in base64.
        assert!(read(b"&AAA-").is_err() && read(b"&AAo-").is_err());
        assert!(read(b"owatagusiam/").is_err());
        assert_eq!(Cursor::new(b"owatagusiam/").new_mailbox().unwrap().as_str(), "owatagusiam");
        assert!(Cursor::new(b"/").new_mailbox().is_err());
    }

    proptest! {
        #[test]
        fn decode_of_encode(text in any::<String>()) {
            let Some(name) = MailboxName::new(&text) else { return Ok(()) };
            for form in [NameForm::Utf7, NameForm::Utf8] {
                let mut out = Vec::new();
                name.encode(&mut out, form);
                out.extend_from_slice(b" ");
                prop_assert_eq!(&Cursor::spelling(&out, form).mailbox().unwrap(), &name);
            }
        }
    }
}
