//! The two spellings of mailbox names: modified UTF-7 for who speaks IMAP4rev1 (RFC 3501 §5.1.3),
//! UTF-8 for who has enabled IMAP4rev2 (RFC 9051 §5.1, Appendix A.1).

use super::strings::{encode_astring, encode_quoted_utf8};
use super::utf7;

/// How a connection spells mailbox names, both ways.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum NameForm {
    /// Modified UTF-7.
    #[default]
    Utf7,
    /// UTF-8; an ampersand is an ampersand.
    Utf8,
}

impl NameForm {
    /// The name, or pattern of names, that these bytes spell.
    pub(super) fn decode(self, bytes: &[u8]) -> Option<String> {
        match self {
            Self::Utf7 => utf7::decode(bytes),
            Self::Utf8 => std::str::from_utf8(bytes).ok().map(str::to_owned),
        }
    }

    /// Appends a name, which has no control characters, as `astring`.
    pub(super) fn encode(self, out: &mut Vec<u8>, name: &str) {
        match self {
            Self::Utf7 => encode_astring(out, utf7::encode(name).as_bytes()),
            Self::Utf8 if name.is_ascii() => encode_astring(out, name.as_bytes()),
            Self::Utf8 => encode_quoted_utf8(out, name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_spells_what_it_reads() {
        let spelled = |form: NameForm, name: &str| {
            let mut out = Vec::new();
            form.encode(&mut out, name);
            String::from_utf8(out).unwrap()
        };
        // RFC 3501 §5.1.3 has the name of the mailbox with the Chinese and Japanese levels.
        assert_eq!(
            spelled(NameForm::Utf7, "~peter/mail/台北/日本語"),
            "~peter/mail/&U,BTFw-/&ZeVnLIqe-"
        );
        assert_eq!(
            spelled(NameForm::Utf8, "~peter/mail/台北/日本語"),
            "\"~peter/mail/台北/日本語\""
        );
        assert_eq!(spelled(NameForm::Utf8, "a&b"), "a&b");
        assert_eq!(spelled(NameForm::Utf8, "ü\"\\"), "\"ü\\\"\\\\\"");
        assert_eq!(NameForm::Utf8.decode(b"&Jjo-").unwrap(), "&Jjo-");
        assert_eq!(NameForm::Utf8.decode("☺".as_bytes()).unwrap(), "☺");
        assert_eq!(NameForm::Utf8.decode(b"\xff"), None);
        assert_eq!(NameForm::Utf7.decode(b"&Jjo-").unwrap(), "☺");
    }
}
