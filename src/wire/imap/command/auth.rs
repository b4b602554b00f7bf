//! Who talks and how: LOGIN, AUTHENTICATE, ENABLE, ID, and the lines inside AUTHENTICATE and IDLE.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::wire::imap::cursor::{Cursor, Parsed};
use crate::wire::imap::error::{SyntaxError, What};
use crate::wire::imap::strings::utf8;

/// The most pairs in an ID list (RFC 2971 §3.3).
const MAX_ID: usize = 30;
/// The longest field and value in an ID list, in bytes (RFC 2971 §3.3).
const MAX_ID_FIELD: usize = 30;
const MAX_ID_VALUE: usize = 1024;
/// The most capabilities in one ENABLE.
const MAX_ENABLE: usize = 100;

/// Bytes that must not be shown: `Debug` keeps them back.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Vec<u8>);

impl Secret {
    /// The bytes.
    pub fn reveal(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// `LOGIN`
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Login {
    /// The user's name.
    pub user: String,
    /// The password; its bytes are UTF-8.
    pub password: Secret,
}

/// `AUTHENTICATE`
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Authenticate {
    /// The SASL mechanism in upper case, known or not.
    pub mechanism: String,
    /// The initial response, decoded; empty for `=` (RFC 4959 §3).
    pub initial: Option<Secret>,
}

/// One pair of an ID list (RFC 2971).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct IdParameter {
    /// What is told, such as `name` or `version`.
    pub field: String,
    /// The client's word for it; `None` for `NIL`.
    pub value: Option<String>,
}

/// A client's line inside AUTHENTICATE.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum SaslResponse {
    /// `*`: the client gives up (RFC 3501 §6.2.2).
    Cancel,
    /// The response, decoded.
    Data(Secret),
}

/// Reads a line that answers a continuation request of AUTHENTICATE.
///
/// ```abnf
/// base64 CRLF / "*" CRLF
/// ```
pub fn parse_sasl_response(line: &[u8]) -> Result<SaslResponse, SyntaxError> {
    let error = SyntaxError { what: What::Expected("base64"), offset: 0 };
    match line.strip_suffix(b"\r\n").ok_or(error)? {
        b"*" => Ok(SaslResponse::Cancel),
        text => {
            let bytes = STANDARD.decode(text).map_err(|_| error)?;
            Ok(SaslResponse::Data(Secret(bytes)))
        }
    }
}

/// Whether a line ends IDLE (RFC 2177 §3).
pub fn is_done(line: &[u8]) -> bool {
    line.eq_ignore_ascii_case(b"DONE\r\n")
}

/// ```abnf
/// login    = "LOGIN" SP userid SP password
/// userid   = astring
/// password = astring
/// ```
pub(super) fn login(cursor: &mut Cursor<'_>) -> Parsed<Login> {
    cursor.sp()?;
    let user = cursor.astring_utf8("a user name")?;
    cursor.sp()?;
    let password = cursor.astring_utf8("a password")?;
    Ok(Login { user, password: Secret(password.into_bytes()) })
}

/// ```abnf
/// authenticate = "AUTHENTICATE" SP auth-type [SP (base64 / "=")]    ; RFC 4959
/// auth-type    = atom
/// ```
pub(super) fn authenticate(cursor: &mut Cursor<'_>) -> Parsed<Authenticate> {
    cursor.sp()?;
    let mechanism = cursor.atom("a mechanism")?.to_ascii_uppercase();
    if !cursor.eat(b" ") {
        return Ok(Authenticate { mechanism, initial: None });
    }
    let offset = cursor.offset();
    let text = match cursor.take_while1(|byte| byte.is_ascii_graphic(), "base64")? {
        b"=" => b"",
        text => text,
    };
    let bytes = STANDARD
        .decode(text)
        .map_err(|_| SyntaxError { what: What::Expected("base64"), offset })?;
    Ok(Authenticate { mechanism, initial: Some(Secret(bytes)) })
}

/// ```abnf
/// enable = "ENABLE" 1*(SP capability)    ; RFC 5161
/// ```
pub(super) fn enable(cursor: &mut Cursor<'_>) -> Parsed<Vec<String>> {
    let mut names = Vec::new();
    cursor.sp()?;
    loop {
        if names.len() == MAX_ENABLE {
            return cursor.fail(What::Limit("capabilities"));
        }
        names.push(cursor.atom("a capability")?.to_ascii_uppercase());
        if !cursor.eat(b" ") {
            return Ok(names);
        }
    }
}

/// ```abnf
/// id             = "ID" SP id-params-list    ; RFC 2971
/// id-params-list = "(" [string SP nstring *(SP string SP nstring)] ")" / nil
/// ```
pub(super) fn id(cursor: &mut Cursor<'_>) -> Parsed<Vec<IdParameter>> {
    cursor.sp()?;
    if cursor.eat(b"NIL") {
        return Ok(Vec::new());
    }
    cursor.list(MAX_ID, "ID parameters", true, |cursor| {
        let offset = cursor.offset();
        let field = bounded(cursor.string("an ID field")?, MAX_ID_FIELD, offset)?;
        cursor.sp()?;
        let offset = cursor.offset();
        let value = cursor.nstring("an ID value")?;
        let value = value.map(|value| bounded(value, MAX_ID_VALUE, offset)).transpose()?;
        Ok(IdParameter { field, value })
    })
}

fn bounded(bytes: Vec<u8>, max: usize, offset: usize) -> Parsed<String> {
    if bytes.len() > max {
        return Err(SyntaxError { what: What::Limit("bytes in an ID parameter"), offset });
    }
    utf8(bytes, offset)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::imap::command::{Command, parse_command};

    fn parse(line: &str) -> Result<Command, What> {
        parse_command(line.as_bytes()).map(|tagged| tagged.command).map_err(|error| error.what)
    }

    #[test]
    fn login_keeps_the_password_out_of_debug() {
        // RFC 3501 §6.2.3, and the same with literals.
        let command = parse("a001 LOGIN SMITH SESAME\r\n").unwrap();
        assert!(!format!("{command:?}").contains("SESAME"));
        assert_eq!(parse("a LOGIN {5}\r\nSMITH {6+}\r\nSESAME\r\n").unwrap(), command);
        let Command::Login(login) = command else { panic!() };
        assert_eq!((login.user.as_str(), login.password.reveal()), ("SMITH", &b"SESAME"[..]));
        for bad in ["a LOGIN\r\n", "a LOGIN a\r\n", "a LOGIN a b c\r\n", "a LOGIN a \"b\r\n"] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn authenticate_with_and_without_initial_response() {
        let read = |line| match parse(line).unwrap() {
            Command::Authenticate(it) => {
                (it.mechanism, it.initial.map(|secret| secret.reveal().to_vec()))
            }
            other => panic!("{other:?}"),
        };
        let plain = || "PLAIN".to_owned();
        assert_eq!(read("a AUTHENTICATE plain\r\n"), (plain(), None));
        // RFC 4959 §4.
        assert_eq!(
            read("C01 AUTHENTICATE PLAIN dGVzdAB0ZXN0AHRlc3Q=\r\n"),
            (plain(), Some(b"test\0test\0test".to_vec()))
        );
        assert_eq!(read("a AUTHENTICATE PLAIN =\r\n"), (plain(), Some(vec![])));
        assert_eq!(parse("a AUTHENTICATE PLAIN ??\r\n").unwrap_err(), What::Expected("base64"));
    }

    #[test]
    fn lines_inside_authenticate_and_idle() {
        let read = |line: &'static [u8]| parse_sasl_response(line);
        assert_eq!(read(b"*\r\n").unwrap(), SaslResponse::Cancel);
        assert_eq!(read(b"AGEAYg==\r\n").unwrap(), SaslResponse::Data(Secret(b"\0a\0b".to_vec())));
        assert_eq!(read(b"\r\n").unwrap(), SaslResponse::Data(Secret(vec![])));
        assert!(read(b"AGEAYg==").is_err() && read(b"A\r\n").is_err());
        assert!(is_done(b"done\r\n") && !is_done(b"DONE \r\n") && !is_done(b"a DONE\r\n"));
    }

    #[test]
    fn enable_and_id() {
        assert_eq!(
            parse("t1 ENABLE CONDSTORE x-good\r\n").unwrap(),
            Command::Enable(vec!["CONDSTORE".to_owned(), "X-GOOD".to_owned()])
        );
        assert!(parse("t1 ENABLE\r\n").is_err());
        // RFC 2971 §3.1.
        assert_eq!(parse("a023 ID NIL\r\n").unwrap(), Command::Id(vec![]));
        let parameter = |field: &str, value: Option<&str>| IdParameter {
            field: field.to_owned(),
            value: value.map(str::to_owned),
        };
        assert_eq!(
            parse("a023 ID (\"name\" \"sodr\" \"vendor\" NIL)\r\n").unwrap(),
            Command::Id(vec![parameter("name", Some("sodr")), parameter("vendor", None)])
        );
        assert!(parse("a ID (\"name\")\r\n").is_err());
        assert!(parse(&format!("a ID ({}\"a\" NIL)\r\n", "\"a\" NIL ".repeat(MAX_ID))).is_err());
        assert!(parse(&format!("a ID (\"{}\" NIL)\r\n", "a".repeat(MAX_ID_FIELD + 1))).is_err());
    }
}
