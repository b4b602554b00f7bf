//! What may be used of a resource: QUOTA and QUOTAROOT (RFC 9208 §4.2).

use super::Writer;
use crate::wire::imap::mailbox::MailboxName;
use crate::wire::imap::strings::encode_astring;

/// A resource with a limit.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Resource {
    /// `STORAGE`, in units of 1024 octets, or `MESSAGE` (RFC 9208 §5).
    pub name: &'static str,
    /// What is used of it.
    pub used: u64,
    /// What may be.
    pub limit: u64,
}

impl Writer {
    /// ```abnf
    /// quota-response = "QUOTA" SP quota-root-name SP quota-list
    /// quota-list     = "(" quota-resource *(SP quota-resource) ")"
    /// quota-resource = resource-name SP resource-usage SP resource-limit
    /// ```
    pub fn quota(&mut self, root: &str, resources: &[Resource]) {
        self.put("* QUOTA ");
        encode_astring(&mut self.out, root.as_bytes());
        let resources: Vec<_> = resources
            .iter()
            .map(|Resource { name, used, limit }| format!("{name} {used} {limit}"))
            .collect();
        self.put(&format!(" ({})", resources.join(" ")));
        self.end();
    }

    /// ```abnf
    /// quotaroot-response = "QUOTAROOT" SP mailbox *(SP quota-root-name)
    /// ```
    pub fn quota_root(&mut self, mailbox: &MailboxName, root: Option<&str>) {
        self.put("* QUOTAROOT ");
        self.mailbox(mailbox);
        if let Some(root) = root {
            self.put(" ");
            encode_astring(&mut self.out, root.as_bytes());
        }
        self.end();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::imap::response::tests::written;

    #[test]
    fn the_examples_of_rfc_9208_section_4_2() {
        let storage = Resource { name: "STORAGE", used: 10, limit: 512 };
        let message = Resource { name: "MESSAGE", used: 20, limit: 100 };
        assert_eq!(written(|w| w.quota("", &[storage])), "* QUOTA \"\" (STORAGE 10 512)\r\n");
        assert_eq!(
            written(|w| w.quota("#user/alice", &[storage, message])),
            "* QUOTA #user/alice (STORAGE 10 512 MESSAGE 20 100)\r\n"
        );
        let inbox = MailboxName::inbox();
        assert_eq!(written(|w| w.quota_root(&inbox, Some(""))), "* QUOTAROOT INBOX \"\"\r\n");
        let news = MailboxName::new("comp.mail.mime").unwrap();
        assert_eq!(written(|w| w.quota_root(&news, None)), "* QUOTAROOT comp.mail.mime\r\n");
    }
}
