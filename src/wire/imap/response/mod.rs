//! Answers: values to bytes (RFC 3501 §7). One file per family of responses.

mod acl;
mod code;
mod fetch;
mod mailbox;
mod message;
mod metadata;
mod quota;
mod search;
mod server;
mod state;
mod thread;

pub use code::Code;
pub use fetch::FetchWriter;
pub use mailbox::{ChildInfo, ListAttribute, ListLine, StatusValue};
pub use metadata::MetadataWriter;
pub use quota::Resource;
pub use search::{Esearch, Numbers};
pub use state::State;

use super::mailbox::MailboxName;
use super::name_form::NameForm;
use super::strings::encode_number;

/// Collects answers, each a whole line or more, until the session sends them.
///
/// Whatever values are written, no answer ends early and none runs into the next: strings go
/// through [`strings`](super::strings), and texts lose what is not printable ASCII.
#[derive(Debug, Default)]
pub struct Writer {
    out: Vec<u8>,
    names: NameForm,
}

impl Writer {
    /// An empty writer.
    pub fn new() -> Self {
        Self::default()
    }

    /// From now on mailbox names are spelled so.
    pub fn spell_names(&mut self, names: NameForm) {
        self.names = names;
    }

    /// What has been written and not yet sent. Send it, then `clear` it: the memory is used again.
    pub fn buffer(&mut self) -> &mut Vec<u8> {
        &mut self.out
    }

    /// ```abnf
    /// continue-req = "+" SP (resp-text / base64) CRLF
    /// ```
    ///
    /// With `text` as it is for a SASL challenge, already in base64.
    pub fn continuation(&mut self, text: &str) {
        self.put("+ ");
        self.text(text);
        self.end();
    }

    fn put(&mut self, text: &str) {
        self.out.extend_from_slice(text.as_bytes());
    }

    fn mailbox(&mut self, name: &MailboxName) {
        name.encode(&mut self.out, self.names);
    }

    fn number(&mut self, number: impl Into<u64>) {
        encode_number(&mut self.out, number.into());
    }

    /// `* number response`
    fn numbered(&mut self, number: u32, response: &str) {
        self.put("* ");
        self.number(number);
        self.put(response);
    }

    /// `text` with everything that is not printable ASCII replaced.
    fn text(&mut self, text: &str) {
        self.out.extend(text.chars().map(|c| if matches!(c, ' '..='~') { c as u8 } else { b'?' }));
    }

    /// `names` with a space before each.
    fn names(&mut self, names: &[&str]) {
        for name in names {
            self.put(" ");
            self.text(name);
        }
    }

    fn end(&mut self) {
        self.put("\r\n");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What `write` writes, as text.
    pub(super) fn written(write: impl FnOnce(&mut Writer)) -> String {
        let mut writer = Writer::new();
        write(&mut writer);
        String::from_utf8(std::mem::take(writer.buffer())).unwrap()
    }

    #[test]
    fn continuation_requests() {
        assert_eq!(
            written(|w| w.continuation("Ready for additional command text")),
            "+ Ready for additional command text\r\n"
        );
        assert_eq!(written(|w| w.continuation("")), "+ \r\n");
        assert_eq!(written(|w| w.continuation("a\r\n* BYE\0é")), "+ a??* BYE??\r\n");
    }
}
