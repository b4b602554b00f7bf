//! Replies, and the one translation of errors into them (RFC 5321 §4.2, RFC 3463).

use std::borrow::Cow;

use crate::mail::{Error, Reason};
use crate::wire::smtp::command::SyntaxError;

/// Class, subject and detail of RFC 3463.
type Status = (u8, u16, u16);

/// One reply.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Reply {
    code: u16,
    status: Option<Status>,
    /// Lines, separated by LF.
    text: Cow<'static, str>,
    closes: bool,
}

impl Reply {
    /// A reply with an enhanced status code (RFC 2034).
    pub(super) fn new(code: u16, status: Status, text: impl Into<Cow<'static, str>>) -> Self {
        Self { code, status: Some(status), text: text.into(), closes: false }
    }

    /// A reply without one: the greeting, the answer to EHLO, and what asks for more
    /// (RFC 2034 §4).
    pub(super) fn bare(code: u16, text: impl Into<Cow<'static, str>>) -> Self {
        Self { code, status: None, text: text.into(), closes: false }
    }

    /// The same reply, with the connection closed after it.
    pub(super) fn closing(self) -> Self {
        Self { closes: true, ..self }
    }

    /// `250 2.0.0`, or with another detail.
    pub(super) fn ok(status: Status, text: &'static str) -> Self {
        Self::new(250, status, text)
    }

    /// A command at the wrong time (RFC 5321 §4.1.4).
    pub(super) fn wrong_time(text: &'static str) -> Self {
        Self::new(503, (5, 5, 1), text)
    }

    /// The client did not wait where it has to (RFC 2920 §3.1). What it sent cannot be told apart
    /// from what it was tricked into sending.
    pub(super) fn out_of_turn() -> Self {
        Self::new(521, (5, 5, 0), "You spoke before it was your turn").closing()
    }

    /// A bare CR, bare LF or NUL among the commands (RFC 5321 §2.3.8).
    pub(super) fn broken_line() -> Self {
        let text = "Lines end with CRLF; a CR or LF alone and NUL are refused";
        Self::new(521, (5, 5, 2), text).closing()
    }

    /// Whether the connection is closed after it.
    pub(super) fn closes(&self) -> bool {
        self.closes
    }

    /// Whether it counts against the client.
    pub(super) fn is_refusal(&self) -> bool {
        self.code >= 500
    }

    /// Its code, for the log.
    pub(super) fn code(&self) -> u16 {
        self.code
    }

    /// Writes it as it goes over the wire.
    pub(super) fn encode(&self, out: &mut Vec<u8>) {
        let mut lines = self.text.split('\n').peekable();
        while let Some(line) = lines.next() {
            let more = if lines.peek().is_some() { '-' } else { ' ' };
            let line = match self.status {
                Some((class, subject, detail)) => {
                    format!("{}{more}{class}.{subject}.{detail} {line}\r\n", self.code)
                }
                None => format!("{}{more}{line}\r\n", self.code),
            };
            out.extend_from_slice(line.as_bytes());
        }
    }
}

impl From<&SyntaxError> for Reply {
    fn from(error: &SyntaxError) -> Self {
        match error {
            SyntaxError::Text => Self::new(500, (5, 5, 2), "A command is printable text"),
            SyntaxError::Verb => Self::new(500, (5, 5, 1), "That is no command"),
            SyntaxError::Arguments(usage) => Self::new(501, (5, 5, 4), format!("Usage: {usage}")),
            // What follows may be commands or content; nobody can say.
            SyntaxError::ChunkSize => {
                Self::new(501, (5, 5, 4), "Usage: BDAT size [LAST]").closing()
            }
            SyntaxError::Sender(_) => Self::new(553, (5, 1, 7), "That is no sender address"),
            SyntaxError::Recipient(_) => {
                Self::new(553, (5, 1, 3), "That is no address that mail goes to from here")
            }
            SyntaxError::NeedsSmtpUtf8 => Self::needs_smtputf8(),
            SyntaxError::Parameter(what) => {
                Self::new(501, (5, 5, 4), format!("Wrong parameter: {what}"))
            }
            SyntaxError::Unsupported(_) => {
                Self::new(555, (5, 5, 4), "A parameter that is not offered here")
            }
        }
    }
}

impl Reply {
    /// RFC 6531 §3.5
    pub(super) fn needs_smtputf8() -> Self {
        Self::new(553, (5, 6, 7), "An address that is not ASCII needs SMTPUTF8")
    }

    /// What the peer is told about `error`. Nothing internal: that is logged, once, where the
    /// error arrives. Our own failure or doubt is temporary (RFC 5321 §4.2.1).
    pub(super) fn error(error: &Error) -> Self {
        match error {
            Error::Rejected(reason) => Self::new(code(*reason), reason.status(), reason.text()),
            Error::Refused(text) => Self::new(550, (5, 7, 1), text.clone()),
            Error::OverQuota => Self::new(452, (4, 2, 2), "The mailbox is full"),
            Error::Denied => Self::new(550, (5, 7, 1), "Not allowed"),
            // RFC 3463 §3.4: the mail system is full.
            Error::Storage(_) => Self::no_room(451),
            Error::Temporary(_) | Error::Internal(_) | Error::NotFound(_) | Error::Exists(_) => {
                Self::later()
            }
        }
    }

    /// Nothing can be kept now: `451` while a message is processed, `452` before it is taken
    /// (RFC 5321 §4.2.3).
    pub(super) fn no_room(code: u16) -> Self {
        Self::new(code, (4, 3, 1), "There is no room for it now, try again later")
    }

    /// Our own failure.
    pub(super) fn later() -> Self {
        Self::new(451, (4, 3, 0), "Something is wrong here, try again later")
    }
}

/// The code that goes with a reason's status (RFC 5321 §4.2.3).
fn code(reason: Reason) -> u16 {
    match reason.status() {
        (4, 2, _) => 450,
        (4, _, _) => 451,
        (_, 1 | 7, _) => 550,
        (_, 3, 4) | (_, 2, 3) => 552,
        _ => 554,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wire(reply: &Reply) -> String {
        let mut out = Vec::new();
        reply.encode(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn writes_one_line_and_many() {
        assert_eq!(wire(&Reply::ok((2, 1, 5), "Ok")), "250 2.1.5 Ok\r\n");
        assert_eq!(wire(&Reply::bare(250, "a\nb\nc")), "250-a\r\n250-b\r\n250 c\r\n");
        assert_eq!(wire(&Reply::new(214, (2, 0, 0), "a\nb")), "214-2.0.0 a\r\n214 2.0.0 b\r\n");
    }

    #[test]
    fn nothing_internal_leaves_the_house() {
        for error in [
            Error::Temporary("password=hunter2".into()),
            Error::Internal("password=hunter2".into()),
            Error::NotFound("hunter2"),
        ] {
            let reply = Reply::error(&error);
            assert_eq!(wire(&reply), "451 4.3.0 Something is wrong here, try again later\r\n");
            assert!(!reply.is_refusal());
        }
    }

    #[test]
    fn storage_is_told_from_other_trouble() {
        let reply = Reply::error(&Error::Storage("s3.internal refused".into()));
        assert_eq!(wire(&reply), "451 4.3.1 There is no room for it now, try again later\r\n");
    }

    #[test]
    fn code_and_status_are_of_one_class() {
        for reason in [
            Reason::UnknownRecipient,
            Reason::RelayDenied,
            Reason::Suspended,
            Reason::MailLoop,
            Reason::SenderNotYours,
            Reason::DomainNotVerified,
            Reason::BadFrom,
            Reason::TooBig,
            Reason::NeverFits,
            Reason::NoReport,
            Reason::BadContent,
        ] {
            assert_eq!(code(reason) / 100, u16::from(reason.status().0), "{reason:?}");
        }
        assert_eq!(code(Reason::RelayDenied), 550);
        assert_eq!(code(Reason::TooBig), 552);
    }
}
