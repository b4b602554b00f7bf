//! Which part of a message is a report.

use super::dmarc::Feedback;
use super::tls::Report;
use super::{ReadError, UnpackError, unpack};
use crate::wire::mime::{decode_body, parse};

/// Parts of a message that are looked into.
const MOST: usize = 5;

/// What a message brings.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Found {
    /// What became of a domain's mail.
    Dmarc(Box<Feedback>),
    /// How its servers' TLS did.
    Tls(Box<Report>),
}

/// Whether a message with this subject and these attachments (type, file name) may carry a report:
/// asked of every message that comes, so it looks at no content.
pub fn is_likely<'a>(
    subject: &str,
    attachments: impl Iterator<Item = (&'a str, Option<&'a str>)>,
) -> bool {
    let begin = subject.get(..14).unwrap_or_default();
    let announced = begin.eq_ignore_ascii_case("Report Domain:");
    attachments.into_iter().any(|(kind, name)| {
        let name = name.unwrap_or_default();
        let named = name.split('!').count() >= 4;
        kind.starts_with("application/tlsrpt") || is_packed(kind, name) && (announced || named)
    })
}

/// The types that reports come as, or the endings of their files.
fn is_packed(kind: &str, name: &str) -> bool {
    const TYPES: [&str; 8] = [
        "application/gzip",
        "application/x-gzip",
        "application/zip",
        "application/x-zip-compressed",
        "application/xml",
        "text/xml",
        "application/tlsrpt+gzip",
        "application/tlsrpt+json",
    ];
    const ENDINGS: [&str; 5] = [".xml", ".gz", ".gzip", ".zip", ".json"];
    let name = name.to_ascii_lowercase();
    TYPES.contains(&kind) || ENDINGS.iter().any(|ending| name.ends_with(ending))
}

/// The first report in a message.
///
/// # Errors
/// What was wrong with the last part that could have been one; `None` where there is no such part.
pub fn find(raw: &[u8]) -> Result<Found, Option<String>> {
    let form = parse(raw);
    let mut wrong = None;
    let parts = form.attachments.iter();
    let parts = parts
        .filter(|part| is_packed(&part.content_type, part.filename.as_deref().unwrap_or_default()));
    for part in parts.take(MOST) {
        let body = raw.get(part.range.clone()).unwrap_or_default();
        match read(&decode_body(part.encoding, body)) {
            Ok(found) => return Ok(found),
            Err(error) => wrong = Some(error),
        }
    }
    Err(wrong)
}

fn read(octets: &[u8]) -> Result<Found, String> {
    let report = unpack(octets).map_err(|error: UnpackError| error.to_string())?;
    let is_json = report.iter().find(|octet| b"{<".contains(octet)) == Some(&b'{');
    let read = if is_json {
        Report::read(&report).map(|report| Found::Tls(Box::new(report)))
    } else {
        Feedback::read(&report).map(|report| Found::Dmarc(Box::new(report)))
    };
    read.map_err(|error: ReadError| error.to_string())
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use proptest::prelude::*;

    use super::super::dmarc::tests::GOOGLE;
    use super::super::pack;
    use super::super::unpack::tests::zip;
    use super::*;

    fn message(kind: &str, name: &str, octets: &[u8]) -> Vec<u8> {
        format!(
            "From: a@b.example\r\nSubject: Report domain: x.example Submitter: b.example\r\n\
             MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=q\r\n\r\n--q\r\n\r\nhi\r\n\
             --q\r\nContent-Type: {kind}; name=\"{name}\"\r\nContent-Transfer-Encoding: base64\r\n\
             Content-Disposition: attachment; filename=\"{name}\"\r\n\r\n{}\r\n--q--\r\n",
            STANDARD.encode(octets)
        )
        .into_bytes()
    }

    #[test]
    fn whatever_it_is_packed_as() {
        let report = GOOGLE.as_bytes();
        let expected = Found::Dmarc(Box::new(Feedback::read(report).unwrap()));
        for (kind, name, octets) in [
            ("application/zip", "google.com!x.example!1!2.zip", zip("x.xml", report, 8)),
            ("application/gzip", "b.example!x.example!1!2.xml.gz", pack(report).unwrap()),
            ("application/octet-stream", "b.example!x.example!1!2.xml.gz", pack(report).unwrap()),
            ("text/xml", "b.example!x.example!1!2.xml", report.to_vec()),
        ] {
            let raw = message(kind, name, &octets);
            assert_eq!(find(&raw).unwrap(), expected, "{kind} {name}");
            assert!(is_likely("x", [(kind, Some(name))].into_iter()), "{kind} {name}");
        }
        let alone = "Content-Type: application/zip\r\nContent-Transfer-Encoding: base64\r\n\r\n";
        let alone = alone.to_owned() + &STANDARD.encode(zip("x.xml", report, 0));
        assert_eq!(find(alone.as_bytes()).unwrap(), expected);
    }

    #[test]
    fn ordinary_mail_is_no_report() {
        let zip = [("application/zip", Some("photos.zip"))];
        assert!(!is_likely("Report of the day", zip.into_iter()));
        assert!(is_likely("Report Domain: x Submitter: y", zip.into_iter()));
        assert!(!is_likely("Report Domain: x", std::iter::empty()));
        assert!(!is_likely("ü", [("image/png", Some("a!b!c!d.png"))].into_iter()));
        assert_eq!(find(b"Subject: x\r\n\r\nhello\r\n"), Err(None));
        assert!(
            find(&message("application/zip", "x.zip", b"PK\x03\x04")).is_err_and(|e| e.is_some())
        );
    }

    proptest! {
        #[test]
        fn rubbish_never_panics(octets in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = find(&octets);
            let _ = find(&message("application/gzip", "a!b!1!2.gz", &octets));
        }
    }
}
