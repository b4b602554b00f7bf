//! COMPRESS (RFC 4978).

use crate::wire::imap::cursor::{Cursor, Parsed};

/// How to compress.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Algorithm {
    /// `DEFLATE`: RFC 1951, without the header of zlib or gzip.
    Deflate,
    /// One that nobody has defined yet.
    Unknown,
}

/// ```abnf
/// compress  = "COMPRESS" SP algorithm
/// algorithm = "DEFLATE"
/// ```
///
/// Another name is not wrong, only unknown: that is for the session to say.
pub(super) fn compress(cursor: &mut Cursor<'_>) -> Parsed<Algorithm> {
    cursor.sp()?;
    let name = cursor.atom("an algorithm")?;
    let deflate = name.eq_ignore_ascii_case("DEFLATE");
    Ok(if deflate { Algorithm::Deflate } else { Algorithm::Unknown })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::imap::command::{Command, parse_command};

    #[test]
    fn the_example_of_rfc_4978() {
        let read = |line: &str| match parse_command(line.as_bytes()).ok()?.command {
            Command::Compress(algorithm) => Some(algorithm),
            other => panic!("{other:?}"),
        };
        assert_eq!(read("d COMPRESS DEFLATE\r\n"), Some(Algorithm::Deflate));
        assert_eq!(read("d compress deflate\r\n"), Some(Algorithm::Deflate));
        assert_eq!(read("d COMPRESS LZW\r\n"), Some(Algorithm::Unknown));
        for bad in ["d COMPRESS\r\n", "d COMPRESS \r\n", "d COMPRESS DEFLATE 9\r\n"] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }
}
