//! COMPRESS (RFC 4978 §3).

use crate::imap::answer::Answer;
use crate::imap::channel::Channel;
use crate::imap::dispatch::Done;
use crate::imap::session::Then;
use crate::wire::imap::command::Algorithm;
use crate::wire::imap::response::Code;

/// Says that compression may begin, behind the answer, or why not.
pub(in crate::imap) fn compress(channel: &Channel, algorithm: Algorithm) -> Done {
    if channel.is_compressed() {
        return Answer::no(Code::CompressionActive, "That is compressed already").into();
    }
    match algorithm {
        Algorithm::Deflate => Done { answer: Answer::ok("Deflate now"), then: Then::Compress },
        Algorithm::Unknown => Answer::no(Code::Cannot, "There is DEFLATE only").into(),
    }
}
