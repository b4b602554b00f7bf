//! One command line to one [`Command`] (RFC 5321 §4.1.1).

use super::auth::{self, Auth};
use super::mail::{self, Mail};
use super::rcpt::{self, Rcpt};
use super::xclient::{self, XClient};
use crate::domain::address::{AddressError, is_domain};

/// A command, understood.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Command {
    /// `EHLO`, with the name the client gives itself.
    Ehlo(String),
    /// `HELO`, likewise.
    Helo(String),
    /// `LHLO`: LMTP (RFC 2033), which is not spoken here.
    Lhlo,
    /// `MAIL FROM`
    Mail(Mail),
    /// `RCPT TO`
    Rcpt(Rcpt),
    /// `DATA`
    Data,
    /// `BDAT` (RFC 3030): `size` octets follow the line.
    Bdat {
        /// How many octets follow.
        size: u64,
        /// Whether the message ends with them.
        last: bool,
    },
    /// `RSET`
    Rset,
    /// `NOOP`, whatever it says.
    Noop,
    /// `QUIT`
    Quit,
    /// `VRFY`, whomever it asks for.
    Vrfy,
    /// `EXPN`
    Expn,
    /// `HELP`
    Help,
    /// `STARTTLS` (RFC 3207)
    StartTls,
    /// `AUTH` (RFC 4954)
    Auth(Auth),
    /// `XCLIENT`, from servers in front.
    XClient(XClient),
}

/// Why a line is no command that can be carried out.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum SyntaxError {
    /// Not UTF-8, or a control character.
    #[error("a command is printable text")]
    Text,
    /// No verb of ours.
    #[error("unknown command")]
    Verb,
    /// The arguments do not fit; how they should look.
    #[error("usage: {0}")]
    Arguments(&'static str),
    /// A BDAT whose size cannot be read: where the chunk ends is unknown, so the connection
    /// cannot go on.
    #[error("unreadable chunk size")]
    ChunkSize,
    /// The reverse-path is no address.
    #[error("sender: {0}")]
    Sender(AddressError),
    /// The forward-path is no address.
    #[error("recipient: {0}")]
    Recipient(AddressError),
    /// A path with UTF-8 where SMTPUTF8 was not asked for (RFC 6531 §3.5).
    #[error("an address that is not ASCII needs SMTPUTF8")]
    NeedsSmtpUtf8,
    /// A parameter with a wrong value, or a wrong form.
    #[error("parameter: {0}")]
    Parameter(&'static str),
    /// A parameter that is not offered; its keyword.
    #[error("parameter {0} is not supported")]
    Unsupported(String),
}

/// Reads one line, its CRLF already taken off.
pub fn parse(line: &[u8]) -> Result<Command, SyntaxError> {
    let text = std::str::from_utf8(line).map_err(|_| SyntaxError::Text)?;
    if text.contains(char::is_control) {
        return Err(SyntaxError::Text);
    }
    let (verb, args) = text.split_once(' ').unwrap_or((text, ""));
    let args = args.trim_matches(' ');
    match verb.to_ascii_uppercase().as_str() {
        "EHLO" => hello(args, "EHLO name").map(Command::Ehlo),
        "HELO" => hello(args, "HELO name").map(Command::Helo),
        "LHLO" => Ok(Command::Lhlo),
        "MAIL" => mail::parse(args).map(Command::Mail),
        "RCPT" => rcpt::parse(args).map(Command::Rcpt),
        "DATA" => bare(args, Command::Data, "DATA"),
        "BDAT" => bdat(args),
        "RSET" => bare(args, Command::Rset, "RSET"),
        "NOOP" => Ok(Command::Noop),
        "QUIT" => bare(args, Command::Quit, "QUIT"),
        "VRFY" if !args.is_empty() => Ok(Command::Vrfy),
        "VRFY" => Err(SyntaxError::Arguments("VRFY string")),
        "EXPN" => Ok(Command::Expn),
        "HELP" => Ok(Command::Help),
        "STARTTLS" => bare(args, Command::StartTls, "STARTTLS"),
        "AUTH" => auth::parse(args).map(Command::Auth),
        "XCLIENT" => xclient::parse(args).map(Command::XClient),
        _ => Err(SyntaxError::Verb),
    }
}

/// A command that takes no arguments.
fn bare(args: &str, command: Command, usage: &'static str) -> Result<Command, SyntaxError> {
    if args.is_empty() { Ok(command) } else { Err(SyntaxError::Arguments(usage)) }
}

/// The name after EHLO or HELO: a domain or a bracketed literal (RFC 5321 §4.1.1.1), ASCII and at
/// most 255 octets. It is copied into the Received field, so nothing else may pass.
fn hello(name: &str, usage: &'static str) -> Result<String, SyntaxError> {
    if is_hello(name) { Ok(name.to_owned()) } else { Err(SyntaxError::Arguments(usage)) }
}

/// Whether a client may call itself so.
pub(super) fn is_hello(name: &str) -> bool {
    let literal = name.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let fits = match literal {
        Some(inner) => {
            inner.len() <= 253
                && inner.bytes().all(|b| b.is_ascii_alphanumeric() || b".:-".contains(&b))
        }
        None => is_domain(name.strip_suffix('.').unwrap_or(name)),
    };
    fits && name.is_ascii()
}

/// ```abnf
/// bdat-cmd   = "BDAT" SP chunk-size [ SP end-marker ] CR LF
/// chunk-size = 1*DIGIT
/// end-marker = "LAST"
/// ```
fn bdat(args: &str) -> Result<Command, SyntaxError> {
    let (size, marker) = args.split_once(' ').unwrap_or((args, ""));
    let last = marker.eq_ignore_ascii_case("LAST");
    // Digits only: `parse` alone would let a sign through.
    let digits = !size.is_empty() && size.bytes().all(|b| b.is_ascii_digit());
    match size.parse() {
        Ok(size) if digits && (last || marker.is_empty()) => Ok(Command::Bdat { size, last }),
        _ => Err(SyntaxError::ChunkSize),
    }
}

#[cfg(test)]
mod tests;
