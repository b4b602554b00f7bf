//! HTML with its links led another way, and a pixel.

use std::fmt::Write as _;

use super::links::{HtmlError, survey};

/// Rewrites a document: each link that may be followed ([`survey`] says which) leads to what `links`
/// returns for its number and target, or stays where that is `None`; an image at `pixel_url` is put
/// before `</body>`, or at the end. Everything else stays octet for octet, but for the attribute
/// `data-kx-track`, which does not go out.
///
/// `unsubscribe` are the URLs of List-Unsubscribe, whose links are left alone.
pub fn rewrite_html(
    html: &str,
    unsubscribe: &[String],
    links: &mut dyn FnMut(usize, &str) -> Option<String>,
    pixel_url: Option<&str>,
) -> Result<String, HtmlError> {
    let survey = survey(html, unsubscribe)?;
    let mut edits = Vec::new();
    let mut number = 0;
    for link in survey.links {
        if let Some(mark) = link.mark {
            edits.push((mark, String::new()));
        }
        let Some(target) = link.target else { continue };
        if let Some(url) = links(number, &target) {
            let before = html.get(..link.value.start).unwrap_or_default();
            let quote = if before.ends_with(['"', '\'']) { "" } else { "\"" };
            edits.push((link.value, format!("{quote}{}{quote}", escape(&url))));
        }
        number += 1;
    }
    if let Some(url) = pixel_url {
        let at = survey.body_end.unwrap_or(html.len());
        let url = escape(url);
        edits.push((at..at, format!("<img src=\"{url}\" width=\"1\" height=\"1\" alt=\"\">")));
    }
    edits.sort_by_key(|(range, _)| range.start);
    let mut out = String::with_capacity(html.len() + 128);
    let mut copied = 0;
    for (range, replacement) in edits {
        out.push_str(html.get(copied..range.start).unwrap_or_default());
        out.push_str(&replacement);
        copied = range.end.max(copied);
    }
    out.push_str(html.get(copied..).unwrap_or_default());
    Ok(out)
}

/// A URL as the value of an attribute in any quotes.
fn escape(url: &str) -> String {
    let mut escaped = String::with_capacity(url.len());
    for c in url.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '"' | '\'' | '<' | '>' => {
                // Writing to a String cannot fail.
                let _ = write!(escaped, "&#{};", u32::from(c));
            }
            _ => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn rewrite(html: &str) -> (String, Vec<String>) {
        let mut targets = Vec::new();
        let unsubscribe = ["https://list.example/leave".to_owned()];
        let mut links = |number, target: &str| {
            targets.push(target.to_owned());
            Some(format!("https://t.example/{number}?a&b"))
        };
        let out = rewrite_html(html, &unsubscribe, &mut links, None).unwrap();
        (out, targets)
    }

    #[test]
    fn links_lead_through_us_and_the_rest_is_untouched() {
        let html = "<!doctype html>\r\n<p Class=x>ü <A title='t' HREF='http://a.example/?x=1&amp;y=2'\
            target=_blank >a</a><map><area shape=rect href=HTTPS://b.example></map>";
        let (out, targets) = rewrite(html);
        assert_eq!(targets, ["http://a.example/?x=1&y=2", "HTTPS://b.example"]);
        let expected = "<!doctype html>\r\n<p Class=x>ü <A title='t' \
            HREF='https://t.example/0?a&amp;b'target=_blank >a</a><map>\
            <area shape=rect href=\"https://t.example/1?a&amp;b\"></map>";
        assert_eq!(out, expected);
    }

    #[test]
    fn what_is_no_web_link_is_left_alone() {
        for href in
            ["mailto:a@b.example", "tel:+1", "cid:x@y", "#top", "/relative", "", "javascript:x"]
        {
            let html =
                format!("<a href=\"{href}\">x</a><a name=y>z</a><img src=\"http://i.example\">");
            assert_eq!(rewrite(&html), (html, vec![]));
        }
        assert_eq!(rewrite("<a href>x</a>").1, [""; 0]);
        let long = format!("<a href=\"http://a.example/{}\">x</a>", "x".repeat(9000));
        assert_eq!(rewrite(&long).1, [""; 0]);
        let hidden = "<!-- <a href=\"http://a.example\">x</a> --><script>\"<a href=http://a.example>\"</script>";
        assert_eq!(rewrite(hidden), (hidden.to_owned(), vec![]));
    }

    #[test]
    fn the_way_out_is_never_rewritten() {
        for html in [
            "<a href=\"https://list.example/leave\">bye</a>",
            "<a rel=\"nofollow UNSUBSCRIBE\" href=\"https://x.example/\">bye</a>",
            "<a href=\"https://x.example/Unsubscribe?u=1\">bye</a>",
            "<a href=\"https://x.example/?a=opt-out\">bye</a>",
            "<a href=\"https://x.example/1\">Click to <b>unsub</b>scribe</a>",
        ] {
            assert_eq!(rewrite(html), (html.to_owned(), vec![]));
        }
        assert_eq!(rewrite("<a href=\"https://unsubscribe.example/\">x</a>").1.len(), 1);
    }

    #[test]
    fn an_author_can_keep_a_link() {
        let (out, targets) = rewrite(
            "<a data-kx-track=\"off\" href=\"http://a.example\">x</a>\
            <a href=\"http://b.example\" data-kx-track=on>x</a><a href='http://c.example' DATA-KX-TRACK>x</a>",
        );
        assert_eq!(targets, ["http://b.example", "http://c.example"]);
        let expected = "<a href=\"http://a.example\">x</a><a href=\"https://t.example/0?a&amp;b\">x</a>\
            <a href='https://t.example/1?a&amp;b'>x</a>";
        assert_eq!(out, expected);
    }

    #[test]
    fn the_pixel_stands_at_the_end_of_the_body() {
        let pixel = |html: &str| {
            rewrite_html(html, &[], &mut |_, _| None, Some("https://t.example/o.gif?a&b")).unwrap()
        };
        let img = "<img src=\"https://t.example/o.gif?a&amp;b\" width=\"1\" height=\"1\" alt=\"\">";
        assert_eq!(pixel("<body>x</BODY></html>"), format!("<body>x{img}</BODY></html>"));
        assert_eq!(pixel("<p>x"), format!("<p>x{img}"));
        assert_eq!(pixel("<!-- </body> -->x"), format!("<!-- </body> -->x{img}"));
        assert_eq!(pixel(""), img);
    }

    #[test]
    fn references_in_targets_are_decoded() {
        let target = |href: &str| rewrite(&format!("<a href=\"{href}\">x</a>")).1.pop().unwrap();
        assert_eq!(target("http&#58;//a.example/&quot;&eacute;"), "http://a.example/\"é");
        assert_eq!(target(" \nhttp://a.exa\tmple/?a=1&b=2&c;&"), "http://a.example/?a=1&b=2&c;&");
    }

    proptest! {
        #[test]
        fn any_text_survives(html in "[<>/a-c =\"'!&;#\\-\\n]{0,200}") {
            let out = rewrite_html(&html, &[], &mut |_, _| None, None);
            prop_assert!(out.is_err() || out.unwrap() == html);
        }

        #[test]
        fn what_is_rewritten_leads_where_it_should(
            pieces in prop::collection::vec(prop::sample::select(vec![
                "<a href=\"http://a.example\">", "<a href=http://b.example>", "</a>", "<p>", "<area href='https://c.example/'>",
                "<!--", "-->", "<b", ">", "\"", "'", "text", "</body>", "<body>", "<a ",
            ]), 0..30),
        ) {
            let targets_of = |html: &str| {
                let mut targets = Vec::new();
                let mut same = |_, target: &str| {
                    targets.push(target.to_owned());
                    Some(target.to_owned())
                };
                let out = rewrite_html(html, &[], &mut same, None).ok()?;
                Some((out, targets))
            };
            if let Some((out, targets)) = targets_of(&pieces.concat()) {
                prop_assert_eq!(targets_of(&out).unwrap().1, targets);
            }
        }
    }
}
