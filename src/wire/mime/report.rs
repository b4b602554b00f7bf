//! Messages that bring reports to whoever asked for them (RFC 9990 §3.5.1, RFC 8460 §5.3): words
//! for people, then the packed report.

use mail_builder::MessageBuilder;
use mail_builder::headers::content_type::ContentType;
use mail_builder::headers::raw::Raw;
use mail_builder::mime::{BodyPart, MimePart};

use super::compose::{ComposeError, Person, boundary, mailbox, text_part, token};

/// Which report it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind<'a> {
    /// A DMARC aggregate report in XML.
    Dmarc,
    /// A TLS report in JSON.
    Tls {
        /// The domain it is about.
        domain: &'a str,
        /// The domain that sends it.
        submitter: &'a str,
    },
}

/// A message to be written.
#[derive(Clone, Copy, Debug)]
pub struct Carrier<'a> {
    /// Who reports.
    pub from: Person<'a>,
    /// Who asked.
    pub to: &'a str,
    /// As [`crate::wire::report::subject`] has it.
    pub subject: &'a str,
    /// The Message-ID, without angle brackets.
    pub message_id: &'a str,
    /// The Date, in seconds since 1970-01-01T00:00:00Z.
    pub date: i64,
    /// What people read.
    pub text: &'a str,
    /// Which report it is.
    pub kind: Kind<'a>,
    /// The name of the file.
    pub file_name: &'a str,
    /// The report, packed with gzip.
    pub packed: &'a [u8],
}

/// Writes the message, with CRLF and no line over 998 octets.
///
/// # Errors
/// What cannot stand in a header.
pub fn compose(carrier: &Carrier<'_>) -> Result<Vec<u8>, ComposeError> {
    let boundary = boundary([carrier.message_id.as_bytes(), carrier.packed]);
    let (whole, kind) = match carrier.kind {
        Kind::Dmarc => (ContentType::new("multipart/mixed"), "application/gzip"),
        Kind::Tls { .. } => {
            let whole = ContentType::new("multipart/report").attribute("report-type", "tlsrpt");
            (whole, "application/tlsrpt+gzip")
        }
    };
    let file_name = token(carrier.file_name, "Content-Disposition")?;
    let report = MimePart::new(kind, BodyPart::Binary(carrier.packed.into())).attachment(file_name);
    let parts = vec![text_part("text/plain", carrier.text), report];
    let to = Person { name: None, address: carrier.to };
    let mut message = MessageBuilder::new()
        .from(mailbox(&carrier.from, "From")?)
        .to(mailbox(&to, "To")?)
        .message_id(token(carrier.message_id, "Message-ID")?)
        .date(carrier.date)
        // RFC 3834 §5: nobody may answer it automatically.
        .header("Auto-Submitted", Raw::new("auto-generated"));
    let subject = token(carrier.subject, "Subject")?;
    // Programs look for its words, which long domains would have encoded.
    message = match subject.is_ascii() {
        true => message.header("Subject", Raw::new(subject)),
        false => message.subject(subject),
    };
    if let Kind::Tls { domain, submitter } = carrier.kind {
        message = message
            .header("TLS-Report-Domain", Raw::new(token(domain, "TLS-Report-Domain")?))
            .header("TLS-Report-Submitter", Raw::new(token(submitter, "TLS-Report-Submitter")?));
    }
    let mut out = Vec::new();
    message
        .body(MimePart::new(whole.attribute("boundary", boundary), BodyPart::Multipart(parts)))
        .serialize(&mut out);
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::super::parse;
    use super::super::testing::is_sendable;
    use super::*;

    const CARRIER: Carrier<'_> = Carrier {
        from: Person { name: Some("Ours"), address: "reports@us.example" },
        to: "dmarc@example.com",
        subject: "Report Domain: example.com Submitter: us.example Report-ID: <1>",
        message_id: "1@us.example",
        date: 1_136_239_445,
        text: "This is a report.\n",
        kind: Kind::Dmarc,
        file_name: "us.example!example.com!1!2!1.xml.gz",
        packed: b"\x1f\x8b\x08 not really\r\n.\r\n\x00",
    };

    #[test]
    fn the_report_is_attached() {
        let tls = Kind::Tls { domain: "example.com", submitter: "us.example" };
        for (kind, content_type) in
            [(Kind::Dmarc, "application/gzip"), (tls, "application/tlsrpt+gzip")]
        {
            let raw = compose(&Carrier { kind, ..CARRIER }).unwrap();
            assert!(is_sendable(&raw));
            let form = parse(&raw);
            assert_eq!(form.subject, CARRIER.subject);
            assert_eq!(form.to[0].address, CARRIER.to);
            let part = &form.attachments[0];
            assert_eq!(part.content_type, content_type);
            assert_eq!(part.filename.as_deref(), Some(CARRIER.file_name));
            let body = super::super::decode_body(part.encoding, &raw[part.range.clone()]);
            assert_eq!(&body[..], CARRIER.packed);
            let text = String::from_utf8_lossy(&raw).into_owned();
            assert_eq!(text.contains("TLS-Report-Domain: example.com\r\n"), kind == tls);
            assert_eq!(text.contains("report-type=\"tlsrpt\""), kind == tls, "{text}");
        }
    }

    #[test]
    fn nothing_can_be_injected() {
        for bad in ["a\r\nBcc: x@y.example", ""] {
            assert!(compose(&Carrier { subject: bad, ..CARRIER }).is_err());
            assert!(compose(&Carrier { to: bad, ..CARRIER }).is_err());
            assert!(compose(&Carrier { file_name: bad, ..CARRIER }).is_err());
        }
    }
}
