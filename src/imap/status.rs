//! The one translation of errors to NO and BAD with their response codes (RFC 3501 §7.1, RFC 5530).

use super::answer::Answer;
use crate::mail::{Error, Reason};
use crate::wire::imap::error::{ParseError, What};
use crate::wire::imap::frame::Refusal;
use crate::wire::imap::response::Code;

impl From<Error> for Answer {
    /// What a client is told. What it is not told is logged here.
    fn from(error: Error) -> Self {
        match error {
            Error::Rejected(reason) => Self::no(code_of(reason), reason.text()),
            Error::Refused(_) => Self::no(Code::Cannot, "A rule refuses it"),
            Error::Temporary(cause) | Error::Storage(cause) => {
                tracing::warn!(%cause, "not available");
                Self::no(Code::Unavailable, "That does not work now, try again later")
            }
            Error::NotFound(_) => Self::no(Code::NonExistent, "There is no such mailbox"),
            Error::Exists(_) => Self::no(Code::AlreadyExists, "There is such a mailbox already"),
            Error::Denied => denied(),
            Error::OverQuota => Self::no(Code::OverQuota, "The mailbox is full"),
            Error::Internal(cause) => {
                tracing::error!(%cause, "internal error");
                Self::no(Code::ServerBug, "The server made a mistake; it has been noted")
            }
        }
    }
}

/// A login that failed: every denial is answered alike.
pub(super) fn login_failed(error: Error) -> Answer {
    if matches!(error, Error::Denied) {
        tracing::info!("login denied");
    }
    error.into()
}

/// Alike for every reason not to let somebody in.
fn denied() -> Answer {
    Answer::no(Code::AuthenticationFailed, "Wrong user name or password")
}

/// `error`, where a mailbox that is not there is a target that could be made (RFC 3501 §6.3.11,
/// §6.4.7).
pub(super) fn of_target(error: Error) -> Answer {
    match error {
        Error::NotFound(_) => {
            Answer::no(Code::TryCreate, "There is no such mailbox; make it first")
        }
        other => other.into(),
    }
}

fn code_of(reason: Reason) -> Code<'static> {
    match reason {
        Reason::TooBig => Code::TooBig,
        Reason::SpecialUse => Code::UseAttr,
        Reason::UnknownEncoding => Code::UnknownCte,
        Reason::MessageGone => Code::ExpungeIssued,
        Reason::NoRights => Code::NoPerm,
        Reason::TooManyAnnotations => Code::TooMany,
        Reason::Suspended => Code::Unavailable,
        _ => Code::Cannot,
    }
}

/// A command that does not parse.
pub(super) fn syntax(error: &ParseError) -> Answer {
    match error.what {
        What::MailboxName => Answer::no(Code::Cannot, "No mailbox can have that name"),
        What::SpecialUse => Answer::no(Code::UseAttr, "No mailbox can have that use"),
        What::Charset => Answer::no(Code::BadCharset, "Only US-ASCII and UTF-8 are searched"),
        What::Expected(_) | What::UnknownCommand | What::Limit(_) => Answer::bad(error.to_string()),
    }
}

/// A command that was not read.
pub(super) fn refused(why: Refusal) -> Answer {
    Answer::bad(why.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::imap::response::Writer;

    #[test]
    fn nothing_internal_is_told() {
        for error in [
            Error::Temporary("secret".into()),
            Error::Storage("secret".into()),
            Error::Internal("secret".into()),
        ] {
            let mut out = Writer::new();
            Answer::from(error).write(&mut out, None);
            let text = String::from_utf8(std::mem::take(out.buffer())).unwrap();
            assert!(text.starts_with("* NO [") && !text.contains("secret"), "{text}");
        }
    }
}
