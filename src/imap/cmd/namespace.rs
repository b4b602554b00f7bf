//! NAMESPACE (RFC 2342).

use crate::imap::answer::Answer;
use crate::wire::imap::response::Writer;

/// Tells where whose mailboxes are.
pub(in crate::imap) fn namespace(out: &mut Writer) -> Answer {
    out.namespace();
    Answer::ok("That is all")
}
