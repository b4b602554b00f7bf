//! Letters without their case: how text is searched and sorted (RFC 5051, `i;unicode-casemap`).

use unicode_normalization::UnicodeNormalization as _;

/// `text` such that two texts that differ only in case come out alike, octet for octet, whatever the
/// database's locale. Letters are taken apart from their marks, and compatible forms (full width,
/// ligatures) become the plain ones.
///
/// RFC 5051 §2 maps case first and takes apart then; the other order gives the same for letters and
/// folds ligatures as well.
pub fn fold(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_uppercase();
    }
    text.nfkd().map(upper).collect()
}

/// The one upper-case letter of `c`; itself where there is none, or more than one.
fn upper(c: char) -> char {
    let mut upper = c.to_uppercase();
    match (upper.next(), upper.next()) {
        (Some(one), None) => one,
        _ => c,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn case_and_compatible_forms_do_not_matter() {
        for (one, other) in [
            ("Hello", "hELLO"),
            ("Jürgen", "JÜRGEN"),
            ("u\u{308}", "Ü"),
            ("ΣΊΣΥΦΟΣ", "σίσυφος"),
            ("ﬁn", "FIN"),
            ("ＡＢｃ", "abC"),
            ("ЖУРНАЛ", "журнал"),
            ("ǆ", "ǅ"),
        ] {
            assert_eq!(fold(one), fold(other), "{one}");
        }
        assert_ne!(fold("Jurgen"), fold("Jürgen"));
        assert_eq!(fold("日本"), "日本");
        assert_eq!(fold("Straße"), "STRAßE");
    }

    proptest! {
        #[test]
        fn a_part_stays_a_part(before in ".{0,9}", part in "[a-zäöüéßЖ ]{0,9}", after in "[a-z ]{0,9}") {
            let whole = fold(&format!("{before}{part}{after}"));
            prop_assert!(whole.contains(&fold(&part)));
        }
    }
}
