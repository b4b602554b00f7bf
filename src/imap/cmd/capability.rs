//! CAPABILITY (RFC 3501 §6.1.1).

use crate::imap::answer::Answer;
use crate::wire::imap::response::Writer;

/// Tells what the server can do here and now.
pub(in crate::imap) fn capability(out: &mut Writer, names: &[&str]) -> Answer {
    out.capability(names);
    Answer::ok("That is all")
}
