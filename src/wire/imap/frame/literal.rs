//! The head of a literal at the end of a line.

/// A literal that a line announces.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Literal {
    /// Its size in bytes; `u64::MAX` for any size beyond.
    pub(super) size: u64,
    /// Whether the client waits for a continuation request.
    pub(super) sync: bool,
}

/// The most digits in a size: more than the largest size needs, and few enough for the end of a
/// line to be judged by its last bytes.
const MAX_DIGITS: usize = 20;
/// The longest head of a literal with its line end.
pub(super) const MAX_HEAD: usize = MAX_DIGITS + "{+}\r\n".len();

/// The literal that follows a line ending in CRLF, if one does.
///
/// ```abnf
/// literal = "{" number ["+"] "}" CRLF *CHAR8    ; RFC 7888
/// ```
pub(super) fn literal_at_end(line: &[u8]) -> Option<Literal> {
    let head = line.strip_suffix(b"}\r\n")?;
    let (head, sync) = match head.strip_suffix(b"+") {
        Some(head) => (head, false),
        None => (head, true),
    };
    let digits = head.iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
    let (head, digits) = head.split_at_checked(head.len() - digits)?;
    if digits.is_empty() || digits.len() > MAX_DIGITS || !head.ends_with(b"{") {
        return None;
    }
    let size = digits
        .iter()
        .fold(0u64, |size, digit| size.saturating_mul(10).saturating_add(u64::from(digit - b'0')));
    Some(Literal { size, sync })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads() {
        let at_end = |line: &str| literal_at_end(line.as_bytes()).map(|it| (it.size, it.sync));
        assert_eq!(at_end("A001 LOGIN {11}\r\n"), Some((11, true)));
        assert_eq!(at_end("{0+}\r\n"), Some((0, false)));
        assert_eq!(at_end("~{007}\r\n"), Some((7, true)));
        assert_eq!(at_end("{99999999999999999999+}\r\n"), Some((u64::MAX, false)));
        for none in [
            "",
            "\r\n",
            "{}\r\n",
            "{+}\r\n",
            "{1\r\n",
            "1}\r\n",
            "{1}",
            "{1} \r\n",
            "{1-}\r\n",
            "{1}\n",
            "{000000000000000000001}\r\n",
        ] {
            assert_eq!(at_end(none), None, "{none:?}");
        }
    }
}
