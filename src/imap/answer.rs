//! How a command ended: the text behind its tag.

use std::borrow::Cow;

use crate::wire::imap::command::Tag;
use crate::wire::imap::numbers::NumberSet;
use crate::wire::imap::response::{Code, State, Writer};

/// What completes a command. Written last, behind everything that the command and other sessions
/// have brought.
#[derive(Debug)]
pub(super) struct Answer {
    state: State,
    code: Detail,
    text: Cow<'static, str>,
}

/// A response code that owns what it tells.
#[derive(Debug)]
enum Detail {
    None,
    Code(Code<'static>),
    BadUrl(String),
    Capability(Vec<String>),
    AppendUid { uid_validity: u32, uids: NumberSet },
    CopyUid { uid_validity: u32, from: NumberSet, to: NumberSet },
    Modified(NumberSet),
}

impl Answer {
    /// It worked.
    pub(super) fn ok(text: &'static str) -> Self {
        Self { state: State::Ok, code: Detail::None, text: text.into() }
    }

    /// It failed, for this reason.
    pub(super) fn no(code: Code<'static>, text: &'static str) -> Self {
        Self { state: State::No, code: Detail::Code(code), text: text.into() }
    }

    /// It was no command, or not one for now.
    pub(super) fn bad(text: impl Into<Cow<'static, str>>) -> Self {
        Self { state: State::Bad, code: Detail::None, text: text.into() }
    }

    /// A sequence number that no message has.
    pub(super) fn no_such_number() -> Self {
        Self::bad("There is no message with that sequence number")
    }

    /// A sequence number where none are used any more (RFC 9586 §3.2).
    pub(super) fn uid_required() -> Self {
        Self::bad("Messages have no other numbers than UIDs now").with(Code::UidRequired)
    }

    /// Not in a mailbox that was opened with EXAMINE.
    pub(super) fn read_only() -> Self {
        Self::no(Code::ReadOnly, "The mailbox is open for reading only")
    }

    /// Not without more rights on the mailbox (RFC 4314 §4).
    pub(super) fn no_rights() -> Self {
        Self::no(Code::NoPerm, "Whoever shares this mailbox does not allow that")
    }

    /// Nothing that could be had is at this URL (RFC 4469 §5).
    pub(super) fn bad_url(url: &str) -> Self {
        let code = Detail::BadUrl(url.to_owned());
        Self { state: State::No, code, text: "Nothing can be had from that URL".into() }
    }

    /// With this code, if there is one.
    pub(super) fn with_any(self, code: Option<Code<'static>>) -> Self {
        match code {
            Some(code) => self.with(code),
            None => self,
        }
    }

    /// With this code.
    pub(super) fn with(mut self, code: Code<'static>) -> Self {
        self.code = Detail::Code(code);
        self
    }

    /// With what the server can do.
    pub(super) fn with_capabilities(mut self, names: &[&str]) -> Self {
        self.code = Detail::Capability(names.iter().copied().map(str::to_owned).collect());
        self
    }

    /// With the UIDs that messages got, ascending as they came.
    pub(super) fn with_appended(mut self, uid_validity: u32, uids: NumberSet) -> Self {
        self.code = Detail::AppendUid { uid_validity, uids };
        self
    }

    /// With the UIDs of messages and of their copies.
    pub(super) fn with_copies(mut self, uid_validity: u32, from: NumberSet, to: NumberSet) -> Self {
        self.code = Detail::CopyUid { uid_validity, from, to };
        self
    }

    /// With the messages that a conditional STORE left as they were.
    pub(super) fn with_modified(mut self, left: NumberSet) -> Self {
        self.code = Detail::Modified(left);
        self
    }

    /// Whether it worked.
    pub(super) fn is_ok(&self) -> bool {
        self.state == State::Ok
    }

    /// Whether the client is at fault.
    pub(super) fn is_bad(&self) -> bool {
        self.state == State::Bad
    }

    /// Writes it behind `tag`, or untagged where no tag could be read.
    pub(super) fn write(&self, out: &mut Writer, tag: Option<&Tag>) {
        let names: Vec<&str>;
        let code = match &self.code {
            Detail::None => None,
            Detail::Code(code) => Some(*code),
            Detail::Capability(owned) => {
                names = owned.iter().map(String::as_str).collect();
                Some(Code::Capability(&names))
            }
            Detail::BadUrl(url) => Some(Code::BadUrl(url)),
            Detail::AppendUid { uid_validity, uids } => {
                Some(Code::AppendUid { uid_validity: *uid_validity, uids })
            }
            Detail::CopyUid { uid_validity, from, to } => {
                Some(Code::CopyUid { uid_validity: *uid_validity, from, to })
            }
            Detail::Modified(left) => Some(Code::Modified(left)),
        };
        match tag {
            Some(tag) => out.tagged(tag, self.state, code, &self.text),
            None => out.untagged(self.state, code, &self.text),
        }
    }
}
