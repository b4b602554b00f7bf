//! The fields of machine-readable reports: groups of header-like fields with an empty line between
//! them (RFC 3464 §2.1.2, RFC 8098 §3.1).

use super::decode::literal;
use super::headers::{block_len, find, unfold};

/// Groups of a report that are read; a message has no more recipients that anybody waits for.
const MAX_GROUPS: usize = 100;

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
