//! ID (RFC 2971).

use crate::imap::answer::Answer;
use crate::wire::imap::command::IdParameter;
use crate::wire::imap::response::Writer;

/// Tells who we are, and notes who the client says it is.
pub(in crate::imap) fn id(out: &mut Writer, told: &[IdParameter]) -> Answer {
    let value = |field: &str| {
        let found = told.iter().find(|one| one.field.eq_ignore_ascii_case(field))?;
        found.value.as_deref()
    };
    tracing::debug!(name = ?value("name"), version = ?value("version"), "client");
    out.id(&[("name", "koltrix-mail")]);
    Answer::ok("Pleased to meet you")
}
