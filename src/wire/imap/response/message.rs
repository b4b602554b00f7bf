//! Responses about messages but FETCH and what searches find: EXPUNGE (RFC 3501 §7.4.1).

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
}

#[cfg(test)]
mod tests {
    use crate::wire::imap::response::tests::written;

    #[test]
    fn the_example_of_rfc_3501_section_7_4_1() {
        assert_eq!(written(|w| w.expunge(44)), "* 44 EXPUNGE\r\n");
    }
}
