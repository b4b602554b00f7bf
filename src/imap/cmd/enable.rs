//! ENABLE (RFC 5161 §3.1).

use crate::imap::answer::Answer;
use crate::imap::enabled::Enabled;
use crate::wire::imap::response::Writer;

/// Turns on what of `names` can be turned on, and tells what that is.
pub(in crate::imap) fn enable(out: &mut Writer, enabled: &mut Enabled, names: &[String]) -> Answer {
    let on: Vec<_> = names.iter().filter_map(|name| enabled.enable(name)).collect();
    out.enabled(&on);
    out.spell_names(enabled.names());
    Answer::ok("Enabled")
}
