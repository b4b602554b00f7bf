//! Framing: finds where a command ends before anybody asks what it means.
//!
//! A command is a line, and every `{n}` at a line's end is followed by `n` bytes and more of the
//! line (RFC 3501 §4.3); `{n+}` does not wait to be asked (RFC 7888). The framer takes bytes as
//! they come, keeps what belongs to the command in hand, and never more than its limits allow.
//! A command that breaks a limit is consumed to its end all the same, without being kept, so that
//! its rest is never taken for commands.

mod framer;
mod literal;

pub use framer::Framer;

use super::command::Tag;

/// Bounds of one command, in bytes unless said otherwise.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// All of the command that is not literals, line ends included.
    pub line: usize,
    /// One literal; does not bind messages of APPEND that are streamed.
    pub literal: u64,
    /// All literals together, streamed messages left out.
    pub literals: u64,
    /// How many literals, streamed messages included.
    pub literal_count: usize,
    /// Whether messages of APPEND are streamed. If not, they are literals like others.
    pub stream_append: bool,
}

impl Limits {
    /// For a client that has not logged in: at most 24 KiB are kept.
    pub const BEFORE_LOGIN: Self = Self {
        line: 8 << 10,
        literal: 1 << 10,
        literals: 16 << 10,
        literal_count: 16,
        stream_append: false,
    };

    /// For a client that has logged in (CVE-2024-34055, RFC 7888 §5).
    pub const AFTER_LOGIN: Self = Self {
        line: 64 << 10,
        literal: 100 << 10,
        literals: 1 << 20,
        literal_count: 1000,
        stream_append: true,
    };
}

/// What [`Framer::feed`] came to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Event {
    /// All input is used up; the command in hand goes on.
    NeedMore,
    /// The client waits to be asked for a literal of `size` bytes: send a continuation request.
    NeedContinuation {
        /// The literal's size in bytes.
        size: u64,
    },
    /// A whole command, for [`parse_command`](super::command::parse_command).
    Complete(Vec<u8>),
    /// A message of APPEND follows. Whoever wants it reads `size` bytes from the same input and
    /// calls [`Framer::literal_taken`]; if the next call is [`Framer::feed`], the message is
    /// refused and skipped with the rest of its command.
    AppendLiteral {
        /// The command so far, the literal's head included; behind an earlier message, only what
        /// came since.
        head: Vec<u8>,
        /// The message's size in bytes, unchecked.
        size: u64,
        /// Whether the client waits for a continuation request before it sends the message.
        sync: bool,
    },
    /// What stands behind the last message of APPEND, line end included.
    AppendTail(Vec<u8>),
    /// The command breaks a bound and is not kept: answer it with `BAD`. Feeding goes on behind
    /// its end.
    Refused {
        /// The command's tag, if it has been seen; behind a message of APPEND, the head had it.
        tag: Option<Tag>,
        /// Why.
        why: Refusal,
    },
}

/// Why a command is not kept.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Refusal {
    /// Past [`Limits::line`].
    #[error("command line too long")]
    LineTooLong,
    /// Past [`Limits::literal`] or [`Limits::literals`].
    #[error("literal too big")]
    LiteralTooBig {
        /// Its size in bytes.
        size: u64,
        /// Whether the client sends it without being asked: closing the connection may then be
        /// cheaper than skipping it (RFC 7888 §4).
        sync: bool,
    },
    /// Past [`Limits::literal_count`].
    #[error("too many literals")]
    TooManyLiterals,
    /// A line feed without a carriage return: commands end in CRLF (RFC 3501 §2.2).
    #[error("bare line feed")]
    BareLineFeed,
}
