//! Where a command line ends (RFC 5321 §2.3.8).
//!
//! Only CRLF ends a line. A CR or LF alone, and NUL, end the conversation: two readers may disagree
//! about where such a line ends, and every smuggled message lives in that disagreement.

/// The longest command line taken, CRLF included, in octets. RFC 5321 §4.5.3.1.4 asks for 512 and
/// the extensions offered here add less than as much again.
pub const MAX_COMMAND: usize = 2048;

/// The longest line taken in an AUTH exchange, CRLF included (RFC 4954 §4).
pub const MAX_AUTH: usize = 12_288;

/// What the buffered bytes hold.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Step {
    /// No whole line yet: take `consumed` bytes away, read more, ask again.
    More {
        /// Bytes of an overlong line, of no further use.
        consumed: usize,
    },
    /// A line of `len` bytes, its CRLF included.
    Line {
        /// How many bytes to take away once it is read.
        len: usize,
    },
    /// The end of a line that was too long: take `consumed` bytes away and refuse it.
    TooLong {
        /// How many bytes to take away.
        consumed: usize,
    },
    /// A bare CR, a bare LF or a NUL. There is no way to go on.
    Broken,
}

/// Finds lines in a growing buffer, looking at each byte once.
#[derive(Default, Debug)]
pub struct Framer {
    /// How many bytes at the front of the buffer are known to hold no end of line.
    seen: usize,
    /// Whether the line so far was too long and is being thrown away.
    overlong: bool,
}

impl Framer {
    /// Looks at everything buffered and not yet consumed. `limit` counts the CRLF.
    pub fn step(&mut self, buffered: &[u8], limit: usize) -> Step {
        let fresh = buffered.get(self.seen..).unwrap_or_default();
        let special = fresh.iter().position(|b| matches!(b, b'\r' | b'\n' | 0));
        let Some(at) = special.map(|at| at + self.seen) else {
            return self.partial(buffered.len(), limit);
        };
        match buffered.get(at..) {
            Some([b'\r', b'\n', ..]) => self.end(at + 2, limit),
            // The CR may get its LF with the next read.
            Some([b'\r']) => self.partial(at, limit),
            _ => Step::Broken,
        }
    }

    fn partial(&mut self, seen: usize, limit: usize) -> Step {
        self.overlong |= seen >= limit;
        let consumed = if self.overlong { seen } else { 0 };
        self.seen = seen - consumed;
        Step::More { consumed }
    }

    fn end(&mut self, len: usize, limit: usize) -> Step {
        self.seen = 0;
        if std::mem::take(&mut self.overlong) || len > limit {
            Step::TooLong { consumed: len }
        } else {
            Step::Line { len }
        }
    }
}

/// The limit for the command line that `buffered` begins: AUTH may carry an initial response.
pub fn command_limit(buffered: &[u8]) -> usize {
    match buffered.first_chunk::<5>() {
        Some(verb) if verb.eq_ignore_ascii_case(b"AUTH ") => MAX_AUTH,
        _ => MAX_COMMAND,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// What a whole stream holds, read in pieces of the given sizes.
    #[derive(PartialEq, Debug)]
    enum Seen {
        Line(Vec<u8>),
        TooLong,
        Broken,
    }

    fn read(stream: &[u8], pieces: &[usize], limit: usize) -> Vec<Seen> {
        let (mut framer, mut buffer, mut out) = (Framer::default(), Vec::new(), Vec::new());
        let (mut rest, mut pieces) = (stream, pieces.iter().cycle());
        loop {
            match framer.step(&buffer, limit) {
                Step::More { consumed } => {
                    buffer.drain(..consumed);
                    assert!(buffer.len() <= limit + 1, "unbounded");
                    if rest.is_empty() {
                        return out;
                    }
                    let (piece, tail) = rest.split_at((*pieces.next().unwrap()).min(rest.len()));
                    buffer.extend_from_slice(piece);
                    rest = tail;
                }
                Step::Line { len } => {
                    assert!(len <= limit);
                    out.push(Seen::Line(buffer.drain(..len).take(len - 2).collect()));
                }
                Step::TooLong { consumed } => {
                    buffer.drain(..consumed);
                    out.push(Seen::TooLong);
                }
                Step::Broken => {
                    out.push(Seen::Broken);
                    return out;
                }
            }
        }
    }

    #[test]
    fn only_crlf_ends_a_line() {
        let line = |text: &str| Seen::Line(text.into());
        assert_eq!(read(b"NOOP\r\nQUIT\r\n", &[99], 64), [line("NOOP"), line("QUIT")]);
        for broken in ["NOOP\nQUIT\r\n", "NOOP\rQUIT\r\n", "NO\0OP\r\n", "NOOP\r\r\n", "\n"] {
            assert_eq!(read(broken.as_bytes(), &[1], 64), [Seen::Broken], "{broken:?}");
        }
        assert_eq!(read(b"NOOP\r", &[1], 64), []);
    }

    #[test]
    fn the_limit_counts_the_crlf() {
        assert_eq!(read(b"123456\r\n", &[3], 8), [Seen::Line(b"123456".into())]);
        assert_eq!(read(b"1234567\r\nA\r\n", &[3], 8), [Seen::TooLong, Seen::Line(b"A".into())]);
        assert_eq!(read(&[b'x'; 5000], &[7], 8), []);
    }

    #[test]
    fn auth_lines_may_be_long() {
        assert_eq!(command_limit(b"auth plain AAAA"), MAX_AUTH);
        assert_eq!(command_limit(b"AUTHOR"), MAX_COMMAND);
        assert_eq!(command_limit(b""), MAX_COMMAND);
    }

    proptest! {
        #[test]
        fn pieces_do_not_matter(
            stream in "([a-c]{0,12}(\r\n)?){0,6}[\r\n\0]?",
            pieces in proptest::collection::vec(1_usize..4, 1..6),
        ) {
            let stream = stream.as_bytes();
            prop_assert_eq!(read(stream, &pieces, 10), read(stream, &[1000], 10));
        }
    }
}
