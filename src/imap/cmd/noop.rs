//! NOOP and CHECK (RFC 3501 §6.1.2, §6.4.1): what is news is told behind every command.

use crate::imap::answer::Answer;

/// Does nothing. Everything is durable when its command is answered, so CHECK has nothing to do
/// either.
pub(in crate::imap) fn noop() -> Answer {
    Answer::ok("Done")
}
