//! Responses about messages but FETCH and what searches find: EXPUNGE (RFC 3501 §7.4.1), VANISHED.

use super::Writer;
use crate::wire::imap::numbers::NumberSet;

impl Writer {
    /// The message with this sequence number is gone; those behind it move up by one.
    ///
    /// ```abnf
    /// message-data = nz-number SP "EXPUNGE"
    /// ```
    pub fn expunge(&mut self, sequence: u32) {
        self.numbered(sequence, " EXPUNGE\r\n");
    }

    /// The messages with these UIDs are gone, of which there is one at least; `earlier` than the
    /// client was here.
    ///
    /// ```abnf
    /// expunged-resp = "VANISHED" [SP "(EARLIER)"] SP known-uids    ; RFC 7162
    /// ```
    pub fn vanished(&mut self, uids: &NumberSet, earlier: bool) {
        self.put(if earlier { "* VANISHED (EARLIER) " } else { "* VANISHED " });
        self.put(&uids.to_string());
        self.end();
    }
}

#[cfg(test)]
mod tests {
    use crate::wire::imap::response::tests::written;

    #[test]
    fn the_example_of_rfc_3501_section_7_4_1() {
        assert_eq!(written(|w| w.expunge(44)), "* 44 EXPUNGE\r\n");
    }

    #[test]
    fn the_examples_of_rfc_7162_section_3_2_10() {
        let gone = [41, 43, 44, 45, 49, 50].into_iter().collect();
        assert_eq!(written(|w| w.vanished(&gone, true)), "* VANISHED (EARLIER) 41,43:45,49:50\r\n");
        let gone = [405, 407, 410, 425].into_iter().collect();
        assert_eq!(written(|w| w.vanished(&gone, false)), "* VANISHED 405,407,410,425\r\n");
    }
}
