//! Authentication-Results: writing ours, taking out what claims to be ours, reading a sealer's
//! (RFC 8601).

use std::borrow::Cow;

use crate::wire::mime::headers::{authserv_id, find_all, unfold};
use crate::wire::mime::remove_fields;

/// The name of the field.
const NAME: &str = "Authentication-Results";
/// Octets of one value that somebody else chose.
const VALUE_MAX: usize = 255;

/// The field, being written.
pub struct AuthResults {
    text: String,
    methods: usize,
}

impl AuthResults {
    /// Of the server `id` (RFC 8601 §2.5).
    pub fn new(id: &str) -> Self {
        Self { text: format!("{NAME}: {id}"), methods: 0 }
    }

    /// Adds a method and its result.
    pub fn method(&mut self, name: &str, result: &str) -> &mut Self {
        self.methods += 1;
        self.push(&[";\r\n\t", name, "=", result])
    }

    /// Adds what the last method looked at: `ptype.property=value` (RFC 8601 §2.3).
    pub fn property(&mut self, name: &str, value: &str) -> &mut Self {
        let value = fit(value);
        self.push(&[" ", name, "=", &value])
    }

    /// Adds a comment, in letters, digits and harmless signs.
    pub fn comment(&mut self, text: &str) -> &mut Self {
        let harmless = |c: &char| c.is_ascii_alphanumeric() || " .:_-=".contains(*c);
        let clean: String = text.chars().filter(harmless).take(VALUE_MAX).collect();
        self.push(&[" (", &clean, ")"])
    }

    /// The field with its CRLF. Without any method it says `none` (RFC 8601 §2.2).
    pub fn finish(mut self) -> String {
        if self.methods == 0 {
            self.push(&["; none"]);
        }
        self.text.push_str("\r\n");
        self.text
    }

    fn push(&mut self, pieces: &[&str]) -> &mut Self {
        for piece in pieces {
            self.text.push_str(piece);
        }
        self
    }
}

/// A value as it may stand there: as it is where it is a token or an address, else quoted, without
/// control characters (RFC 8601 §2.2 `pvalue`, RFC 2045 §5.1).
fn fit(value: &str) -> Cow<'_, str> {
    let plain = |c: char| {
        c.is_ascii_alphanumeric()
            || "!#$%&'*+-.^_`{|}~@".contains(c)
            || (!c.is_ascii() && !c.is_control() && !c.is_whitespace())
    };
    if !value.is_empty() && value.len() <= VALUE_MAX && value.chars().all(plain) {
        return Cow::Borrowed(value);
    }
    let mut quoted = String::from("\"");
    for c in value.chars().filter(|c| !c.is_control()).take(VALUE_MAX) {
        if c == '"' || c == '\\' {
            quoted.push('\\');
        }
        quoted.push(c);
    }
    quoted.push('"');
    Cow::Owned(quoted)
}

/// Whether a header has a field that claims to be of the server `id`.
pub fn claims(header: &[u8], id: &str) -> bool {
    find_all(header, NAME).any(|field| is_of(field.value, id))
}

/// The message without the fields that claim to be of the server `id` (RFC 8601 §5). Everything
/// else stays octet for octet.
pub fn without_claims(content: &[u8], id: &str) -> Vec<u8> {
    remove_fields(content, |name, value| {
        name.eq_ignore_ascii_case(NAME.as_bytes()) && is_of(value, id)
    })
}

fn is_of(value: &[u8], id: &str) -> bool {
    authserv_id(value).trim_ascii_end().eq_ignore_ascii_case(id.as_bytes())
}

/// What a field says of one method, in lower case; the first, where it says more than one thing.
/// Serves ARC-Authentication-Results as well (RFC 8617 §4.1.1).
pub fn result_of(value: &[u8], method: &str) -> Option<String> {
    let text = without_comments(&unfold(value));
    text.split(';').find_map(|part| {
        let (name, rest) = part.trim().split_once('=')?;
        let result = rest.split_ascii_whitespace().next()?;
        name.trim().eq_ignore_ascii_case(method).then(|| result.to_ascii_lowercase())
    })
}

fn without_comments(line: &[u8]) -> String {
    let (mut depth, mut quoted, mut escaped) = (0_usize, false, false);
    let mut out = Vec::with_capacity(line.len());
    for &byte in line {
        let literal = std::mem::replace(&mut escaped, false);
        match byte {
            _ if literal => {}
            b'\\' => escaped = true,
            b'"' if depth == 0 => quoted = !quoted,
            b'(' if !quoted => depth += 1,
            b')' if !quoted && depth > 0 => depth -= 1,
            // What is quoted is nobody's method or result.
            _ if depth > 0 || quoted => {}
            _ => out.push(byte),
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::wire::mime::headers::fields;

    /// After RFC 8601 appendix B.4, less what other servers say.
    #[test]
    fn the_field_says_what_was_found() {
        let mut field = AuthResults::new("example.com");
        field.method("dkim", "fail").property("header.d", "newyork.example.com");
        field.method("spf", "pass").property("smtp.mailfrom", "sender@example.net").comment("ok)(");
        assert_eq!(
            field.finish(),
            "Authentication-Results: example.com;\r\n\tdkim=fail header.d=newyork.example.com;\r\n\
             \tspf=pass smtp.mailfrom=sender@example.net (ok)\r\n"
        );
        // RFC 8601 appendix B.2
        let none = AuthResults::new("example.org").finish();
        assert_eq!(none, "Authentication-Results: example.org; none\r\n");
    }

    #[test]
    fn what_others_chose_stays_a_value() {
        assert_eq!(fit("a@b.example"), "a@b.example");
        assert_eq!(fit("x; dmarc=pass"), "\"x; dmarc=pass\"");
        assert_eq!(fit("a\"\\\r\nBcc: b"), "\"a\\\"\\\\Bcc: b\"");
        assert_eq!(fit(""), "\"\"");
        assert_eq!(fit(&"a".repeat(9000)).len(), VALUE_MAX + 2);
    }

    #[test]
    fn only_claims_of_our_name_go() {
        let ours = "Subject: a\r\nAuthentication-Results: (x) MX.example 1;\r\n spf=pass\r\n\
            Authentication-Results: mx.example.net; spf=fail\r\nauthentication-results :mx.example\r\n\
            \r\nAuthentication-Results: mx.example; none\r\n";
        let left = without_claims(ours.as_bytes(), "mx.example");
        assert_eq!(
            String::from_utf8(left).unwrap(),
            "Subject: a\r\nAuthentication-Results: mx.example.net; spf=fail\r\n\r\n\
             Authentication-Results: mx.example; none\r\n"
        );
    }

    #[test]
    fn a_sealers_word_is_read_without_comments_and_quotes() {
        let value = b" i=1; lists.example (a; dmarc=fail);\r\n\tspf=pass smtp.mfrom=\"x; dmarc=fail\";\r\n dmarc = Pass (p=reject) header.from=a.example";
        assert_eq!(result_of(value, "dmarc").unwrap(), "pass");
        assert_eq!(result_of(value, "spf").unwrap(), "pass");
        assert_eq!(result_of(value, "dkim"), None);
    }

    proptest! {
        #[test]
        fn it_is_always_one_field(value in "\\PC{0,40}|[\\x00-\\x7f]{0,40}") {
            let mut field = AuthResults::new("mx.example");
            field.method("spf", "none").property("smtp.helo", &value).comment(&value);
            let text = field.finish();
            prop_assert_eq!(fields(text.as_bytes()).count(), 1);
            prop_assert!(claims(text.as_bytes(), "mx.example"));
            prop_assert!(without_claims(text.as_bytes(), "mx.example").is_empty());
            prop_assert_eq!(result_of(text.as_bytes(), "dmarc"), None);
        }
    }
}
