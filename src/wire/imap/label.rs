//! Labels as X-GM-EXT-1 has them: names that people give, and some that the server gives.

use super::cursor::{Cursor, Parsed};
use super::error::{SyntaxError, What};
use super::name_form::NameForm;

/// The longest name, in characters.
const MAX_NAME: usize = 100;

/// A label on the wire.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum LabelName {
    /// `\Draft`: the flag of that name.
    Draft,
    /// `\Important`: the keyword `$Important`.
    Important,
    /// `\Starred`: the flag `\Flagged`.
    Starred,
    /// `\Inbox`, `\Sent` and their like, in lower case: the mailbox that a message is in.
    Mailbox(String),
    /// One that people have made: at most 100 characters, none of them a control character.
    Named(String),
}

impl LabelName {
    /// A name that people could give.
    pub fn named(name: &str) -> Option<Self> {
        let fits = (1..=MAX_NAME).contains(&name.chars().count());
        (fits && !name.chars().any(char::is_control)).then(|| Self::Named(name.to_owned()))
    }

    /// Appends it.
    pub(super) fn encode(&self, out: &mut Vec<u8>, form: NameForm) {
        match self {
            Self::Draft => out.extend_from_slice(b"\\Draft"),
            Self::Important => out.extend_from_slice(b"\\Important"),
            Self::Starred => out.extend_from_slice(b"\\Starred"),
            Self::Mailbox(name) => {
                out.push(b'\\');
                out.extend_from_slice(name.as_bytes());
            }
            Self::Named(name) => form.encode(out, name),
        }
    }
}

impl Cursor<'_> {
    /// ```abnf
    /// label = "\" 1*ALPHA / astring    ; the second spelled as mailbox names are
    /// ```
    pub(super) fn label(&mut self) -> Parsed<LabelName> {
        let offset = self.offset();
        if self.eat(b"\\") {
            let word = self.word("a system label")?;
            return Ok(match word.as_slice() {
                b"DRAFT" | b"DRAFTS" => LabelName::Draft,
                b"IMPORTANT" => LabelName::Important,
                b"STARRED" => LabelName::Starred,
                word => LabelName::Mailbox(String::from_utf8_lossy(word).to_ascii_lowercase()),
            });
        }
        let spelled = self.astring("a label")?;
        let name = self.names().decode(&spelled);
        let what = What::Expected("a label of at most 100 characters");
        name.and_then(|name| LabelName::named(&name)).ok_or(SyntaxError { what, offset })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> Option<LabelName> {
        let mut cursor = Cursor::new(text.as_bytes());
        let label = cursor.label().ok()?;
        cursor.rest().is_empty().then_some(label)
    }

    #[test]
    fn system_labels_and_names() {
        let named = |name: &str| LabelName::named(name);
        assert_eq!(read("\\Starred"), Some(LabelName::Starred));
        assert_eq!(read("\\inbox"), Some(LabelName::Mailbox("inbox".to_owned())));
        assert_eq!(read("foo"), named("foo"));
        assert_eq!(read("\"Muy Importante\""), named("Muy Importante"));
        assert_eq!(read("M&APw-ll"), named("Müll"));
        for bad in ["", "\\", "\"\"", "(", "\"a\tb\"", &"x".repeat(101)] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }

    proptest! {
        #[test]
        fn decode_of_encode(name in "[^\\p{Cc}]{1,100}") {
            let label = LabelName::named(&name).unwrap();
            let mut out = Vec::new();
            label.encode(&mut out, NameForm::Utf7);
            prop_assert_eq!(Cursor::new(&out).label().unwrap(), label);
        }
    }
}
