//! The verbs that say little: NOOP, RSET, VRFY, EXPN, HELP, QUIT, LHLO.

use super::reply::Reply;
use super::session::Session;

/// RFC 5321 §4.1.1.9
pub(super) fn noop() -> Reply {
    Reply::ok((2, 0, 0), "Ok")
}

/// RFC 5321 §4.1.1.5
pub(super) fn rset(session: &mut Session) -> Reply {
    session.reset();
    Reply::ok((2, 0, 0), "Ok")
}

/// Alike for everybody and everyone: no way to ask who exists (RFC 5321 §3.5.3, §7.3).
pub(super) fn vrfy() -> Reply {
    Reply::new(252, (2, 1, 5), "Send some mail, it will be tried")
}

/// Off (RFC 5321 §7.3).
pub(super) fn expn() -> Reply {
    Reply::new(502, (5, 5, 1), "Lists are not expanded here")
}

/// RFC 5321 §4.1.1.8
pub(super) fn help() -> Reply {
    let verbs = "EHLO HELO MAIL RCPT DATA BDAT RSET NOOP VRFY QUIT STARTTLS AUTH";
    Reply::new(214, (2, 0, 0), format!("RFC 5321 is spoken here:\n{verbs}"))
}

/// RFC 5321 §4.1.1.10
pub(super) fn quit() -> Reply {
    Reply::new(221, (2, 0, 0), "Bye").closing()
}

/// LMTP (RFC 2033) is another protocol.
pub(super) fn lhlo() -> Reply {
    Reply::new(500, (5, 5, 1), "LMTP is not spoken here, say EHLO")
}
