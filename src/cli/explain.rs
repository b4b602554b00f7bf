//! What went wrong, in the words of whoever typed the command.

use koltrix_mail::mail::Error;

/// One sentence about `subject`, which is what was typed: a slug, an address, an id.
pub(crate) fn explain(subject: &str, error: Error) -> anyhow::Error {
    match error {
        Error::Rejected(reason) => anyhow::anyhow!("{subject}: {}", reason.text()),
        Error::NotFound(what) => anyhow::anyhow!("there is no {what} {subject}{}", hint(what)),
        Error::Exists(what) => anyhow::anyhow!("the {what} {subject} exists already"),
        Error::Temporary(text) => {
            anyhow::anyhow!("the database does not answer ({text}): try again when it does")
        }
        other @ (Error::Refused(_)
        | Error::Denied
        | Error::OverQuota
        | Error::Storage(_)
        | Error::Internal(_)) => {
            anyhow::anyhow!("{subject}: {other}")
        }
    }
}

/// Where to look for the right name.
fn hint(what: &str) -> &'static str {
    match what {
        "organisation" => ": `koltrix-mail tenant list` shows what there is",
        "mailbox" => ": `koltrix-mail mailbox list` shows what there is",
        "app password" => ": `koltrix-mail mailbox app-password list` shows what there is",
        _ => "",
    }
}
