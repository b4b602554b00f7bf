//! ENABLE (RFC 5161).

use crate::imap::answer::Answer;
use crate::wire::imap::response::Writer;

/// Turns on what was asked for and exists: no extension here has to be turned on.
pub(in crate::imap) fn enable(out: &mut Writer) -> Answer {
    out.enabled(&[]);
    Answer::ok("Enabled")
}
