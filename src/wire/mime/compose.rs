//! Simple messages written from their fields (RFC 5322, RFC 2045), the same octets every time.

use mail_builder::MessageBuilder;
use mail_builder::headers::address::Address;
use mail_builder::headers::content_type::ContentType;
use mail_builder::mime::{BodyPart, MimePart};

use super::digest::Hasher;

/// A message to be written.
#[derive(Clone, Copy, Debug)]
pub struct Draft<'a> {
    /// The author.
    pub from: Person<'a>,
    /// The recipients that the message names.
    pub to: &'a [Person<'a>],
    /// The subject, unencoded.
    pub subject: &'a str,
    /// The text; with HTML beside it, its plain version.
    pub text: Option<&'a str>,
    /// The HTML version.
    pub html: Option<&'a str>,
    /// The Message-ID, without angle brackets.
    pub message_id: &'a str,
    /// The Date, in seconds since 1970-01-01T00:00:00Z.
    pub date: i64,
}

/// A name and an address.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Person<'a> {
    /// The display name, unencoded.
    pub name: Option<&'a str>,
    /// `local@domain`.
    pub address: &'a str,
}

/// Why a message cannot be written: what stands in this field could end it and begin another
/// (CVE-2024-21742), or is no address.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{0} cannot be written into a header")]
pub struct ComposeError(pub &'static str);

/// Writes the message, with CRLF and no line over 998 octets. The same draft gives the same octets.
pub fn compose(draft: &Draft<'_>) -> Result<Vec<u8>, ComposeError> {
    let to = draft.to.iter().map(|person| mailbox(person, "To")).collect::<Result<_, _>>()?;
    let to = (!draft.to.is_empty()).then(|| Address::new_list(to));
    let builder = MessageBuilder::new()
        .from(mailbox(&draft.from, "From")?)
        .headers("To", to)
        .subject(line(draft.subject, "Subject")?)
        .message_id(token(draft.message_id, "Message-ID")?)
        .date(draft.date);
    let text = || text_part("text/plain", draft.text.unwrap_or_default());
    let body = match draft.html.map(|html| text_part("text/html", html)) {
        None => text(),
        Some(html) if draft.text.is_none() => html,
        Some(html) => {
            let octets =
                [draft.message_id, draft.text.unwrap_or_default(), draft.html.unwrap_or("")];
            let content_type = ContentType::new("multipart/alternative")
                .attribute("boundary", boundary(octets.map(str::as_bytes)));
            MimePart::new(content_type, vec![text(), html])
        }
    };
    let mut message = Vec::new();
    builder.body(body).serialize(&mut message);
    Ok(message)
}

/// A boundary that cannot stand in `octets`: whoever wrote them would have had to know their digest.
pub(super) fn boundary<const N: usize>(octets: [&[u8]; N]) -> String {
    let mut hasher = Hasher::new();
    for octets in octets {
        hasher.update(&(octets.len() as u64).to_be_bytes());
        hasher.update(octets);
    }
    let digest = hasher.finish().to_string();
    format!("=_{}", digest.get(..40).unwrap_or_default())
}

/// A leaf of text in UTF-8, encoded as it needs to be.
pub(super) fn text_part(kind: &'static str, text: &str) -> MimePart<'static> {
    MimePart::new(kind, BodyPart::Text(with_crlf(text).into()))
}

pub(super) fn mailbox<'a>(
    person: &Person<'a>,
    field: &'static str,
) -> Result<Address<'a>, ComposeError> {
    let is_bare = |c: char| !c.is_whitespace() && !matches!(c, '<' | '>' | '(' | ')' | ',' | ';');
    let address = token(person.address, field)?;
    if !address.contains('@') || !address.chars().all(is_bare) {
        return Err(ComposeError(field));
    }
    let name = person.name.filter(|name| !name.is_empty());
    let name = name.map(|name| line(name, field)).transpose()?;
    Ok(Address::new_address(name, address))
}

/// A value without anything that ends a line.
fn line<'a>(value: &'a str, field: &'static str) -> Result<&'a str, ComposeError> {
    if value.contains(['\r', '\n', '\0']) { Err(ComposeError(field)) } else { Ok(value) }
}

/// A value that has to stand on one line as it is.
pub(super) fn token<'a>(value: &'a str, field: &'static str) -> Result<&'a str, ComposeError> {
    let fits = (1..=900).contains(&value.len()) && !value.contains(|c: char| c.is_control());
    if fits { Ok(value) } else { Err(ComposeError(field)) }
}

/// Text with CRLF for every line break and no NUL (RFC 5322 §2.3).
pub(super) fn with_crlf(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / 32);
    let mut after_cr = false;
    for c in text.chars() {
        match c {
            '\n' if after_cr => {}
            '\r' | '\n' => out.push_str("\r\n"),
            '\0' => {}
            _ => out.push(c),
        }
        after_cr = c == '\r';
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::testing::is_sendable;
    use super::super::{Mailbox, parse};
    use super::*;

    const DRAFT: Draft<'_> = Draft {
        from: Person { name: Some("Ann Grün"), address: "ann@example.org" },
        to: &[Person { name: None, address: "bob@example.net" }],
        subject: "Grüße",
        text: Some("Hello,\nBob\n"),
        html: Some("<p>Hello, Böb</p>"),
        message_id: "1@example.org",
        date: 1_136_239_445,
    };

    #[test]
    fn a_draft_reads_back() {
        let raw = compose(&DRAFT).unwrap();
        assert_eq!(compose(&DRAFT).unwrap(), raw);
        let form = parse(&raw);
        let ann = Mailbox { name: Some("Ann Grün".into()), address: "ann@example.org".into() };
        assert_eq!(form.from, [ann]);
        assert_eq!(form.to[0].address, "bob@example.net");
        assert_eq!((form.subject.as_str(), form.date), ("Grüße", Some(1_136_239_445)));
        assert_eq!(form.message_id.as_deref(), Some("1@example.org"));
        assert_eq!((form.text.as_str(), form.html), ("Hello,\nBob\n", true));
        assert!(form.body.ends_with(b" \"alternative\")"));
        let plain = parse(&compose(&Draft { html: None, ..DRAFT }).unwrap());
        assert_eq!((plain.text.as_str(), plain.html), ("Hello,\nBob\n", false));
        let html = parse(&compose(&Draft { text: None, ..DRAFT }).unwrap());
        assert_eq!((html.text.trim_end(), html.html), ("Hello, Böb", true));
        let empty = compose(&Draft { text: None, html: None, ..DRAFT }).unwrap();
        assert_eq!(parse(&empty).text, "");
    }

    #[test]
    fn nothing_can_be_injected() {
        for bad in ["a\r\nBcc: x@y.z", "a\nb", "a\rb", "a\0b"] {
            assert_eq!(compose(&Draft { subject: bad, ..DRAFT }), Err(ComposeError("Subject")));
            assert_eq!(
                compose(&Draft { message_id: bad, ..DRAFT }),
                Err(ComposeError("Message-ID"))
            );
            let from = Person { name: Some(bad), ..DRAFT.from };
            assert_eq!(compose(&Draft { from, ..DRAFT }), Err(ComposeError("From")));
        }
        for bad in ["", "a", "a@b\r\nBcc: x@y.z", "a@b>, <c@d", "a@b, c@d", "a @b", "a@b (c)"] {
            let to = [Person { name: None, address: bad }];
            assert_eq!(compose(&Draft { to: &to, ..DRAFT }), Err(ComposeError("To")), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_sound(
            subject in "[^\\r\\n\\x00]{0,300}",
            name in "[^\\r\\n\\x00]{1,100}",
            text in "(?s).{0,600}",
            html in prop::option::of("(?s)[ -~\\r\\nü]{0,2000}"),
        ) {
            let from = Person { name: Some(&name), ..DRAFT.from };
            let html = html.as_deref();
            let draft = Draft { from, subject: &subject, text: Some(&text), html, ..DRAFT };
            let raw = compose(&draft).unwrap();
            prop_assert!(is_sendable(&raw));
            let form = parse(&raw);
            prop_assert_eq!(form.from_count, 1);
            prop_assert_eq!(&form.from[0].address, "ann@example.org");
            prop_assert_eq!(form.parts.as_slice().len(), if html.is_some() { 3 } else { 1 });
        }
    }
}
