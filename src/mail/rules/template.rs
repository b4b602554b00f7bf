//! Filling in the variables of a template.

/// `text` with each `{{ name }}` replaced by what `value` says; one that it
/// does not know is empty. With `html`, values are escaped.
pub(super) fn fill(text: &str, html: bool, value: impl Fn(&str) -> Option<String>) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once("{{") {
        out.push_str(before);
        let Some((name, after)) = behind.split_once("}}") else {
            out.push_str("{{");
            rest = behind;
            break;
        };
        let value = value(name.trim()).unwrap_or_default();
        if html {
            escape(&value, &mut out);
        } else {
            out.push_str(&value);
        }
        rest = after;
    }
    out.push_str(rest);
    out
}

fn escape(value: &str, out: &mut String) {
    for c in value.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn variables_are_filled_in_once_and_escaped_in_html() {
        let value = |name: &str| (name == "who").then(|| "<b>{{ who }}".to_owned());
        assert_eq!(
            fill("Hi {{ who }}{{x}}, {{who}}!", false, value),
            "Hi <b>{{ who }}, <b>{{ who }}!"
        );
        assert_eq!(fill("{{who}} {{", true, value), "&lt;b&gt;{{ who }} {{");
    }

    proptest! {
        #[test]
        fn a_text_without_variables_stays(text in "[^{]{0,80}") {
            prop_assert_eq!(fill(&text, true, |_| None), text);
        }
    }
}
