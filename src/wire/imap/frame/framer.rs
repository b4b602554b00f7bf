//! The framer: a small machine over lines and literals.

use super::literal::{Literal, MAX_HEAD, literal_at_end};
use super::{Event, Limits, Refusal};
use crate::wire::imap::command::Tag;

/// Cuts input into commands. Holds no memory between commands.
#[derive(Debug)]
pub struct Framer {
    limits: Limits,
    state: State,
    /// The command so far; while skipping, the end of the line so far.
    buf: Vec<u8>,
    /// Where in `buf` the current line began: behind the last literal.
    line_start: usize,
    /// Bytes of the command that are not literals.
    line_used: usize,
    literals_used: u64,
    literal_count: usize,
    append: Append,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    /// In a line; in a `plain` one no literal is looked for.
    Line { plain: bool },
    /// In a literal that is kept.
    Literal { left: u64 },
    /// Before a message of APPEND that nobody has taken yet.
    Message(Literal),
    /// In a line of a refused command.
    SkipLine,
    /// In a literal of a refused command.
    SkipLiteral { left: u64 },
}

/// What is known of the command as an APPEND.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Append {
    /// No literal has asked yet.
    Unknown,
    /// It is none, or its messages are not streamed.
    No,
    /// It is one, and every literal from here on is a message.
    Head,
    /// It is one, and behind its first message.
    Tail,
}

impl Framer {
    /// A framer at the start of a command.
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            state: State::Line { plain: false },
            buf: Vec::new(),
            line_start: 0,
            line_used: 0,
            literals_used: 0,
            literal_count: 0,
            append: Append::Unknown,
        }
    }

    /// Other limits from the next byte on.
    pub fn set_limits(&mut self, limits: Limits) {
        self.limits = limits;
    }

    /// Takes the next line as it is, whatever it ends in, and delivers it as
    /// [`Event::Complete`]: for the lines inside AUTHENTICATE and IDLE, which have no literals.
    /// To be called between commands.
    pub fn expect_line(&mut self) {
        self.state = State::Line { plain: true };
    }

    /// The message that [`Event::AppendLiteral`] announced has been read from the input; what is
    /// fed next stands behind it.
    pub fn literal_taken(&mut self) {
        if let State::Message(_) = self.state {
            self.state = State::Line { plain: false };
        }
    }

    /// Takes bytes from the front of `input` until something has to be done. What it leaves
    /// there has to be fed again; after [`Event::NeedMore`] nothing is left.
    pub fn feed(&mut self, input: &mut &[u8]) -> Event {
        loop {
            let event = match self.state {
                State::Literal { left: 0 } => {
                    self.line_start = self.buf.len();
                    self.state = State::Line { plain: false };
                    None
                }
                State::SkipLiteral { left: 0 } => {
                    self.state = State::SkipLine;
                    None
                }
                State::Message(literal) => {
                    self.skip(literal);
                    None
                }
                _ if input.is_empty() => return Event::NeedMore,
                State::Literal { left } => {
                    let (taken, left) = take_up_to(input, left);
                    self.buf.extend_from_slice(taken);
                    self.state = State::Literal { left };
                    None
                }
                State::SkipLiteral { left } => {
                    let (_, left) = take_up_to(input, left);
                    self.state = State::SkipLiteral { left };
                    None
                }
                State::Line { plain } => self.line(input, plain),
                State::SkipLine => {
                    self.skip_line(input);
                    None
                }
            };
            if let Some(event) = event {
                return event;
            }
        }
    }

    /// Takes a line as far as it is there.
    fn line(&mut self, input: &mut &[u8], plain: bool) -> Option<Event> {
        let (line, ended) = up_to_line_feed(input);
        let room = self.limits.line.saturating_sub(self.line_used);
        let kept = line.get(..room).unwrap_or(line);
        self.buf.extend_from_slice(kept);
        self.line_used += kept.len();
        *input = input.get(kept.len()..).unwrap_or_default();
        if kept.len() < line.len() {
            return Some(self.refuse_line(Refusal::LineTooLong));
        }
        if !ended {
            return None;
        }
        let line = self.buf.get(self.line_start..).unwrap_or_default();
        if !line.ends_with(b"\r\n") {
            return Some(self.refuse_line(Refusal::BareLineFeed));
        }
        match literal_at_end(line) {
            Some(literal) if !plain => self.literal(literal),
            _ => Some(self.complete()),
        }
    }

    /// A line has ended in a literal's head.
    fn literal(&mut self, literal: Literal) -> Option<Event> {
        let Literal { size, sync } = literal;
        if self.literal_count == self.limits.literal_count {
            return Some(self.refuse_literal(Refusal::TooManyLiterals, literal));
        }
        self.literal_count += 1;
        if self.is_message() {
            self.append = Append::Tail;
            self.state = State::Message(literal);
            self.line_start = 0;
            let head = std::mem::take(&mut self.buf);
            return Some(Event::AppendLiteral { head, size, sync });
        }
        let all = self.literals_used.saturating_add(size);
        if size > self.limits.literal || all > self.limits.literals {
            return Some(self.refuse_literal(Refusal::LiteralTooBig { size, sync }, literal));
        }
        self.literals_used = all;
        self.state = State::Literal { left: size };
        sync.then_some(Event::NeedContinuation { size })
    }

    /// Whether the literal whose head has just been read is a message of APPEND. The first
    /// literal may be the mailbox name, which stands right behind the command's name.
    fn is_message(&mut self) -> bool {
        if self.append == Append::Unknown {
            let arguments = append_arguments(&self.buf).filter(|_| self.limits.stream_append);
            self.append = if arguments.is_some() { Append::Head } else { Append::No };
            return arguments.is_some_and(|arguments| !arguments.starts_with(b"{"));
        }
        self.append != Append::No
    }

    /// The command is all here.
    fn complete(&mut self) -> Event {
        let bytes = std::mem::take(&mut self.buf);
        let tail = self.append == Append::Tail;
        self.reset();
        if tail { Event::AppendTail(bytes) } else { Event::Complete(bytes) }
    }

    /// Refuses the command in the middle of a line, whose rest is skipped.
    fn refuse_line(&mut self, why: Refusal) -> Event {
        let tag = Tag::of_line(&self.buf).filter(|_| self.append != Append::Tail);
        self.buf.drain(..self.line_start);
        self.state = State::SkipLine;
        self.line_start = 0;
        Event::Refused { tag, why }
    }

    /// Refuses the command at the head of a literal.
    fn refuse_literal(&mut self, why: Refusal, literal: Literal) -> Event {
        let tag = Tag::of_line(&self.buf).filter(|_| self.append != Append::Tail);
        self.skip(literal);
        Event::Refused { tag, why }
    }

    /// Gives up the command at the head of a literal. If the client waits to be asked for the
    /// literal, that was the end of the command (RFC 3501 §7.5); if not, the literal comes.
    fn skip(&mut self, literal: Literal) {
        if literal.sync {
            self.reset();
        } else {
            self.buf = Vec::new();
            self.state = State::SkipLiteral { left: literal.size };
        }
    }

    /// Drops a line of a refused command as far as it is there, keeping only enough of its end to
    /// see whether a literal follows.
    fn skip_line(&mut self, input: &mut &[u8]) {
        let (line, ended) = up_to_line_feed(input);
        *input = input.get(line.len()..).unwrap_or_default();
        self.buf.extend_from_slice(line.get(line.len().saturating_sub(MAX_HEAD)..).unwrap_or(line));
        self.buf.drain(..self.buf.len().saturating_sub(MAX_HEAD));
        if !ended || !self.buf.ends_with(b"\r\n") {
            return;
        }
        match literal_at_end(&self.buf) {
            Some(literal) => self.skip(literal),
            None => self.reset(),
        }
    }

    /// To the start of a command.
    fn reset(&mut self) {
        *self = Self::new(self.limits);
    }
}

/// The front of `input` up to and including the first line feed, and whether there is one.
fn up_to_line_feed<'a>(input: &&'a [u8]) -> (&'a [u8], bool) {
    match input.iter().position(|&byte| byte == b'\n') {
        Some(at) => (input.get(..=at).unwrap_or(input), true),
        None => (input, false),
    }
}

/// Takes at most `left` bytes from the front of `input`; those, and how many are still to come.
fn take_up_to<'a>(input: &mut &'a [u8], left: u64) -> (&'a [u8], u64) {
    let len = usize::try_from(left).map_or(input.len(), |left| left.min(input.len()));
    let (taken, rest) = input.split_at_checked(len).unwrap_or((input, &[]));
    *input = rest;
    (taken, left.saturating_sub(len as u64))
}

/// What stands behind `tag SP "APPEND" SP` or `tag SP ["UID" SP] "REPLACE" SP seq-number SP`, if the
/// command begins so.
fn append_arguments(command: &[u8]) -> Option<&[u8]> {
    let (_tag, rest) = word(command)?;
    let (mut name, mut arguments) = word(rest)?;
    if name.eq_ignore_ascii_case(b"APPEND") {
        return Some(arguments);
    }
    if name.eq_ignore_ascii_case(b"UID") {
        (name, arguments) = word(arguments)?;
    }
    let (_number, arguments) = word(arguments)?;
    name.eq_ignore_ascii_case(b"REPLACE").then_some(arguments)
}

/// What stands before the first space, and behind it.
fn word(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut parts = bytes.splitn(2, |&byte| byte == b' ');
    Some((parts.next()?, parts.next()?))
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
