//! The domains in From: what DMARC is about (RFC 9989 §4.4).

use crate::domain::address::is_domain;
use crate::mail::{Error, Reason};
use crate::wire::mime::headers::find_all;
use crate::wire::mime::parse;

/// Different domains that one From may name. Each is looked up.
const MAX_DOMAINS: usize = 4;

/// The domains of the one From field, in lower case, each once; none where it names no address
/// that mail could come from.
///
/// Read as everything here reads it, never by the library that checks signatures: two readings of
/// one field are how a policy is dodged.
///
/// # Errors
/// [`Reason::BadFrom`] without a From field, with several, or with too many domains.
pub(super) fn domains(content: &[u8]) -> Result<Vec<String>, Error> {
    let mut found = find_all(content, "From");
    let (Some(from), None) = (found.next(), found.next()) else {
        return Err(Reason::BadFrom.into());
    };
    let alone = [b"From: ".as_slice(), &from.text(), b"\r\n\r\n"].concat();
    let mut domains = Vec::new();
    for mailbox in parse(&alone).from {
        let Some((_, domain)) = mailbox.address.rsplit_once('@') else { continue };
        let domain = domain.strip_suffix('.').unwrap_or(domain).to_lowercase();
        if is_domain(&domain) && !domains.contains(&domain) {
            domains.push(domain);
        }
    }
    if domains.len() > MAX_DOMAINS {
        return Err(Reason::BadFrom.into());
    }
    Ok(domains)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(from: &str) -> Option<Vec<String>> {
        domains(format!("{from}\r\n\r\nFrom: body@body.example\r\n").as_bytes()).ok()
    }

    #[test]
    fn every_way_to_write_the_field_names_its_domain() {
        for from in [
            "From: a@Bank.example",
            "From : a@bank.example",
            "FROM:\r\n a@bank.example",
            "From: \"x@evil.example\" <a@bank.example>",
            "From: x (y@evil.example) <a@bank.example.>",
            "From: group: a@bank.example;",
            "no field\r\n From: folded@evil.example\r\nFrom: <a@bank.example",
        ] {
            assert_eq!(read(from), Some(vec!["bank.example".to_owned()]), "{from:?}");
        }
        let two = read("From: a@one.example, b@two.example, c@one.example").unwrap();
        assert_eq!(two, ["one.example", "two.example"]);
        assert_eq!(read("From: undisclosed:;"), Some(Vec::new()));
        assert_eq!(read("From: a@b c@d..e"), Some(Vec::new()));
    }

    #[test]
    fn none_two_and_a_crowd_are_refused() {
        assert_eq!(read("Subject: x"), None);
        assert_eq!(read("From: a@one.example\r\nFrom : b@two.example"), None);
        let crowd: Vec<String> = (0..5).map(|n| format!("a@d{n}.example")).collect();
        assert_eq!(read(&format!("From: {}", crowd.join(", "))), None);
    }
}
