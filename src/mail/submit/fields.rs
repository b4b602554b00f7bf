//! Header fields of a submission: what it wishes, what it lacks, what must go
//! (RFC 6409 §8).

use time::OffsetDateTime;

use crate::domain::queue::Class;
use crate::mail::ingest::trace;
use crate::wire::mime::headers::{block_len, find, find_all};
use crate::wire::mime::{Form, Mailbox, parse, remove_fields};

/// Fields for us alone begin so; they are read and never sent.
const OURS: &str = "x-koltrix-";

/// What a message asks for by `X-Koltrix-` fields; `None` where it says nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Wishes {
    /// `X-Koltrix-Save-Sent: yes` or `no`.
    pub(super) save_sent: Option<bool>,
    /// `X-Koltrix-Track: opens, clicks`, or `off`.
    pub(super) track_opens: Option<bool>,
    /// The same field.
    pub(super) track_clicks: Option<bool>,
    /// `X-Koltrix-Class: personal`, `transactional` or `bulk`.
    pub(super) class: Option<Class>,
}

impl Wishes {
    /// Reads the fields; what is no known word is no wish.
    pub(super) fn read(content: &[u8]) -> Self {
        let track = value(content, "X-Koltrix-Track");
        let tracks = |what| track.as_deref().map(|v| v.split(',').any(|word| word.trim() == what));
        Self {
            save_sent: value(content, "X-Koltrix-Save-Sent").map(|v| v == "yes"),
            track_opens: tracks("opens"),
            track_clicks: tracks("clicks"),
            class: value(content, "X-Koltrix-Class").and_then(|v| v.parse().ok()),
        }
    }
}

fn value(content: &[u8], name: &str) -> Option<String> {
    let field = find(content, name)?;
    Some(String::from_utf8_lossy(&field.text()).trim().to_ascii_lowercase())
}

/// The mailboxes of Resent-From and Resent-Sender.
pub(super) fn resent_authors(content: &[u8]) -> Vec<Mailbox> {
    let fields = ["Resent-From", "Resent-Sender"].into_iter();
    fields
        .flat_map(|name| find_all(content, name))
        // They have the grammar of From (RFC 5322 §3.6.6) and are read as one.
        .flat_map(|field| parse(&[b"From: ".as_slice(), &field.text(), b"\r\n\r\n"].concat()).from)
        .collect()
}

/// The header block as it is stored and sent: `trace` and what is missing in
/// front, without Bcc, Return-Path and what was for us alone. The body goes
/// behind it as it is.
pub(super) fn complete(content: &[u8], form: &Form, trace: Vec<u8>, hostname: &str) -> Vec<u8> {
    let mut out = trace;
    if form.message_id.is_none() && find(content, "Message-ID").is_none() {
        let id = format!("Message-ID: <{}@{hostname}>\r\n", uuid::Uuid::new_v4());
        out.extend_from_slice(id.as_bytes());
    }
    if find(content, "Date").is_none() {
        let date = format!("Date: {}\r\n", trace::date(OffsetDateTime::now_utc()));
        out.extend_from_slice(date.as_bytes());
    }
    if find(content, "MIME-Version").is_none() && find(content, "Content-Type").is_some() {
        out.extend_from_slice(b"MIME-Version: 1.0\r\n");
    }
    let header = content.get(..form.header_len).unwrap_or(content);
    out.extend_from_slice(&remove_fields(header, |name, _| {
        let name = name.to_ascii_lowercase();
        name == b"bcc"
            || name == b"resent-bcc"
            || name == b"return-path"
            || name.starts_with(OURS.as_bytes())
    }));
    // A message without an empty line is all header: what follows must not join it.
    if block_len(content) == content.len() && !content.ends_with(b"\r\n\r\n") {
        out.extend_from_slice(b"\r\n");
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn completed(content: &str) -> String {
        let form = parse(content.as_bytes());
        let trace = b"Received: x\r\n".to_vec();
        let header = complete(content.as_bytes(), &form, trace, "mx.example");
        String::from_utf8(header).unwrap() + &content[form.header_len..]
    }

    #[test]
    fn what_is_missing_is_added_and_what_is_secret_goes() {
        let out = completed(
            "From: a@b.example\r\nBcc: c@d.example,\r\n e@f.example\r\nX-Koltrix-Track: opens\r\n\r\nhi\r\n",
        );
        assert!(out.starts_with("Received: x\r\nMessage-ID: <"), "{out}");
        assert!(out.contains("\r\nDate: ") && !out.contains("MIME-Version"), "{out}");
        assert!(
            !out.contains("Bcc") && !out.contains("e@f.example") && !out.contains("Koltrix"),
            "{out}"
        );
        assert!(out.ends_with("From: a@b.example\r\n\r\nhi\r\n"), "{out}");
    }

    #[test]
    fn what_is_there_stays() {
        let content = "Message-ID: <1@b.example>\r\nDate: Sun, 22 Nov 2026 12:00:00 +0000\r\nFrom: a@b.example\r\n\r\nhi\r\n";
        assert_eq!(completed(content), format!("Received: x\r\n{content}"));
    }

    #[test]
    fn whoever_resends_is_an_author() {
        let authors = resent_authors(
            b"From: a@b.example\r\nResent-From: X <x@y.example>,\r\n z@y.example\r\n\r\n",
        );
        let addresses: Vec<&str> = authors.iter().map(|m| m.address.as_str()).collect();
        assert_eq!(addresses, ["x@y.example", "z@y.example"]);
    }

    #[test]
    fn wishes_are_read_from_our_fields() {
        let wishes = Wishes::read(b"X-Koltrix-Track: Opens, clicks\r\nX-Koltrix-Save-Sent: yes\r\nX-Koltrix-Class: bulk\r\n\r\n");
        let expected = Wishes {
            save_sent: Some(true),
            track_opens: Some(true),
            track_clicks: Some(true),
            class: Some(Class::Bulk),
        };
        assert_eq!(wishes, expected);
        let off = Wishes::read(b"X-Koltrix-Track: off\r\n\r\nX-Koltrix-Class: bulk\r\n");
        assert_eq!(
            (off.track_opens, off.track_clicks, off.class),
            (Some(false), Some(false), None)
        );
    }
}
