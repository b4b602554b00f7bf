//! How a text is compared. All but expressions disregard case.

use regex::{Regex, RegexBuilder};

use crate::domain::rule::RuleError;

/// Octets that a compiled expression may take.
const MOST: usize = 256 * 1024;

/// A comparison with its value.
#[derive(Clone, Debug)]
pub enum Pattern {
    /// Somewhere in it.
    Contains(String),
    /// All of it.
    Equals(String),
    /// Its begin.
    Begins(String),
    /// Its end.
    Ends(String),
    /// `*` is anything, `?` is one character; all of it.
    Glob(Regex),
    /// Somewhere in it, with regard to case unless it says `(?i)`. Takes time
    /// linear to the text, whatever the expression.
    Regex(Regex),
}

impl Pattern {
    /// Reads `op` and `value`; `None` when there is no such comparison.
    ///
    /// # Errors
    /// [`RuleError::Regex`].
    pub fn parse(op: &str, value: &str) -> Result<Option<Self>, RuleError> {
        Ok(Some(match op {
            "contains" => Self::Contains(value.to_lowercase()),
            "equals" => Self::Equals(value.to_lowercase()),
            "begins" => Self::Begins(value.to_lowercase()),
            "ends" => Self::Ends(value.to_lowercase()),
            "glob" => Self::Glob(compile(&glob(value))?),
            "regex" => Self::Regex(compile(value)?),
            _ => return Ok(None),
        }))
    }

    /// Whether `text`, of which `lower` is the lower case form, is like that.
    pub fn matches(&self, text: &str, lower: &str) -> bool {
        match self {
            Self::Contains(value) => lower.contains(value.as_str()),
            Self::Equals(value) => lower == value,
            Self::Begins(value) => lower.starts_with(value.as_str()),
            Self::Ends(value) => lower.ends_with(value.as_str()),
            Self::Glob(expression) | Self::Regex(expression) => expression.is_match(text),
        }
    }
}

fn compile(expression: &str) -> Result<Regex, RuleError> {
    RegexBuilder::new(expression)
        .size_limit(MOST)
        .dfa_size_limit(MOST)
        .nest_limit(50)
        .build()
        .map_err(|error| RuleError::Regex(last_line(&error.to_string())))
}

/// The sentence of an error that draws a picture above it.
fn last_line(text: &str) -> String {
    text.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned()
}

/// The expression that a glob stands for.
fn glob(value: &str) -> String {
    let mut expression = String::from("(?is)^");
    for c in value.chars() {
        match c {
            // Two in a row are no more than one.
            '*' if expression.ends_with(".*") => {}
            '*' => expression.push_str(".*"),
            '?' => expression.push('.'),
            c => expression.push_str(&regex::escape(c.encode_utf8(&mut [0; 4]))),
        }
    }
    expression.push('$');
    expression
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn is(op: &str, value: &str, text: &str) -> bool {
        Pattern::parse(op, value).unwrap().unwrap().matches(text, &text.to_lowercase())
    }

    #[test]
    fn comparisons_disregard_case_and_expressions_do_not() {
        assert!(is("contains", "VOICE", "The invoice of May"));
        assert!(is("equals", "ünïcode", "ÜNÏCODE") && !is("equals", "a", "ab"));
        assert!(is("begins", "the", "The end") && !is("begins", "end", "The end"));
        assert!(is("ends", "END", "The end") && !is("ends", "the", "The end"));
        assert!(is("glob", "*.PD?", "a report.pdf") && !is("glob", "*.pd?", "a.pdf.exe"));
        assert!(is("glob", "a.b*", "a.bc\nd") && !is("glob", "a.b", "axb"));
        assert!(is("regex", "^in.*ce$", "invoice") && !is("regex", "^IN", "invoice"));
        assert!(is("regex", "(?i)^IN", "invoice"));
        assert!(Pattern::parse("resembles", "x").unwrap().is_none());
    }

    #[test]
    fn expressions_that_cannot_be_used_are_refused() {
        for bad in ["(", "a{1000}{1000}{1000}", "(?=x)", "\\1", "[b-a]", "*"] {
            assert!(matches!(Pattern::parse("regex", bad), Err(RuleError::Regex(_))), "{bad}");
        }
    }

    #[test]
    fn what_blows_up_elsewhere_is_linear_here() {
        let text = "a".repeat(256 * 1024);
        let started = std::time::Instant::now();
        assert!(!is("regex", "^(a+)+$b", &text));
        assert!(started.elapsed() < std::time::Duration::from_secs(5));
    }

    proptest! {
        #[test]
        fn a_glob_of_a_text_is_that_text(text in "\\PC{0,40}") {
            prop_assume!(!text.contains(['*', '?']));
            prop_assert!(is("glob", &text, &text));
            prop_assert!(is("glob", "*", &text));
        }

        #[test]
        fn no_value_panics(op in "contains|equals|begins|ends|glob|regex", value in "\\PC{0,60}", text in "\\PC{0,60}") {
            if let Ok(Some(pattern)) = Pattern::parse(&op, &value) {
                let _ = pattern.matches(&text, &text.to_lowercase());
            }
        }
    }
}
