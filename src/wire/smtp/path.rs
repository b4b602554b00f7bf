//! Reverse-path and forward-path (RFC 5321 §4.1.2).

use super::command::SyntaxError;

/// What stands between the angle brackets, and what follows them.
pub(super) struct Path<'a> {
    /// The text between `<` and `>`.
    pub(super) inner: &'a str,
    /// Everything after the `>`: parameters.
    pub(super) rest: &'a str,
}

/// Takes `FROM:<...>` or `TO:<...>` apart.
///
/// A space after the colon is let through, as many clients write one; anything else must be
/// exact. The path ends at its first `>`: one that hides a `>` in quotes is cut short here and
/// then refused, as every quoted form is.
pub(super) fn split<'a>(
    args: &'a str,
    keyword: &str,
    usage: &'static str,
) -> Result<Path<'a>, SyntaxError> {
    let usage = SyntaxError::Arguments(usage);
    let Some((head, tail)) = args.split_once(':') else { return Err(usage) };
    if !head.eq_ignore_ascii_case(keyword) {
        return Err(usage);
    }
    let Some(tail) = tail.trim_start_matches(' ').strip_prefix('<') else { return Err(usage) };
    let Some((inner, rest)) = tail.split_once('>') else { return Err(usage) };
    Ok(Path { inner, rest })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_paths_apart() {
        let path = split("from:<a@b.c> SIZE=1", "FROM", "").unwrap();
        assert_eq!((path.inner, path.rest), ("a@b.c", " SIZE=1"));
        let path = split("TO: <>", "TO", "").unwrap();
        assert_eq!((path.inner, path.rest), ("", ""));
    }

    #[test]
    fn brackets_and_keyword_are_needed() {
        for bad in ["", "FROM", "FROM:", "FROM:a@b.c", "FROM :<a@b.c>", "FROM:<a@b.c", "TO:<a@b.c>"]
        {
            assert!(split(bad, "FROM", "").is_err(), "{bad:?}");
        }
    }
}
