//! STARTTLS (RFC 3501 §6.2.1).

use crate::imap::answer::Answer;
use crate::imap::channel::Channel;
use crate::imap::dispatch::Done;
use crate::imap::session::Then;

/// Says that TLS may begin, or why not.
pub(in crate::imap) fn starttls(channel: &Channel) -> Done {
    if channel.is_tls() {
        return Answer::bad("TLS is on already").into();
    }
    Done { answer: Answer::ok("Begin TLS now"), then: Then::StartTls }
}
