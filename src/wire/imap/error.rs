//! What can be wrong with a command, and where.

use super::command::Tag;

/// What was wrong with the bytes of a command.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum What {
    /// The grammar wants something else here.
    #[error("expected {0}")]
    Expected(&'static str),
    /// No command has this name.
    #[error("unknown command")]
    UnknownCommand,
    /// Well-formed, but past a bound that protects the server.
    #[error("too many or too deeply nested {0}")]
    Limit(&'static str),
    /// A mailbox name that no mailbox can have; answered with `NO`, not `BAD` (RFC 9051 §5.1).
    #[error("not a valid mailbox name")]
    MailboxName,
    /// A special use that no mailbox here can have; `NO [USEATTR]` (RFC 6154 §3).
    #[error("unsupported special use")]
    SpecialUse,
    /// A SEARCH charset other than US-ASCII and UTF-8; `NO [BADCHARSET]` (RFC 3501 §6.4.4).
    #[error("unsupported charset")]
    Charset,
}

/// A piece of a command that does not parse.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{what} at byte {offset}")]
pub struct SyntaxError {
    /// What was wrong.
    pub what: What,
    /// Where, in bytes from the start of what was parsed.
    pub offset: usize,
}

/// A command that does not parse, with its tag if at least that could be read.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{what} at byte {offset}")]
pub struct ParseError {
    /// The tag to answer with; `None` calls for an untagged `BAD` (RFC 3501 §7.1.3).
    pub tag: Option<Tag>,
    /// What was wrong.
    pub what: What,
    /// Where, in bytes from the start of the command.
    pub offset: usize,
}

impl ParseError {
    pub(super) fn new(tag: Option<Tag>, error: SyntaxError) -> Self {
        Self { tag, what: error.what, offset: error.offset }
    }
}
