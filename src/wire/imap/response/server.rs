//! What the server says of itself: CAPABILITY, ENABLED, ID, NAMESPACE.

use super::Writer;
use crate::wire::imap::mailbox::DELIMITER;
use crate::wire::imap::shared_name;
use crate::wire::imap::strings::encode_string;

impl Writer {
    /// ```abnf
    /// capability-data = "CAPABILITY" *(SP capability)
    /// ```
    pub fn capability(&mut self, names: &[&str]) {
        self.put("* CAPABILITY");
        self.names(names);
        self.end();
    }

    /// ```abnf
    /// enable-data = "ENABLED" *(SP capability)    ; RFC 5161
    /// ```
    pub fn enabled(&mut self, names: &[&str]) {
        self.put("* ENABLED");
        self.names(names);
        self.end();
    }

    /// ```abnf
    /// id-response    = "ID" SP id-params-list    ; RFC 2971
    /// id-params-list = "(" [string SP nstring *(SP string SP nstring)] ")" / nil
    /// ```
    pub fn id(&mut self, parameters: &[(&str, &str)]) {
        self.put("* ID ");
        for (i, (field, value)) in parameters.iter().enumerate() {
            self.put(if i == 0 { "(" } else { " " });
            encode_string(&mut self.out, field.as_bytes());
            self.put(" ");
            encode_string(&mut self.out, value.as_bytes());
        }
        self.put(if parameters.is_empty() { "NIL" } else { ")" });
        self.end();
    }

    /// The user's own mailboxes, below the root, and those of others.
    ///
    /// ```abnf
    /// namespace-response = "NAMESPACE" SP namespace SP namespace SP namespace    ; RFC 2342
    /// namespace          = nil / "(" 1*("(" string SP (DQUOTE QUOTED-CHAR DQUOTE / nil) ")") ")"
    /// ```
    pub fn namespace(&mut self) {
        let (own, others) = ("", shared_name::PREFIX);
        self.put(&format!(
            "* NAMESPACE ((\"{own}\" \"{DELIMITER}\")) ((\"{others}\" \"{DELIMITER}\")) NIL"
        ));
        self.end();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::imap::response::tests::written;

    #[test]
    fn the_server_about_itself() {
        assert_eq!(
            written(|w| w.capability(&["IMAP4rev1", "STARTTLS"])),
            "* CAPABILITY IMAP4rev1 STARTTLS\r\n"
        );
        assert_eq!(written(|w| w.enabled(&[])), "* ENABLED\r\n");
        assert_eq!(written(|w| w.id(&[])), "* ID NIL\r\n");
        assert_eq!(
            written(|w| w.id(&[("name", "Cyrus"), ("version", "1.5")])),
            "* ID (\"name\" \"Cyrus\" \"version\" \"1.5\")\r\n"
        );
        assert_eq!(
            written(Writer::namespace),
            "* NAMESPACE ((\"\" \"/\")) ((\"shared/\" \"/\")) NIL\r\n"
        );
    }
}
