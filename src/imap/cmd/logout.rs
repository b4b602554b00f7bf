//! LOGOUT (RFC 3501 §6.1.3).

use crate::imap::answer::Answer;
use crate::imap::dispatch::Done;
use crate::imap::session::Then;
use crate::wire::imap::response::Writer;

/// Ends the session.
pub(in crate::imap) fn logout(out: &mut Writer) -> Done {
    out.bye(None, "Goodbye");
    Done { answer: Answer::ok("Logged out"), then: Then::LogOut }
}
