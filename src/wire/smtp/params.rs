//! The parameters after a path (RFC 5321 §4.1.1.11).
//!
//! ```abnf
//! esmtp-param   = esmtp-keyword ["=" esmtp-value]
//! esmtp-keyword = (ALPHA / DIGIT) *(ALPHA / DIGIT / "-")
//! esmtp-value   = 1*(%d33-60 / %d62-126)
//! ```

use super::command::SyntaxError;

/// One parameter: its keyword in upper case, and its value.
pub(super) struct Param<'a> {
    /// The keyword, in upper case.
    pub(super) keyword: String,
    /// What follows the `=`.
    pub(super) value: Option<&'a str>,
}

/// The most parameters one command may carry; no registered set comes near it.
const MAX_PARAMS: usize = 16;

/// Splits `rest`, what follows the `>` of a path, into its parameters.
///
/// A keyword given twice is refused: two readers could choose differently.
pub(super) fn split(rest: &str) -> Result<Vec<Param<'_>>, SyntaxError> {
    let mut params: Vec<Param<'_>> = Vec::new();
    if !rest.is_empty() && !rest.starts_with(' ') {
        return Err(SyntaxError::Parameter("a space must follow the path"));
    }
    for word in rest.split(' ').filter(|word| !word.is_empty()) {
        let (keyword, value) = match word.split_once('=') {
            Some((keyword, value)) => (keyword, Some(value)),
            None => (word, None),
        };
        let keyword = keyword.to_ascii_uppercase();
        if !is_keyword(&keyword) || value == Some("") || params.len() == MAX_PARAMS {
            return Err(SyntaxError::Parameter("not of the form keyword[=value]"));
        }
        if params.iter().any(|param| param.keyword == keyword) {
            return Err(SyntaxError::Parameter("the same parameter twice"));
        }
        params.push(Param { keyword, value });
    }
    Ok(params)
}

fn is_keyword(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splits_and_folds_case() {
        let params = split(" size=10  smtputf8 ENVID=a=b").unwrap();
        let seen: Vec<_> = params.iter().map(|p| (p.keyword.as_str(), p.value)).collect();
        assert_eq!(seen, [("SIZE", Some("10")), ("SMTPUTF8", None), ("ENVID", Some("a=b"))]);
        assert!(split("").unwrap().is_empty());
    }

    #[test]
    fn refuses_duplicates_and_rubbish() {
        for bad in ["SIZE=1", " SIZE=1 size=2", " SIZE=", " =1", " -A", " a\u{e9}", " <x>"] {
            assert!(split(bad).is_err(), "{bad:?}");
        }
        let many = (0..17).map(|n| format!("X{n}")).collect::<Vec<_>>().join(" ");
        assert!(split(&format!(" {many}")).is_err());
    }
}
