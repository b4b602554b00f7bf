//! The fields of a message header that say who wrote what to whom (RFC 5322 §3.6), as written.

use super::address::{Item, read_addresses};
use super::bound::MAX_MAILBOXES;
use super::headers::fields;

/// Those fields of one header block. Of the fields that may stand only once, the first counts; the
/// address fields are read together where there are several, so that nobody named is hidden.
#[derive(Default, Debug)]
pub(super) struct Origin<'a> {
    pub(super) date: Option<&'a [u8]>,
    pub(super) subject: Option<&'a [u8]>,
    pub(super) message_id: Option<&'a [u8]>,
    pub(super) in_reply_to: Option<&'a [u8]>,
    pub(super) references: Option<&'a [u8]>,
    pub(super) from: Vec<Item>,
    pub(super) sender: Vec<Item>,
    pub(super) reply_to: Vec<Item>,
    pub(super) to: Vec<Item>,
    pub(super) cc: Vec<Item>,
    pub(super) bcc: Vec<Item>,
}

impl<'a> Origin<'a> {
    /// Reads a header block.
    pub(super) fn read(block: &'a [u8]) -> Self {
        let mut origin = Self::default();
        for field in fields(block) {
            let name = field.name.to_ascii_lowercase();
            if let Some(list) = origin.list(&name) {
                if list.len() < MAX_MAILBOXES {
                    list.extend(read_addresses(field.value));
                }
            } else if let Some(slot) = origin.single(&name) {
                slot.get_or_insert(field.value);
            }
        }
        origin
    }

    fn single(&mut self, name: &[u8]) -> Option<&mut Option<&'a [u8]>> {
        Some(match name {
            b"date" => &mut self.date,
            b"subject" => &mut self.subject,
            b"message-id" => &mut self.message_id,
            b"in-reply-to" => &mut self.in_reply_to,
            b"references" => &mut self.references,
            _ => return None,
        })
    }

    fn list(&mut self, name: &[u8]) -> Option<&mut Vec<Item>> {
        Some(match name {
            b"from" => &mut self.from,
            b"sender" => &mut self.sender,
            b"reply-to" => &mut self.reply_to,
            b"to" => &mut self.to,
            b"cc" => &mut self.cc,
            b"bcc" => &mut self.bcc,
            _ => return None,
        })
    }
}
