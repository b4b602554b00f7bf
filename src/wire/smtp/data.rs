//! Where a message ends (RFC 5321 §4.1.1.4, §4.5.2).
//!
//! Content ends at CRLF "." CRLF and nowhere else (CVE-2023-51764 and its kin). Content with a bare
//! CR, a bare LF or a NUL is refused, but is first read to its true end: were it not, its rest would
//! be taken for commands.

/// Why content is refused, found on the way to its end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fault {
    /// A CR without LF, an LF without CR, or a NUL (RFC 5321 §2.3.8).
    BareByte,
    /// More octets than allowed.
    TooBig,
}

/// What one call of [`DotReader::feed`] did.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Fed {
    /// How many bytes were used. Less than given only where the message ended.
    pub consumed: usize,
    /// Whether the message has ended.
    pub done: bool,
}

/// Where in a line the reader stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum At {
    LineStart,
    Middle,
    /// After a CR.
    Cr,
    /// After a dot that began a line.
    Dot,
    /// After a dot that began a line and a CR.
    DotCr,
}

/// Reads dot-stuffed content, fed in pieces of any size.
#[derive(Debug)]
pub struct DotReader {
    at: At,
    left: u64,
    fault: Option<Fault>,
}

impl DotReader {
    /// A reader for one message of at most `limit` octets, dots taken out and the end not counted.
    pub fn new(limit: u64) -> Self {
        Self { at: At::LineStart, left: limit, fault: None }
    }

    /// The first fault found so far.
    pub fn fault(&self) -> Option<Fault> {
        self.fault
    }

    /// Reads `input` up to the end of the message and appends the content to `out`.
    ///
    /// Once there is a fault nothing more is appended; what was appended before is of no use.
    pub fn feed(&mut self, input: &[u8], out: &mut Vec<u8>) -> Fed {
        let mut used = 0;
        while let Some(rest) = input.get(used..).filter(|rest| !rest.is_empty()) {
            let run = if self.at == At::Middle { plain_run(rest) } else { 0 };
            if let Some(plain) = rest.get(..run).filter(|plain| !plain.is_empty()) {
                self.emit(plain, out);
                used += run;
            } else if let Some(&byte) = rest.first() {
                used += 1;
                if self.byte(byte, out) {
                    self.at = At::LineStart;
                    return Fed { consumed: used, done: true };
                }
            }
        }
        Fed { consumed: used, done: false }
    }

    /// One byte through the machine; true at the end of the message.
    fn byte(&mut self, byte: u8, out: &mut Vec<u8>) -> bool {
        match (self.at, byte) {
            (At::DotCr, b'\n') => return true,
            (At::Cr, b'\n') => {
                self.emit(b"\r\n", out);
                self.at = At::LineStart;
            }
            // A CR that got no LF: bare, whatever this byte is.
            (At::Cr | At::DotCr, _) => {
                self.spoil();
                self.at = At::Middle;
                return self.byte(byte, out);
            }
            (At::Dot, b'\r') => self.at = At::DotCr,
            (_, b'\r') => self.at = At::Cr,
            (At::LineStart, b'.') => self.at = At::Dot,
            (_, b'\n' | 0) => {
                self.spoil();
                self.at = At::Middle;
            }
            // RFC 5321 §4.5.2: a dot that begins a longer line is taken away; it was never emitted.
            (_, _) => {
                self.emit(&[byte], out);
                self.at = At::Middle;
            }
        }
        false
    }

    fn emit(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        match self.left.checked_sub(bytes.len() as u64) {
            Some(left) => self.left = left,
            None => {
                self.fault.get_or_insert(Fault::TooBig);
            }
        }
        if self.fault.is_none() {
            out.extend_from_slice(bytes);
        }
    }

    fn spoil(&mut self) {
        self.fault.get_or_insert(Fault::BareByte);
    }
}

/// How many bytes from the front need no thought in the middle of a line.
fn plain_run(bytes: &[u8]) -> usize {
    bytes.iter().position(|b| matches!(b, b'\r' | b'\n' | 0)).unwrap_or(bytes.len())
}

/// Watches content that came in counted chunks (BDAT) for what [`DotReader`] watches for.
#[derive(Default, Debug)]
pub struct ByteGuard {
    after_cr: bool,
    spoiled: bool,
}

impl ByteGuard {
    /// Looks at the next piece.
    pub fn feed(&mut self, piece: &[u8]) {
        for &byte in piece {
            self.spoiled |= byte == 0 || self.after_cr != (byte == b'\n');
            self.after_cr = byte == b'\r';
        }
    }

    /// Whether the content, ending here, holds a bare CR, a bare LF or a NUL.
    pub fn spoiled(&self) -> bool {
        self.spoiled || self.after_cr
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::smtp::stuff;
    use proptest::prelude::*;

    /// Content, fault and what is left over; `None` where the message has not ended.
    type Read<'a> = Option<(Vec<u8>, Option<Fault>, &'a [u8])>;

    fn read<'a>(input: &'a [u8], pieces: &[usize], limit: u64) -> Read<'a> {
        let (mut reader, mut out, mut rest) = (DotReader::new(limit), Vec::new(), input);
        for &size in pieces.iter().cycle() {
            if rest.is_empty() {
                return None;
            }
            let (piece, _) = rest.split_at(size.min(rest.len()));
            let fed = reader.feed(piece, &mut out);
            rest = &rest[fed.consumed..];
            if fed.done {
                let content = if reader.fault().is_some() { Vec::new() } else { out };
                return Some((content, reader.fault(), rest));
            }
            assert_eq!(fed.consumed, piece.len());
        }
        None
    }

    fn clean(input: &[u8]) -> (Vec<u8>, Vec<u8>) {
        let (content, fault, rest) = read(input, &[3], 1000).expect("ends");
        assert_eq!(fault, None, "{input:?}");
        (content, rest.to_vec())
    }

    #[test]
    fn ends_at_crlf_dot_crlf() {
        assert_eq!(clean(b".\r\nQUIT\r\n"), (b"".to_vec(), b"QUIT\r\n".to_vec()));
        assert_eq!(clean(b"a\r\n.\r\n"), (b"a\r\n".to_vec(), b"".to_vec()));
        assert_eq!(clean(b"..\r\n...\r\n.a\r\n.\r\n").0, b".\r\n..\r\na\r\n");
        assert_eq!(clean(b"a.\r\nb\r\n.\r\n").0, b"a.\r\nb\r\n");
    }

    #[test]
    fn every_other_ending_is_content_and_a_fault() {
        for ending in [
            "\n.\n",
            "\n.\r\n",
            "\r\n.\n",
            "\r.\r",
            "\r.\r\n",
            "\r\n.\r",
            "\r.\n",
            "\n.\r",
            "\r\r\n.\r",
            "\r\n\0.\r\n",
            "\r\n.\0\r\n",
            "\r\n.\r\r\n",
        ] {
            let input = format!("a{ending}MAIL FROM:<>\r\nb\r\n.\r\nQUIT\r\n");
            let (_, fault, rest) = read(input.as_bytes(), &[1], 1000).expect("ends");
            assert_eq!(fault, Some(Fault::BareByte), "{ending:?}");
            assert_eq!(rest, b"QUIT\r\n", "{ending:?}");
        }
    }

    #[test]
    fn too_much_is_read_to_its_end() {
        let (_, fault, rest) = read(b"12345\r\n.\r\nNOOP\r\n", &[2], 6).expect("ends");
        assert_eq!((fault, rest), (Some(Fault::TooBig), &b"NOOP\r\n"[..]));
        assert_eq!(read(b"1234\r\n.\r\n", &[2], 6).expect("ends").1, None);
        // A dot that is taken away does not count.
        assert_eq!(read(b"..234\r\n.\r\n", &[2], 6).expect("ends").1, None);
    }

    #[test]
    fn the_guard_finds_what_the_reader_finds() {
        let spoiled = |text: &str| {
            let mut guard = ByteGuard::default();
            text.as_bytes().iter().for_each(|byte| guard.feed(std::slice::from_ref(byte)));
            guard.spoiled()
        };
        assert!(!spoiled("") && !spoiled("a\r\n\r\nb"));
        for bad in ["a\n", "a\rb", "a\r", "\0", "a\r\r\n", "\n"] {
            assert!(spoiled(bad), "{bad:?}");
        }
    }

    proptest! {
        #[test]
        fn pieces_do_not_matter(
            input in "([ab.]{0,3}(\r\n|\r\n|\r|\n|\0)?){0,8}(\r\n\\.\r\n)?[ab]{0,3}",
            pieces in proptest::collection::vec(1_usize..5, 1..6),
        ) {
            let input = input.as_bytes();
            prop_assert_eq!(read(input, &pieces, 12), read(input, &[1000], 12));
        }

        #[test]
        fn ends_exactly_where_the_first_crlf_dot_crlf_is(
            input in "([ab.]{0,2}(\r\n|\r\n|\r|\n|\0)){0,12}",
        ) {
            let whole = [b"\r\n", input.as_bytes()].concat();
            let end = whole.windows(5).position(|w| w == b"\r\n.\r\n");
            let ours = read(input.as_bytes(), &[4], 1000).map(|(_, _, rest)| input.len() - rest.len());
            prop_assert_eq!(ours, end.map(|at| at + 3));
        }

        #[test]
        fn reads_what_was_stuffed(content in proptest::collection::vec(
            prop_oneof![Just(b'.'), Just(b'\r'), Just(b'\n'), Just(0), Just(b'x'), any::<u8>()],
            0..200,
        )) {
            let wire = stuff::encode(&content);
            let (read, fault, rest) = read(&wire, &[7], 10_000).expect("ends");
            prop_assert_eq!(fault, None);
            prop_assert!(rest.is_empty());
            prop_assert_eq!(read, stuff::canonical(&content).into_owned());
        }
    }
}
