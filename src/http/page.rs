//! Pages: HTML templates with `{{names}}`, whose values are always escaped.

use axum::response::Html;

const LAYOUT: &str = include_str!("pages/layout.html");
const MESSAGE: &str = include_str!("pages/message.html");

/// A part of a page that is HTML already.
pub(super) struct Markup(String);

impl Markup {
    /// For what is a document of its own.
    pub(super) fn into_text(self) -> String {
        self.0
    }
}

/// Fills a template; every value is escaped.
pub(super) fn fill(template: &str, values: &[(&str, &str)]) -> Markup {
    let escaped: Vec<(&str, String)> =
        values.iter().map(|(name, value)| (*name, escape(value))).collect();
    replace(template, |name| {
        escaped.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_str())
    })
}

/// Parts one after the other.
pub(super) fn join(parts: impl IntoIterator<Item = Markup>) -> Markup {
    Markup(parts.into_iter().map(|part| part.0).collect())
}

/// Puts a part into the place `name` of another.
pub(super) fn insert(template: &Markup, name: &str, part: &Markup) -> Markup {
    replace(&template.0, |found| (found == name).then_some(part.0.as_str()))
}

/// A whole page.
pub(super) fn page(title: &str, content: &Markup) -> Html<String> {
    Html(insert(&fill(LAYOUT, &[("title", title)]), "content", content).0)
}

/// A page with one sentence.
pub(super) fn message(title: &str, text: &str) -> Html<String> {
    page(title, &fill(MESSAGE, &[("title", title), ("text", text)]))
}

/// One pass from left to right: a value that looks like a name is not replaced
/// again. A name that nobody knows stays.
fn replace<'a>(template: &str, value: impl Fn(&str) -> Option<&'a str>) -> Markup {
    let mut out = String::with_capacity(template.len() * 2);
    let mut rest = template;
    while let Some((before, after)) = rest.split_once("{{") {
        out.push_str(before);
        let known = after.split_once("}}").and_then(|(name, tail)| Some((value(name)?, tail)));
        let (text, tail) = known.unwrap_or(("{{", after));
        out.push_str(text);
        rest = tail;
    }
    out.push_str(rest);
    Markup(out)
}

/// Text that is safe between tags and within a quoted attribute.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_escaped_and_not_read_again() {
        let filled = fill("<b>{{a}}</b>{{b}}{{c}}", &[("a", "<i>\"&'"), ("b", "{{a}}")]);
        assert_eq!(filled.0, "<b>&lt;i&gt;&quot;&amp;&#39;</b>{{a}}{{c}}");
    }

    #[test]
    fn a_page_leaves_no_place_open() {
        let html = message("Title <1>", "Text & more").0;
        assert!(html.contains("<title>Title &lt;1&gt;") && html.contains("Text &amp; more"));
        assert!(!html.contains("{{") && html.starts_with("<!doctype html>"));
    }
}
