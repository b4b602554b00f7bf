//! Status responses: OK, NO, BAD, BYE, PREAUTH (RFC 3501 §7.1).

use super::{Code, Writer};
use crate::wire::imap::command::Tag;

/// How something went.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum State {
    /// It worked.
    Ok,
    /// It failed.
    No,
    /// It was no command, or not one for now.
    Bad,
}

impl State {
    fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "OK",
            Self::No => "NO",
            Self::Bad => "BAD",
        }
    }
}

impl Writer {
    /// The answer that completes a command.
    ///
    /// ```abnf
    /// response-tagged = tag SP resp-cond-state CRLF
    /// resp-cond-state = ("OK" / "NO" / "BAD") SP resp-text
    /// ```
    pub fn tagged(&mut self, tag: &Tag, state: State, code: Option<Code<'_>>, text: &str) {
        self.put(tag.as_str());
        self.put(" ");
        self.condition(state.as_str(), code, text);
    }

    /// A status on its own: the greeting, a warning, an answer to a line without a tag.
    ///
    /// ```abnf
    /// "*" SP resp-cond-state CRLF
    /// ```
    pub fn untagged(&mut self, state: State, code: Option<Code<'_>>, text: &str) {
        self.put("* ");
        self.condition(state.as_str(), code, text);
    }

    /// The connection is about to be closed.
    ///
    /// ```abnf
    /// resp-cond-bye = "BYE" SP resp-text
    /// ```
    pub fn bye(&mut self, code: Option<Code<'_>>, text: &str) {
        self.put("* ");
        self.condition("BYE", code, text);
    }

    /// A greeting to a client that needs no login.
    ///
    /// ```abnf
    /// resp-cond-auth = ("OK" / "PREAUTH") SP resp-text
    /// ```
    pub fn preauth(&mut self, code: Option<Code<'_>>, text: &str) {
        self.put("* ");
        self.condition("PREAUTH", code, text);
    }

    /// ```abnf
    /// resp-text = ["[" resp-text-code "]" SP] text
    /// text      = 1*TEXT-CHAR
    /// ```
    ///
    /// A text may not be empty, nor look like a code where there is none.
    fn condition(&mut self, condition: &str, code: Option<Code<'_>>, text: &str) {
        self.put(condition);
        self.put(" ");
        match code {
            Some(code) => code.encode(&mut self.out),
            None if text.starts_with('[') => self.put("- "),
            None => {}
        }
        self.text(if text.is_empty() { "-" } else { text });
        self.end();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::imap::response::tests::written;

    #[test]
    fn the_examples_of_rfc_3501_section_7_1() {
        let tag = Tag::of_line(b"A223 COPY").unwrap();
        assert_eq!(
            written(|w| w.tagged(&tag, State::No, None, "COPY failed: disk is full")),
            "A223 NO COPY failed: disk is full\r\n"
        );
        assert_eq!(
            written(|w| w.untagged(State::Ok, None, "IMAP4rev1 server ready")),
            "* OK IMAP4rev1 server ready\r\n"
        );
        assert_eq!(
            written(|w| w.untagged(State::Ok, Some(Code::Alert), "System shutdown in 10 minutes")),
            "* OK [ALERT] System shutdown in 10 minutes\r\n"
        );
        assert_eq!(
            written(|w| w.bye(None, "Autologout; idle for too long")),
            "* BYE Autologout; idle for too long\r\n"
        );
        assert_eq!(
            written(|w| w.preauth(None, "logged in as Smith")),
            "* PREAUTH logged in as Smith\r\n"
        );
    }

    #[test]
    fn texts_stay_texts() {
        assert_eq!(written(|w| w.untagged(State::Bad, None, "")), "* BAD -\r\n");
        assert_eq!(written(|w| w.untagged(State::Ok, None, "[ALERT] x")), "* OK - [ALERT] x\r\n");
        assert_eq!(
            written(|w| w.untagged(State::No, Some(Code::Cannot), "a\r\nb OK")),
            "* NO [CANNOT] a??b OK\r\n"
        );
    }
}
