//! Watches the header of content whose body may be anything (RFC 3030 §3).

use super::data::ByteGuard;

/// Finds a bare CR, a bare LF or a NUL in a message's header block, and nothing behind it.
///
/// A header is lines whatever the body is: a line break that only some readers see would be a
/// field that only some readers see.
#[derive(Debug)]
pub struct HeaderGuard {
    guard: ByteGuard,
    /// How much of CRLF CRLF has come; four ends the header.
    matched: usize,
}

impl Default for HeaderGuard {
    /// At the start of a line: a message may begin with its empty line.
    fn default() -> Self {
        Self { guard: ByteGuard::default(), matched: 2 }
    }
}

impl HeaderGuard {
    /// Takes the next piece of the content.
    pub fn feed(&mut self, piece: &[u8]) {
        const END: &[u8; 4] = b"\r\n\r\n";
        let mut header = 0;
        for &byte in piece {
            let Some(&wanted) = END.get(self.matched) else { break };
            header += 1;
            self.matched = match byte {
                _ if byte == wanted => self.matched + 1,
                b'\r' => 1,
                _ => 0,
            };
        }
        self.guard.feed(piece.get(..header).unwrap_or_default());
    }

    /// Whether the header that came is none.
    pub fn spoiled(&self) -> bool {
        self.guard.spoiled()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spoiled(content: &[u8]) -> bool {
        let (mut whole, mut bytes) = (HeaderGuard::default(), HeaderGuard::default());
        whole.feed(content);
        content.chunks(1).for_each(|byte| bytes.feed(byte));
        assert_eq!(whole.spoiled(), bytes.spoiled(), "{content:?}");
        whole.spoiled()
    }

    #[test]
    fn the_header_is_lines_and_the_body_what_it_likes() {
        for good in
            [&b"a: b\r\n\r\n\0\n\r\xff"[..], b"\r\n\n\n", b"a: b\r\nc: d\r\n\r\n\n", b"a: b\r\n"]
        {
            assert!(!spoiled(good), "{good:?}");
        }
        for bad in [&b"a: b\nc: d\r\n\r\n"[..], b"a\0: b\r\n\r\n", b"a: b\r\r\n\r\n", b"\n\r\n"] {
            assert!(spoiled(bad), "{bad:?}");
        }
    }
}
