//! Responses about messages but FETCH: EXPUNGE, SEARCH (RFC 3501 §7.2.5, §7.4.1).

use super::Writer;

impl Writer {
    /// The message with this sequence number is gone; those behind it move up by one.
    ///
    /// ```abnf
    /// message-data = nz-number SP "EXPUNGE"
    /// ```
    pub fn expunge(&mut self, sequence: u32) {
        self.numbered(sequence, " EXPUNGE\r\n");
    }

    /// ```abnf
    /// mailbox-data =/ "SEARCH" *(SP nz-number)
    /// ```
    pub fn search(&mut self, found: impl IntoIterator<Item = u32>) {
        self.put("* SEARCH");
        for number in found {
            self.put(" ");
            self.number(number);
        }
        self.end();
    }
}

#[cfg(test)]
mod tests {
    use crate::wire::imap::response::tests::written;

    #[test]
    fn the_examples_of_rfc_3501_section_7() {
        assert_eq!(written(|w| w.expunge(44)), "* 44 EXPUNGE\r\n");
        assert_eq!(written(|w| w.search([2, 3, 6])), "* SEARCH 2 3 6\r\n");
        assert_eq!(written(|w| w.search([])), "* SEARCH\r\n");
    }
}
