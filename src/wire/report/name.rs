//! What reports are called.

/// The name of the file that a report travels in (RFC 9990 §3.5.1, RFC 8460 §5.1): who sends it,
/// about whom, the first and the last second, which one; `ending` is `xml.gz` or `json.gz`.
pub fn file_name(
    submitter: &str,
    domain: &str,
    (begin, end): (i64, i64),
    id: &str,
    ending: &str,
) -> String {
    format!("{submitter}!{domain}!{begin}!{end}!{id}.{ending}")
}

/// The subject of the message that brings it (RFC 9990 §3.5.1, RFC 8460 §5.3).
pub fn subject(domain: &str, submitter: &str, id: &str) -> String {
    format!("Report Domain: {domain} Submitter: {submitter} Report-ID: <{id}>")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_the_rfcs_spell_them() {
        assert_eq!(
            file_name(
                "mail.receiver.example",
                "example.com",
                (1_013_662_812, 1_013_749_130),
                "7",
                "xml.gz"
            ),
            "mail.receiver.example!example.com!1013662812!1013749130!7.xml.gz"
        );
        assert_eq!(
            subject("example.com", "mail.receiver.example", "2002.02.15.1"),
            "Report Domain: example.com Submitter: mail.receiver.example Report-ID: <2002.02.15.1>"
        );
    }
}
