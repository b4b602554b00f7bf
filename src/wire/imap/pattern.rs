//! LIST patterns (RFC 3501 §6.3.8): `*` matches anything, `%` anything within one level.

use super::chars::is_list_char;
use super::cursor::{Cursor, Parsed};
use super::error::{SyntaxError, What};
use super::mailbox::{DELIMITER, MAX_NAME, MailboxName, inbox_prefix};
use super::name_form::NameForm;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Token {
    Byte(u8),
    /// `%`: any bytes but the delimiter.
    Level,
    /// `*`: any bytes.
    Any,
}

/// A pattern with its reference already put in front.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ListPattern {
    tokens: Vec<Token>,
    root: bool,
}

impl ListPattern {
    /// The pattern for `reference` and `pattern`, both in UTF-8: one text after the other, as
    /// RFC 3501 §6.3.8 has it for names that are no file paths.
    pub fn new(reference: &str, pattern: &str) -> Self {
        let mut tokens = Vec::new();
        for byte in reference.bytes().chain(pattern.bytes()) {
            match (byte, tokens.last()) {
                (b'*', Some(Token::Any)) | (b'%', Some(Token::Any | Token::Level)) => {}
                (b'*', _) => tokens.push(Token::Any),
                (b'%', _) => tokens.push(Token::Level),
                (byte, _) => tokens.push(Token::Byte(byte)),
            }
        }
        Self { tokens, root: pattern.is_empty() }
    }

    /// Whether the pattern was empty: a question for the delimiter, answered with a `\Noselect`
    /// root, and no name matches (RFC 3501 §6.3.8).
    pub fn asks_for_root(&self) -> bool {
        self.root
    }

    /// Whether `name` matches. Takes time in proportion to the name's length times the pattern's,
    /// whatever the pattern: `row` holds how far into the name each prefix of the pattern reaches.
    pub fn matches(&self, name: &MailboxName) -> bool {
        let name = name.as_str();
        let inbox = inbox_prefix(name);
        let name = name.as_bytes();
        let literals = self.tokens.iter().filter(|token| matches!(token, Token::Byte(_))).count();
        if self.root || literals > name.len() {
            return false;
        }
        let mut row = vec![false; name.len() + 1];
        if let Some(first) = row.first_mut() {
            *first = true;
        }
        for &token in &self.tokens {
            step(token, &mut row, name, inbox);
        }
        row.last() == Some(&true)
    }
}

/// Moves `row` over one token: `row[j]` tells whether the tokens so far match `name[..j]`.
fn step(token: Token, row: &mut [bool], name: &[u8], inbox: usize) {
    let mut before = false;
    for (j, here) in row.iter_mut().enumerate() {
        let byte = j.checked_sub(1).and_then(|j| name.get(j)).copied();
        let old = *here;
        *here = match token {
            Token::Any => old || before,
            Token::Level => old || (before && byte != u8::try_from(DELIMITER).ok()),
            // INBOX is INBOX in any case, also in a pattern.
            Token::Byte(b) if j <= inbox => {
                before && byte.is_some_and(|c| c.eq_ignore_ascii_case(&b))
            }
            Token::Byte(b) => before && byte == Some(b),
        };
        before = if matches!(token, Token::Byte(_)) { old } else { *here };
    }
}

impl Cursor<'_> {
    /// The reference of LIST, in UTF-8: a `mailbox` that may be empty or end in a delimiter.
    pub(super) fn reference(&mut self) -> Parsed<String> {
        let offset = self.offset();
        let bytes = self.astring("a reference name")?;
        name_or_pattern(&bytes, self.names(), offset)
    }

    /// ```abnf
    /// list-mailbox = 1*list-char / string
    /// list-char    = ATOM-CHAR / list-wildcards / resp-specials
    /// ```
    pub(super) fn list_mailbox(&mut self, reference: &str) -> Parsed<ListPattern> {
        let offset = self.offset();
        let bytes = match self.peek() {
            Some(b'"' | b'{') => self.string("a pattern")?,
            _ => self.take_while1(is_list_char, "a pattern")?.to_vec(),
        };
        Ok(ListPattern::new(reference, &name_or_pattern(&bytes, self.names(), offset)?))
    }
}

/// Text no longer than a name; wildcards are ASCII and stand for themselves in both spellings.
fn name_or_pattern(bytes: &[u8], names: NameForm, offset: usize) -> Parsed<String> {
    let text = names.decode(bytes).filter(|text| text.len() <= MAX_NAME);
    text.ok_or(SyntaxError { what: What::MailboxName, offset })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn matches(reference: &str, pattern: &str, name: &str) -> bool {
        ListPattern::new(reference, pattern).matches(&MailboxName::new(name).unwrap())
    }

    #[test]
    fn wildcards() {
        for (pattern, name) in [
            ("*", "a/b/c"),
            ("%", "a"),
            ("a/%", "a/b"),
            ("%/%", "a/b"),
            ("*c", "a/b/c"),
            ("a*c", "a/b/c"),
            ("%*", "a/b"),
            ("*%", "a/b"),
            ("a%c*", "abc/d"),
            ("%b%/*d", "abc/c/d"),
            ("日%", "日本語"),
        ] {
            assert!(matches("", pattern, name), "{pattern} {name}");
        }
        for (pattern, name) in [
            ("%", "a/b"),
            ("a/%", "a"),
            ("a/%", "a/b/c"),
            ("a", "ab"),
            ("", "a"),
            ("*/", "a"),
            ("A", "a"),
        ] {
            assert!(!matches("", pattern, name), "{pattern} {name}");
        }
    }

    #[test]
    fn the_reference_goes_in_front() {
        assert!(matches("~/Mail/", "%", "~/Mail/foo"));
        assert!(!matches("~/Mail/", "%", "foo"));
        assert!(ListPattern::new("a/", "").asks_for_root());
        assert!(!matches("a", "", "a"));
    }

    #[test]
    fn inbox_matches_in_any_case() {
        assert!(matches("", "inbox", "INBOX"));
        assert!(matches("", "iN%", "INBOX"));
        assert!(matches("", "inbox/*", "INBOX/a"));
        assert!(!matches("", "inbox/A", "INBOX/a"));
        assert!(!matches("", "A/inbox", "A/INBOX"));
    }

    #[test]
    fn hostile_patterns_take_linear_time() {
        // Exponential in a matcher that backtracks; here 500 tokens times 1,000 bytes.
        let pattern = "*a%".repeat(160) + "b";
        assert!(!matches("", &pattern, &"a".repeat(MAX_NAME)));
        assert!(ListPattern::new("", &"%*".repeat(400)).tokens.len() <= 2);
        let long = format!("\"{}\"", "a".repeat(MAX_NAME + 1));
        assert!(Cursor::new(long.as_bytes()).list_mailbox("").is_err());
    }

    /// The definition, word by word.
    fn naive(pattern: &[char], name: &[char]) -> bool {
        match pattern.split_first() {
            None => name.is_empty(),
            Some(('*', rest)) => (0..=name.len()).any(|n| naive(rest, &name[n..])),
            Some(('%', rest)) => {
                let level = name.iter().position(|&c| c == '/').unwrap_or(name.len());
                (0..=level).any(|n| naive(rest, &name[n..]))
            }
            Some((c, rest)) => name.first() == Some(c) && naive(rest, &name[1..]),
        }
    }

    proptest! {
        #[test]
        fn agrees_with_the_definition(pattern in "[ab/%*]{1,8}", name in "[ab]{1,3}(/[ab]{1,3}){0,2}") {
            let chars = |text: &str| text.chars().collect::<Vec<_>>();
            prop_assert_eq!(matches("", &pattern, &name), naive(&chars(&pattern), &chars(&name)));
        }
    }
}
