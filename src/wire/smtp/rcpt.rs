//! The RCPT command (RFC 5321 §4.1.1.3) and its parameters.

use super::command::SyntaxError;
use super::params::{self, Param};
use super::{path, xtext};
use crate::domain::address::Address;
use crate::domain::envelope::{Notify, Recipient};

const USAGE: &str = "RCPT TO:<address> [parameters]";

/// What a RCPT command said.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Rcpt {
    /// An address, with its report parameters.
    To(Recipient),
    /// `<Postmaster>` without a domain, which every server takes (RFC 5321 §4.5.1).
    Postmaster,
}

/// ```abnf
/// rcpt = "RCPT TO:" ( "<Postmaster@" Domain ">" / "<Postmaster>" / Forward-path )
///        [SP Rcpt-parameters] CRLF
/// ```
pub(super) fn parse(args: &str) -> Result<Rcpt, SyntaxError> {
    let path = path::split(args, "TO", USAGE)?;
    let mut notify = Notify::default();
    let mut orcpt = None;
    for Param { keyword, value } in params::split(path.rest)? {
        match (keyword.as_str(), value) {
            ("NOTIFY", Some(value)) => notify = parse_notify(value)?,
            ("ORCPT", Some(value)) => orcpt = Some(parse_orcpt(value)?),
            ("NOTIFY" | "ORCPT", None) => {
                return Err(SyntaxError::Parameter("a value is missing"));
            }
            _ => return Err(SyntaxError::Unsupported(keyword)),
        }
    }
    if path.inner.eq_ignore_ascii_case("postmaster") {
        return Ok(Rcpt::Postmaster);
    }
    let address = Address::parse(path.inner).map_err(SyntaxError::Recipient)?;
    Ok(Rcpt::To(Recipient { address, notify, orcpt }))
}

/// RFC 3461 §4.1: `NEVER`, or a list of the others.
fn parse_notify(value: &str) -> Result<Notify, SyntaxError> {
    let mut notify = Notify { success: false, failure: false, delay: false };
    if value.eq_ignore_ascii_case("NEVER") {
        return Ok(notify);
    }
    for word in value.split(',') {
        let flag = match word.to_ascii_uppercase().as_str() {
            "SUCCESS" => &mut notify.success,
            "FAILURE" => &mut notify.failure,
            "DELAY" => &mut notify.delay,
            _ => return Err(SyntaxError::Parameter("NOTIFY is NEVER or SUCCESS,FAILURE,DELAY")),
        };
        *flag = true;
    }
    Ok(notify)
}

/// RFC 3461 §4.2: `addr-type ";" xtext`, at most 500 characters, decoded here. An address of the
/// type `utf-8` (RFC 6533 §3) is not xtext and stays as it is.
fn parse_orcpt(value: &str) -> Result<String, SyntaxError> {
    let bad = SyntaxError::Parameter("ORCPT is not type;xtext of at most 500 characters");
    let Some((kind, address)) = value.split_once(';') else { return Err(bad) };
    let is_type = !kind.is_empty() && kind.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    if !is_type || address.is_empty() || value.len() > 500 {
        return Err(bad);
    }
    let address = if kind.eq_ignore_ascii_case("utf-8") {
        Some(address.to_owned()).filter(|text| !text.contains(char::is_control))
    } else {
        xtext::decode(address)
    };
    address.map(|address| format!("{kind};{address}")).ok_or(bad)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn to(args: &str) -> Recipient {
        match parse(args) {
            Ok(Rcpt::To(recipient)) => recipient,
            other => panic!("{args}: {other:?}"),
        }
    }

    #[test]
    fn reads_addresses_and_reports() {
        assert_eq!(to("TO:<A@b.c>"), Recipient::plain(Address::parse("a@b.c").unwrap()));
        let full = to("TO:<a@b.c> NOTIFY=success,Delay ORCPT=rfc822;Bob+2Bx@Example.COM");
        assert_eq!(full.notify, Notify { success: true, failure: false, delay: true });
        assert_eq!(full.orcpt.as_deref(), Some("rfc822;Bob+x@Example.COM"));
        let never = to("TO:<a@b.c> NOTIFY=NEVER");
        assert_eq!(never.notify, Notify { success: false, failure: false, delay: false });
        let utf8 = to("TO:<a@b.c> ORCPT=utf-8;jürgen@x.example");
        assert_eq!(utf8.orcpt.as_deref(), Some("utf-8;jürgen@x.example"));
    }

    #[test]
    fn postmaster_needs_no_domain() {
        assert_eq!(parse("TO:<PostMaster>"), Ok(Rcpt::Postmaster));
        assert_eq!(to("TO:<Postmaster@b.c>").address.as_str(), "postmaster@b.c");
    }

    #[test]
    fn relay_forms_are_refused() {
        // RFC 5321 §7.1; every one of these has made some server an open relay.
        for path in [
            "a%evil.example@b.c",
            "evil.example!a@b.c",
            "@b.c:a@evil.example",
            "@b.c,@d.e:a@evil.example",
            "a@evil.example@b.c",
            "\"a@evil.example\"@b.c",
            "\"a\"@b.c",
            "\"a>b\"@b.c",
            "a@[127.0.0.1]",
            "a@[IPv6:::1]",
            "a@b.c@",
            "a",
            "",
            " ",
            "a@b.c ",
        ] {
            let parsed = parse(&format!("TO:<{path}>"));
            assert!(
                matches!(parsed, Err(SyntaxError::Recipient(_) | SyntaxError::Parameter(_))),
                "{path:?}: {parsed:?}"
            );
        }
    }

    #[test]
    fn wrong_parameters_are_refused() {
        for bad in [
            "NOTIFY=NEVER,SUCCESS",
            "NOTIFY=SUCCESS,",
            "NOTIFY",
            "ORCPT=a@b.c",
            "ORCPT=;a@b.c",
            "ORCPT=rfc822;",
            "ORCPT=rfc822;a+0D+0Ab",
            "ORCPT=utf-8;a\u{85}b",
        ] {
            let parsed = parse(&format!("TO:<a@b.c> {bad}"));
            assert!(matches!(parsed, Err(SyntaxError::Parameter(_))), "{bad}: {parsed:?}");
        }
        assert!(matches!(parse("TO:<a@b.c> RRVS=1"), Err(SyntaxError::Unsupported(_))));
        assert!(parse(&format!("TO:<a@b.c> ORCPT=rfc822;{}", "a".repeat(500))).is_err());
    }
}
