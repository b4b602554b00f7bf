//! The MAIL command (RFC 5321 §4.1.1.2) and its parameters.

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::command::SyntaxError;
use super::deliver_by::{self, By};
use super::params::{self, Param};
use super::{path, xtext};
use crate::domain::address::Address;
use crate::domain::envelope::{DsnReturn, MailFrom, ReversePath};

const USAGE: &str = "MAIL FROM:<address> [parameters]";

/// What a MAIL command said.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Mail {
    /// The reverse-path with its report parameters.
    pub from: MailFrom,
    /// `SIZE`: how many octets the client means to send (RFC 1870).
    pub size: Option<u64>,
    /// `BODY=BINARYMIME`: content that need not be lines (RFC 3030 §3).
    pub binary: bool,
    /// When it is to be sent (RFC 4865).
    pub hold: Option<Hold>,
    /// By when it is to be delivered (RFC 2852).
    pub by: Option<By>,
}

/// How long a message is to be kept back.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Hold {
    /// `HOLDFOR`, in seconds.
    For(u32),
    /// `HOLDUNTIL`
    Until(OffsetDateTime),
}

/// ```abnf
/// mail = "MAIL FROM:" Reverse-path [SP Mail-parameters] CRLF
/// ```
pub(super) fn parse(args: &str) -> Result<Mail, SyntaxError> {
    let path = path::split(args, "FROM", USAGE)?;
    let reverse_path = match path.inner {
        "" => None,
        text => Some(Address::parse(text).map_err(SyntaxError::Sender)?),
    };
    let from = MailFrom { reverse_path: ReversePath(reverse_path), ..MailFrom::default() };
    let mut mail = Mail { from, size: None, binary: false, hold: None, by: None };
    for param in params::split(path.rest)? {
        set(&mut mail, param)?;
    }
    if !mail.from.smtputf8 && mail.from.reverse_path.0.as_ref().is_some_and(|a| !a.is_ascii()) {
        return Err(SyntaxError::NeedsSmtpUtf8);
    }
    Ok(mail)
}

fn set(mail: &mut Mail, param: Param<'_>) -> Result<(), SyntaxError> {
    match (param.keyword.as_str(), param.value) {
        ("SIZE", Some(value)) => mail.size = Some(size(value)?),
        // RFC 6152 §2: either is fine, content is carried as it comes.
        ("BODY", Some(value)) if value.eq_ignore_ascii_case("7BIT") => {}
        ("BODY", Some(value)) if value.eq_ignore_ascii_case("8BITMIME") => {}
        ("BODY", Some(value)) if value.eq_ignore_ascii_case("BINARYMIME") => mail.binary = true,
        ("HOLDFOR" | "HOLDUNTIL", Some(_)) if mail.hold.is_some() => {
            return Err(SyntaxError::Parameter("HOLDFOR and HOLDUNTIL exclude each other"));
        }
        ("HOLDFOR", Some(value)) => mail.hold = Some(hold_for(value)?),
        ("HOLDUNTIL", Some(value)) => mail.hold = Some(hold_until(value)?),
        ("BY", Some(value)) => mail.by = Some(deliver_by::parse(value)?),
        ("REQUIRETLS", None) => mail.from.require_tls = true,
        ("SMTPUTF8", None) => mail.from.smtputf8 = true,
        ("RET", Some(value)) => mail.from.ret = ret(value)?,
        ("ENVID", Some(value)) => mail.from.envid = Some(envid(value)?),
        // RFC 4954 §5: the claim of another server about its client is checked for form, then
        // forgotten; nobody here is trusted to make it.
        ("AUTH", Some(value)) => {
            xtext::decode(value).ok_or(SyntaxError::Parameter("AUTH is not xtext"))?;
        }
        (
            "SIZE" | "BODY" | "SMTPUTF8" | "RET" | "ENVID" | "AUTH" | "HOLDFOR" | "HOLDUNTIL"
            | "BY" | "REQUIRETLS",
            _,
        ) => {
            return Err(SyntaxError::Parameter("a value that this parameter does not take"));
        }
        _ => return Err(SyntaxError::Unsupported(param.keyword)),
    }
    Ok(())
}

/// RFC 1870 §4: `size-value = 1*20DIGIT`. Twenty digits can pass 2^64; more than fits is more
/// than any limit.
fn size(value: &str) -> Result<u64, SyntaxError> {
    if value.len() > 20 || !value.bytes().all(|b| b.is_ascii_digit()) {
        return Err(SyntaxError::Parameter("SIZE is not a number of at most 20 digits"));
    }
    Ok(value.parse().unwrap_or(u64::MAX))
}

/// RFC 4865 §3: `future-release-integer = %x31-39 *8DIGIT`
fn hold_for(value: &str) -> Result<Hold, SyntaxError> {
    let digits = value.len() <= 9 && value.bytes().all(|b| b.is_ascii_digit());
    let seconds = value.parse().ok().filter(|_| digits && !value.starts_with('0'));
    seconds.map(Hold::For).ok_or(SyntaxError::Parameter("HOLDFOR is not a number of seconds"))
}

/// RFC 4865 §3: a date-time of RFC 3339 §5.6.
fn hold_until(value: &str) -> Result<Hold, SyntaxError> {
    let until = OffsetDateTime::parse(value, &Rfc3339);
    until
        .map(Hold::Until)
        .map_err(|_| SyntaxError::Parameter("HOLDUNTIL is not a time such as 2026-12-24T08:00:00Z"))
}

/// RFC 3461 §4.3
fn ret(value: &str) -> Result<DsnReturn, SyntaxError> {
    match value.to_ascii_uppercase().as_str() {
        "FULL" => Ok(DsnReturn::Full),
        "HDRS" => Ok(DsnReturn::Headers),
        _ => Err(SyntaxError::Parameter("RET is FULL or HDRS")),
    }
}

/// RFC 3461 §4.4: at most 100 characters of xtext.
fn envid(value: &str) -> Result<String, SyntaxError> {
    let decoded = (value.len() <= 100).then(|| xtext::decode(value)).flatten();
    decoded.ok_or(SyntaxError::Parameter("ENVID is not xtext of at most 100 characters"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_every_parameter() {
        let mail = parse(
            "FROM:<Ann@Example.org> SIZE=5000 BODY=8BITMIME SMTPUTF8 RET=HDRS ENVID=QQ+2B1 AUTH=<>",
        )
        .unwrap();
        assert_eq!(mail.from.reverse_path.as_str(), "ann@example.org");
        assert_eq!(mail.size, Some(5000));
        assert!(mail.from.smtputf8);
        assert_eq!(mail.from.ret, DsnReturn::Headers);
        assert_eq!(mail.from.envid.as_deref(), Some("QQ+1"));
        assert_eq!(parse("FROM:<a@b.c> RET=full").unwrap().from.ret, DsnReturn::Full);
    }

    #[test]
    fn null_path_and_nothing_else_is_null() {
        assert!(parse("FROM:<>").unwrap().from.reverse_path.is_null());
        for bad in ["FROM:< >", "FROM:<Postmaster>", "FROM:<@>", "FROM:<@x.y:a@b.c>"] {
            assert!(matches!(parse(bad), Err(SyntaxError::Sender(_))), "{bad:?}");
        }
    }

    #[test]
    fn sizes_never_wrap() {
        let size = |digits: &str| parse(&format!("FROM:<> SIZE={digits}")).map(|mail| mail.size);
        assert_eq!(size("99999999999999999999"), Ok(Some(u64::MAX)));
        assert_eq!(size("00000000000000000012"), Ok(Some(12)));
        assert!(size("184467440737095516155").is_err());
        assert!(size("-1").is_err());
        assert!(size("+1").is_err());
    }

    #[test]
    fn refuses_what_is_not_offered_or_wrong() {
        for bad in
            ["BODY=9BIT", "REQUIRETLS=1", "SIZE", "SMTPUTF8=1", "RET=ALL", "ENVID=+0A", "AUTH=+"]
        {
            let line = format!("FROM:<a@b.c> {bad}");
            assert!(matches!(parse(&line), Err(SyntaxError::Parameter(_))), "{bad}");
        }
        assert_eq!(
            parse("FROM:<a@b.c> solicit=x:y"),
            Err(SyntaxError::Unsupported("SOLICIT".to_owned()))
        );
        assert!(parse(&format!("FROM:<> ENVID={}", "a".repeat(101))).is_err());
    }

    #[test]
    fn later_is_said_in_one_way() {
        let hold = |param: &str| parse(&format!("FROM:<a@b.c> {param}")).map(|mail| mail.hold);
        assert_eq!(hold("HOLDFOR=86400"), Ok(Some(Hold::For(86_400))));
        let christmas = OffsetDateTime::from_unix_timestamp(1_798_099_200).unwrap();
        assert_eq!(hold("holduntil=2026-12-24T08:00:00Z"), Ok(Some(Hold::Until(christmas))));
        assert_eq!(hold("HOLDUNTIL=2026-12-24T10:00:00+02:00"), Ok(Some(Hold::Until(christmas))));
        for bad in ["HOLDFOR", "HOLDFOR=0", "HOLDFOR=-1", "HOLDFOR=1000000000", "HOLDUNTIL=noon"] {
            assert!(hold(bad).is_err(), "{bad}");
        }
        assert!(hold("HOLDFOR=1 HOLDUNTIL=2026-12-24T08:00:00Z").is_err());
    }

    #[test]
    fn what_the_message_needs_is_told() {
        let mail = parse("FROM:<a@b.c> BODY=binarymime REQUIRETLS by=120;r").unwrap();
        assert!(mail.binary && mail.from.require_tls);
        assert_eq!(mail.by.map(|by| by.seconds), Some(120));
    }

    #[test]
    fn utf8_paths_need_smtputf8() {
        assert_eq!(parse("FROM:<jürgen@x.example>"), Err(SyntaxError::NeedsSmtpUtf8));
        assert!(parse("FROM:<jürgen@x.example> SMTPUTF8").is_ok());
    }
}
