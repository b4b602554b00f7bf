//! How a preview is asked for (RFC 8970).

use crate::wire::imap::cursor::{Cursor, Parsed};

/// What stands behind `PREVIEW`. `LAZY` asks for those alone that are at hand: here all of them are,
/// since each is made when its message is stored.
///
/// ```abnf
/// preview     = "PREVIEW" [SP "(" preview-mod *(SP preview-mod) ")"]
/// preview-mod = "LAZY"
/// ```
pub(super) fn modifiers(cursor: &mut Cursor<'_>) -> Parsed<()> {
    // Modifiers of the whole FETCH may stand in the same place.
    if cursor.eat(b" (LAZY") {
        while cursor.eat(b" LAZY") {}
        cursor.expect(")")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::wire::imap::command::{Command, FetchItem, parse_command};

    fn items(text: &str) -> Option<Vec<FetchItem>> {
        match parse_command(format!("a FETCH 1:4 {text}\r\n").as_bytes()).ok()?.command {
            Command::Fetch(fetch) => Some(fetch.items),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn with_and_without_lazy() {
        use FetchItem::{Flags, ModSeq, Preview, Rfc822Size};
        for (text, read) in [
            ("(RFC822.SIZE PREVIEW)", vec![Rfc822Size, Preview]),
            ("(PREVIEW (LAZY))", vec![Preview]),
            ("(preview (lazy lazy) FLAGS)", vec![Preview, Flags]),
            ("PREVIEW", vec![Preview]),
            ("PREVIEW (LAZY)", vec![Preview]),
            ("PREVIEW (CHANGEDSINCE 1)", vec![Preview, ModSeq]),
            ("PREVIEW (LAZY) (CHANGEDSINCE 1)", vec![Preview, ModSeq]),
            ("(PREVIEW PREVIEW (LAZY))", vec![Preview]),
        ] {
            assert_eq!(items(text), Some(read), "{text}");
        }
        for bad in [
            "(PREVIEW (EAGER))",
            "(PREVIEW ())",
            "(PREVIEW (LAZY)",
            "(PREVIEW (LAZYBONES))",
            "PREVIEW(LAZY)",
            "(PREVIEW=FUZZY)",
        ] {
            assert_eq!(items(bad), None, "{bad}");
        }
    }
}
