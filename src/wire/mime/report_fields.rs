//! Machine-readable reports (RFC 6522): the parts for programs, and in them groups of header-like
//! fields with an empty line between them (RFC 3464 §2.1.2, RFC 8098 §3.1).

use super::content::{MimeFields, Value};
use super::decode::{decode_body, literal, parameter};
use super::form::Form;
use super::headers::{block_len, find, unfold};

/// Groups of a report that are read; a message has no more recipients that anybody waits for.
const MAX_GROUPS: usize = 100;

/// Whether a message is a `multipart/report` with that report-type (RFC 6522 §3); looks at its
/// header only.
pub(super) fn is_report(raw: &[u8], report_type: &str) -> bool {
    let header = raw.get(..block_len(raw)).unwrap_or_default();
    let Some(field) = find(header, "Content-Type") else { return false };
    Value::read(field.value).is_ok_and(|value| value.is("multipart", "report"))
        && parameter(field.value, "report-type")
            .is_some_and(|kind| kind.eq_ignore_ascii_case(report_type))
}

/// The decoded body of the first part of one of these types.
pub(super) fn part(raw: &[u8], form: &Form, types: &[(&str, &str)]) -> Option<Vec<u8>> {
    form.parts.as_slice().iter().find_map(|part| {
        let fields = MimeFields::read(raw.get(part.header())?);
        let is_it = Value::read(fields.content_type?)
            .is_ok_and(|value| types.iter().any(|(kind, subtype)| value.is(kind, subtype)));
        let body = raw.get(part.body()).filter(|_| is_it)?;
        Some(decode_body(fields.encoding(), body).into_owned())
    })
}

/// The groups of fields of a report's body, in order.
pub(super) fn groups(body: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = body;
    let next = move || {
        let (group, behind) = rest.split_at_checked(block_len(rest))?;
        rest = behind;
        (!group.is_empty()).then_some(group)
    };
    std::iter::from_fn(next).take(MAX_GROUPS)
}

/// The value of a field of a group, on one line.
pub(super) fn value(group: &[u8], name: &str) -> Option<String> {
    let text = literal(&unfold(find(group, name)?.value));
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

/// What stands behind the type in `type; value`, where the type is one of `types`.
pub(super) fn typed(group: &[u8], name: &str, types: &[&str]) -> Option<String> {
    let value = value(group, name)?;
    let (kind, text) = value.split_once(';')?;
    let known = types.iter().any(|known| kind.trim().eq_ignore_ascii_case(known));
    known.then(|| text.trim().to_owned()).filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_are_what_empty_lines_part() {
        let body = b"Reporting-MTA: dns; mx.test\r\n\r\nFinal-Recipient: RFC822 ;\r\n a@b.test\r\nAction: failed\r\n";
        let all: Vec<&[u8]> = groups(body).collect();
        assert_eq!(all.len(), 2);
        assert_eq!(typed(all[0], "reporting-mta", &["dns"]).as_deref(), Some("mx.test"));
        assert_eq!(
            typed(all[1], "Final-Recipient", &["rfc822", "utf-8"]).as_deref(),
            Some("a@b.test")
        );
        assert_eq!(typed(all[1], "Final-Recipient", &["x400"]), None);
        assert_eq!(value(all[1], "Action").as_deref(), Some("failed"));
        assert_eq!(groups(b"").count(), 0);
        assert!(groups(&b"\r\n".repeat(10_000)).count() <= MAX_GROUPS);
    }
}
