//! Base64 with line breaks at equal distances (RFC 2045 §6.8): what can be written again exactly.

use std::ops::Range;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use memchr::memchr;

/// Characters decoded or encoded at once: bounds the memory, whatever the size of the body.
const STEP: usize = 64 * 1024;

/// What ends a line.
#[derive(Clone, Copy, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Newline {
    /// CR LF.
    Crlf,
    /// LF alone.
    Lf,
}

impl Newline {
    fn octets(self) -> &'static [u8] {
        match self {
            Self::Crlf => b"\r\n",
            Self::Lf => b"\n",
        }
    }
}

/// How a body in base64 is laid out: lines of one length but for the last, one kind of line break
/// between them and none behind the last.
#[derive(Clone, Copy, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
pub struct Base64Lines {
    /// Characters of a line, a multiple of four.
    pub line_len: u32,
    /// What stands between two lines.
    pub newline: Newline,
}

impl Base64Lines {
    /// The layout that the first line of `encoded` suggests; whether the rest keeps to it shows when
    /// it is decoded.
    pub(super) fn guess(encoded: &[u8]) -> Option<Self> {
        let (line_len, newline) = match memchr(b'\n', encoded) {
            None => (encoded.len(), Newline::Crlf),
            Some(lf) => match lf.checked_sub(1).and_then(|at| Some((at, encoded.get(at)?))) {
                Some((at, b'\r')) => (at, Newline::Crlf),
                _ => (lf, Newline::Lf),
            },
        };
        let line_len = u32::try_from(line_len).ok()?;
        (line_len > 0 && line_len.is_multiple_of(4)).then_some(Self { line_len, newline })
    }

    /// Decodes `encoded` into `sink`, a piece at a time, and gives the number of octets; `None` as
    /// soon as something is not what [`Base64Lines::encode`] would write.
    pub(super) fn decode(self, encoded: &[u8], mut sink: impl FnMut(&[u8])) -> Option<usize> {
        let mut buffer = vec![0; STEP / 4 * 3];
        let mut decoded = 0;
        let mut padded = false;
        let mut rest = encoded;
        loop {
            let (line, after) = rest.split_at(self.line_len().min(rest.len()));
            for piece in line.chunks(STEP) {
                // Strict: canonical padding only, no stray bits, nothing outside the alphabet.
                let len = STANDARD.decode_slice(piece, &mut buffer).ok()?;
                if padded {
                    return None;
                }
                padded = len < piece.len() / 4 * 3;
                sink(buffer.get(..len)?);
                decoded += len;
            }
            if after.is_empty() {
                return (!line.is_empty()).then_some(decoded);
            }
            rest = after.strip_prefix(self.newline.octets())?;
        }
    }

    /// The octets of the decoded object that the encoded octets `encoded` are made from.
    pub(super) fn object_range(self, encoded: &Range<usize>, object_len: usize) -> Range<usize> {
        let first = self.characters_before(encoded.start) / 4 * 3;
        let last = self.characters_before(encoded.end).div_ceil(4) * 3;
        first.min(object_len)..last.min(object_len)
    }

    /// Appends the encoded octets `encoded`, made from `object`, the octets that
    /// [`Base64Lines::object_range`] tells.
    pub(super) fn encode(self, encoded: &Range<usize>, object: &[u8], out: &mut Vec<u8>) {
        let mut at = encoded.start;
        let mut skip = self.characters_before(at) % 4;
        let mut rest = object;
        while at < encoded.end {
            let column = at % self.stride();
            if column >= self.line_len() {
                let tail =
                    self.newline.octets().get(column - self.line_len()..).unwrap_or_default();
                let tail = tail.get(..tail.len().min(encoded.end - at)).unwrap_or_default();
                out.extend_from_slice(tail);
                at += tail.len();
                continue;
            }
            let wanted = (self.line_len() - column).min(encoded.end - at).min(STEP);
            let octets = ((skip + wanted).div_ceil(4) * 3).min(rest.len());
            let characters = STANDARD.encode(rest.get(..octets).unwrap_or_default());
            let piece = characters.as_bytes().get(skip..).unwrap_or_default();
            let piece = piece.get(..wanted).unwrap_or(piece);
            if piece.is_empty() {
                return;
            }
            out.extend_from_slice(piece);
            at += piece.len();
            let used = skip + piece.len();
            rest = rest.get(used / 4 * 3..).unwrap_or_default();
            skip = used % 4;
        }
    }

    /// Base64 characters, line breaks not counted, before the encoded octet at `at`.
    fn characters_before(self, at: usize) -> usize {
        at / self.stride() * self.line_len() + (at % self.stride()).min(self.line_len())
    }

    fn line_len(self) -> usize {
        self.line_len as usize
    }

    /// Octets from the beginning of one line to that of the next.
    fn stride(self) -> usize {
        self.line_len() + self.newline.octets().len()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn decode(encoded: &[u8]) -> Option<Vec<u8>> {
        let mut octets = Vec::new();
        let len = Base64Lines::guess(encoded)?.decode(encoded, |more| octets.extend(more))?;
        assert_eq!(len, octets.len());
        Some(octets)
    }

    #[test]
    fn what_is_laid_out_evenly_is_decoded() {
        assert_eq!(decode(b"QUJD").unwrap(), b"ABC");
        assert_eq!(decode(b"QUJD\r\nREVG\r\nRw==").unwrap(), b"ABCDEFG");
        assert_eq!(decode(b"QUJD\nREVG").unwrap(), b"ABCDEF");
        let long = vec![7; 100_000];
        assert_eq!(decode(STANDARD.encode(&long).as_bytes()).unwrap(), long);
    }

    #[test]
    fn what_would_not_be_written_again_is_not() {
        for odd in [
            "",
            "\r\n",
            "QUJ",
            "QUJDR===",
            "QUJDRF==",
            "QUJD\r\n",
            "QUJD\r\nREVG\nR0hJ",
            "QUJDR\r\nEVG",
            "QQ==\r\nQUJD",
            "QUJD\r\n\r\nREVG",
            "QUJD \r\nREVG",
            "QUJD\r\nREVGR0hJ",
            "QU-_",
            "QQ==QUJD",
            "QUJDREVG\r\nQUJD\r\nQUJD",
            "\nQUJD",
        ] {
            assert_eq!(decode(odd.as_bytes()), None, "{odd:?}");
        }
    }

    proptest! {
        #[test]
        fn any_range_is_encoded_from_the_octets_it_needs(
            object in prop::collection::vec(any::<u8>(), 1..500),
            quads in 1_u32..20,
            newline in prop::sample::select(vec![Newline::Crlf, Newline::Lf]),
            range in any::<(prop::sample::Index, prop::sample::Index)>(),
        ) {
            let lines = Base64Lines { line_len: quads * 4, newline };
            let characters = STANDARD.encode(&object);
            let chunks: Vec<_> = characters.as_bytes().chunks(lines.line_len()).collect();
            let encoded = chunks.join(newline.octets());
            prop_assert_eq!(Base64Lines::guess(&encoded).unwrap().line_len(), chunks[0].len());
            let mut decoded: Vec<u8> = Vec::new();
            prop_assert!(lines.decode(&encoded, |more| decoded.extend(more)).is_some());
            prop_assert_eq!(&decoded, &object);
            let (a, b) = (range.0.index(encoded.len() + 1), range.1.index(encoded.len() + 1));
            let wanted = a.min(b)..a.max(b);
            let needed = lines.object_range(&wanted, object.len());
            prop_assert!(needed.len() <= wanted.len().div_ceil(4) * 3 + 3);
            let mut out = Vec::new();
            lines.encode(&wanted, &object[needed], &mut out);
            prop_assert_eq!(&out, &encoded[wanted]);
        }
    }
}
