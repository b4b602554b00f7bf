//! Content on its way out: canonical line ends, then dot-stuffing (RFC 5321 §4.5.2).

use std::borrow::Cow;

/// `content` with every line ended by CRLF and no bare CR, bare LF or NUL (RFC 5321 §2.3.8).
///
/// A bare CR or LF becomes CRLF, a NUL goes. Borrowed where nothing had to change, which is
/// every message that came in by SMTP. Sign what this returns, not what was put in.
pub fn canonical(content: &[u8]) -> Cow<'_, [u8]> {
    if is_canonical(content) {
        return Cow::Borrowed(content);
    }
    let mut out = Vec::with_capacity(content.len() + content.len() / 32 + 2);
    let mut bytes = content.iter().filter(|byte| **byte != 0).peekable();
    while let Some(&byte) = bytes.next() {
        match byte {
            b'\r' => {
                bytes.next_if(|next| **next == b'\n');
                out.extend_from_slice(b"\r\n");
            }
            b'\n' => out.extend_from_slice(b"\r\n"),
            other => out.push(other),
        }
    }
    if !out.is_empty() && !out.ends_with(b"\r\n") {
        out.extend_from_slice(b"\r\n");
    }
    Cow::Owned(out)
}

/// [`canonical`] content, dot-stuffed, with the final dot: what follows a 354.
pub fn encode(content: &[u8]) -> Vec<u8> {
    let content = canonical(content);
    let mut out = Vec::with_capacity(content.len() + content.len() / 64 + 3);
    for line in content.split_inclusive(|byte| *byte == b'\n') {
        if line.first() == Some(&b'.') {
            out.push(b'.');
        }
        out.extend_from_slice(line);
    }
    out.extend_from_slice(b".\r\n");
    out
}

/// Whether [`canonical`] changes nothing.
pub fn is_canonical(content: &[u8]) -> bool {
    let mut after_cr = false;
    for &byte in content {
        if byte == 0 || after_cr != (byte == b'\n') {
            return false;
        }
        after_cr = byte == b'\r';
    }
    !after_cr && (content.is_empty() || content.ends_with(b"\n"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn stuffs_dots_and_ends() {
        assert_eq!(encode(b""), b".\r\n");
        assert_eq!(encode(b"a\r\n.\r\n..b\r\n"), b"a\r\n..\r\n...b\r\n.\r\n");
        assert_eq!(encode(b"a"), b"a\r\n.\r\n");
    }

    #[test]
    fn mends_line_ends() {
        assert!(matches!(canonical(b"a\r\n\r\nb\r\n"), Cow::Borrowed(_)));
        assert_eq!(&*canonical(b"a\nb\rc\r\r\nd\0e\r"), b"a\r\nb\r\nc\r\n\r\nde\r\n");
        // A NUL between CR and LF does not make two line ends of one.
        assert_eq!(&*canonical(b"a\r\0\n"), b"a\r\n");
    }

    proptest! {
        #[test]
        fn canonical_is_canonical(content in "[a.\r\n\0]{0,60}") {
            let once = canonical(content.as_bytes()).into_owned();
            prop_assert!(is_canonical(&once));
            prop_assert!(matches!(canonical(&once), Cow::Borrowed(_)));
        }
    }
}
