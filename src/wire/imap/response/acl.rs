//! ACL, LISTRIGHTS and MYRIGHTS (RFC 4314 §3.6 to §3.8).

use super::Writer;
use crate::domain::rights::Rights;
use crate::wire::imap::mailbox::MailboxName;
use crate::wire::imap::strings::encode_astring;

impl Writer {
    /// ```abnf
    /// acl-data = "ACL" SP mailbox *(SP identifier SP rights)
    /// ```
    pub fn acl(&mut self, mailbox: &MailboxName, entries: &[(String, Rights)]) {
        self.put("* ACL ");
        mailbox.encode(&mut self.out, self.names);
        for (identifier, rights) in entries {
            self.put(" ");
            encode_astring(&mut self.out, identifier.as_bytes());
            self.put(" ");
            self.rights(*rights);
        }
        self.end();
    }

    /// `required` are the rights that nobody can take from the identifier; each of `optional` can
    /// be given alone.
    ///
    /// ```abnf
    /// listrights-data = "LISTRIGHTS" SP mailbox SP identifier SP rights *(SP rights)
    /// ```
    pub fn list_rights(
        &mut self,
        mailbox: &MailboxName,
        identifier: &str,
        required: Rights,
        optional: Rights,
    ) {
        self.put("* LISTRIGHTS ");
        mailbox.encode(&mut self.out, self.names);
        self.put(" ");
        encode_astring(&mut self.out, identifier.as_bytes());
        self.put(" ");
        self.rights(required);
        for right in optional.letters().chars() {
            self.put(&format!(" {right}"));
        }
        self.end();
    }

    /// ```abnf
    /// myrights-data = "MYRIGHTS" SP mailbox SP rights
    /// ```
    pub fn my_rights(&mut self, mailbox: &MailboxName, rights: Rights) {
        self.put("* MYRIGHTS ");
        mailbox.encode(&mut self.out, self.names);
        self.put(" ");
        self.rights(rights);
        self.end();
    }

    /// `rights = astring`
    fn rights(&mut self, rights: Rights) {
        encode_astring(&mut self.out, rights.to_string().as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::imap::response::tests::written;

    #[test]
    fn the_examples_of_rfc_4314_section_3() {
        let rights = |letters| Rights::from_letters(letters).unwrap();
        let inbox = MailboxName::inbox();
        let entries = [("Fred".to_owned(), rights("rwiptsldea")), ("a b".to_owned(), rights("l"))];
        assert_eq!(
            written(|w| w.acl(&inbox, &entries)),
            "* ACL INBOX Fred lrswipxtead \"a b\" l\r\n"
        );
        let saved = MailboxName::new("~/Mail/saved").unwrap();
        assert_eq!(
            written(|w| w.list_rights(&saved, "smith", rights("la"), rights("rsw"))),
            "* LISTRIGHTS ~/Mail/saved smith la r s w\r\n"
        );
        assert_eq!(
            written(|w| w.list_rights(&saved, "x", Rights::NONE, rights("l"))),
            "* LISTRIGHTS ~/Mail/saved x \"\" l\r\n"
        );
        assert_eq!(
            written(|w| w.my_rights(&inbox, rights("rwiptsldaex"))),
            "* MYRIGHTS INBOX lrswipxtead\r\n"
        );
    }
}
