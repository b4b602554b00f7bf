//! METADATA: annotations and their values (RFC 5464 §4.4).

use super::Writer;
use crate::wire::imap::annotation::EntryName;
use crate::wire::imap::mailbox::MailboxName;
use crate::wire::imap::strings::{encode_literal_header, encode_nstring};

impl Writer {
    /// Begins the values of a mailbox's annotations, or of the server's. End them with
    /// [`MetadataWriter::end`]; without a value nothing is written.
    ///
    /// ```abnf
    /// metadata-resp = "METADATA" SP mailbox SP entry-values
    /// entry-values  = "(" entry-value *(SP entry-value) ")"
    /// ```
    pub fn metadata<'a>(&'a mut self, mailbox: Option<&'a MailboxName>) -> MetadataWriter<'a> {
        MetadataWriter { writer: self, mailbox, begun: false }
    }
}

/// One METADATA answer being written.
#[derive(Debug)]
pub struct MetadataWriter<'a> {
    writer: &'a mut Writer,
    mailbox: Option<&'a MailboxName>,
    begun: bool,
}

impl MetadataWriter<'_> {
    /// ```abnf
    /// entry-value = entry SP value
    /// value       = nstring / literal8
    /// ```
    pub fn value(&mut self, entry: &EntryName, value: Option<&[u8]>) {
        if self.begun {
            self.writer.put(" ");
        } else {
            self.writer.put("* METADATA ");
            match self.mailbox {
                Some(mailbox) => self.writer.mailbox(mailbox),
                None => self.writer.put("\"\""),
            }
            self.writer.put(" (");
            self.begun = true;
        }
        let out = &mut self.writer.out;
        entry.encode(out);
        out.push(b' ');
        match value {
            Some(octets) if octets.contains(&0) => {
                out.push(b'~');
                encode_literal_header(out, octets.len() as u64);
                out.extend_from_slice(octets);
            }
            value => encode_nstring(out, value),
        }
    }

    /// Ends the answer.
    pub fn end(self) {
        if self.begun {
            self.writer.put(")");
            self.writer.end();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::imap::response::tests::written;

    fn metadata(mailbox: Option<&str>, values: &[(&str, Option<&[u8]>)]) -> String {
        let mailbox = mailbox.map(|name| MailboxName::new(name).unwrap());
        written(|w| {
            let mut answer = w.metadata(mailbox.as_ref());
            for (entry, value) in values {
                answer.value(&EntryName::new(entry).unwrap(), *value);
            }
            answer.end();
        })
    }

    #[test]
    fn the_examples_of_rfc_5464_section_4_4_1() {
        assert_eq!(
            metadata(
                Some("INBOX"),
                &[
                    ("/private/comment", Some(b"My comment")),
                    ("/shared/comment", Some(b"Its sunny outside!"))
                ]
            ),
            "* METADATA INBOX (/private/comment \"My comment\" /shared/comment \"Its sunny outside!\")\r\n"
        );
        assert_eq!(
            metadata(None, &[("/shared/comment", None)]),
            "* METADATA \"\" (/shared/comment NIL)\r\n"
        );
        assert_eq!(
            metadata(None, &[("/shared/a b", Some(b"\0"))]),
            "* METADATA \"\" (\"/shared/a b\" ~{1}\r\n\0)\r\n"
        );
        assert_eq!(metadata(None, &[]), "");
    }
}
