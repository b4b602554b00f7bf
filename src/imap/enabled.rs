//! What a session has turned on (RFC 5161): extensions that change what a client hears unasked.

use crate::wire::imap::name_form::NameForm;

/// The extensions that are on. None ever goes off again.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Enabled {
    rev2: bool,
    condstore: bool,
    qresync: bool,
    uid_only: bool,
    utf8: bool,
}

impl Enabled {
    /// Turns on the extension of this name, given in upper case, with what it brings along; its
    /// name on the wire, or `None` where there is nothing of that name to turn on.
    pub(super) fn enable(&mut self, name: &str) -> Option<&'static str> {
        Some(match name {
            "IMAP4REV2" => {
                self.rev2 = true;
                "IMAP4rev2"
            }
            "CONDSTORE" => {
                self.condstore = true;
                "CONDSTORE"
            }
            "QRESYNC" => {
                self.qresync = true;
                // RFC 7162 §3.2.3.
                self.condstore = true;
                "QRESYNC"
            }
            "UIDONLY" => {
                self.uid_only = true;
                "UIDONLY"
            }
            "UTF8=ACCEPT" => {
                self.utf8 = true;
                "UTF8=ACCEPT"
            }
            _ => return None,
        })
    }

    /// The client has used CONDSTORE, which turns it on (RFC 7162 §3.1).
    pub(super) fn use_condstore(&mut self) {
        self.condstore = true;
    }

    /// IMAP4rev2 is spoken (RFC 9051): nothing is `\Recent`, SEARCH answers with ESEARCH.
    pub(super) fn rev2(self) -> bool {
        self.rev2
    }

    /// UTF-8 may stand in quoted strings and in headers (RFC 9755).
    pub(super) fn utf8(self) -> bool {
        self.utf8
    }

    /// How mailbox names are spelled, both ways (RFC 9051 §5.1, RFC 9755 §3).
    pub(super) fn names(self) -> NameForm {
        if self.rev2 || self.utf8 { NameForm::Utf8 } else { NameForm::Utf7 }
    }

    /// Mod-sequences go with flags that are told unasked (RFC 7162 §3.1.4).
    pub(super) fn condstore(self) -> bool {
        self.condstore
    }

    /// A client may say what it knows of a mailbox (RFC 7162 §3.2.5).
    pub(super) fn qresync(self) -> bool {
        self.qresync
    }

    /// Sequence numbers are neither taken nor told (RFC 9586).
    pub(super) fn uid_only(self) -> bool {
        self.uid_only
    }

    /// VANISHED takes the place of EXPUNGE (RFC 7162 §3.2.10, RFC 9586 §3.4).
    pub(super) fn vanished(self) -> bool {
        self.qresync || self.uid_only
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_known_goes_on_with_what_it_brings() {
        let mut enabled = Enabled::default();
        assert_eq!(enabled.enable("X-GOOD-IDEA"), None);
        assert_eq!(enabled, Enabled::default());
        assert_eq!(enabled.enable("QRESYNC"), Some("QRESYNC"));
        assert!(enabled.qresync() && enabled.condstore() && !enabled.rev2());
        assert_eq!(enabled.enable("IMAP4REV2"), Some("IMAP4rev2"));
        assert!(enabled.rev2());
    }

    #[test]
    fn utf8_spells_names() {
        let mut enabled = Enabled::default();
        assert_eq!(enabled.names(), NameForm::Utf7);
        assert_eq!(enabled.enable("UTF8=ACCEPT"), Some("UTF8=ACCEPT"));
        assert!(enabled.utf8() && !enabled.rev2() && enabled.names() == NameForm::Utf8);
    }
}
