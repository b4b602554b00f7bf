//! The links of an HTML document, and where in it they stand.

use std::cell::{Cell, RefCell};
use std::ops::Range;
use std::rc::Rc;

use lol_html::html_content::{Attribute, Element, TextChunk};
use lol_html::{HtmlRewriter, MemorySettings, Settings, element, end_tag, text};
use mail_parser::add_html_token;

/// Memory that the HTML parser may use, in octets.
const MAX_MEMORY: usize = 8 * 1024 * 1024;
/// Octets of a link's words looked at.
const MAX_WORDS: usize = 1024;
/// Octets of a target that can be stored; a longer one is left alone.
const MAX_TARGET: usize = 8 * 1024;
/// The attribute by which an author keeps a link as it is; it does not go out.
const MARK: &str = "data-kx-track";

/// An HTML document that asks for too much memory or nests too deep.
#[derive(Debug, thiserror::Error)]
#[error("HTML that cannot be read: {0}")]
pub struct HtmlError(#[from] lol_html::errors::RewritingError);

/// What a rewriter needs to know of a document.
#[derive(Default)]
pub(super) struct Survey {
    /// The links, in order.
    pub(super) links: Vec<Link>,
    /// Where `</body>` stands.
    pub(super) body_end: Option<usize>,
}

/// An `<a>` or `<area>` that leads somewhere.
pub(super) struct Link {
    /// Where the value of its `href` stands, without quotes.
    pub(super) value: Range<usize>,
    /// The target that may be followed and counted; `None` for a link that is to be left alone.
    pub(super) target: Option<String>,
    /// Where the attribute stands that says so.
    pub(super) mark: Option<Range<usize>>,
    words: String,
}

/// Reads the document. Left alone are links
/// - to anything but an http or https URL (mailto, tel, cid, anchors, relative ones),
/// - with `data-kx-track="off"`,
/// - by which people unsubscribe, so that it works whatever becomes of the tracking: a target among
///   `unsubscribe` (the URLs of List-Unsubscribe), `rel="unsubscribe"`, or "unsubscribe" or "opt-out"
///   in the link's words or behind the host of its target.
pub(super) fn survey(html: &str, unsubscribe: &[String]) -> Result<Survey, HtmlError> {
    let links = RefCell::new(Vec::new());
    let body_end = Rc::new(Cell::new(None));
    let settings = Settings::new()
        .with_memory_settings(MemorySettings::new().with_max_allowed_memory_usage(MAX_MEMORY))
        .append_element_content_handler(element!("a[href], area[href]", |element| {
            links.borrow_mut().push(read_link(html, element, unsubscribe));
            Ok(())
        }))
        .append_element_content_handler(text!("a[href]", |words: &mut TextChunk<'_>| {
            if let Some(link) = links.borrow_mut().last_mut() {
                push_words(link, words.as_str());
            }
            Ok(())
        }))
        .append_element_content_handler(element!("body", |element| {
            let body_end = Rc::clone(&body_end);
            element.on_end_tag(end_tag!(move |tag| {
                body_end.set(Some(tag.source_location().bytes().start));
                Ok(())
            }))
        }));
    let mut reader = HtmlRewriter::new(settings, |_: &[u8]| {});
    reader.write(html.as_bytes())?;
    reader.end()?;
    let mut links = links.into_inner();
    for link in &mut links {
        if says_unsubscribe(&link.words) {
            link.target = None;
        }
    }
    Ok(Survey { links, body_end: body_end.get() })
}

fn read_link(html: &str, element: &Element<'_, '_>, unsubscribe: &[String]) -> Link {
    let attribute = |name: &str| element.attributes().iter().find(|it| it.name() == name);
    let text = |name: &str| attribute(name).map(Attribute::value).unwrap_or_default();
    let href = attribute("href").and_then(Attribute::value_source_location).map(|it| it.bytes());
    let target = decode_target(&text("href"));
    let is_kept = text(MARK).trim().eq_ignore_ascii_case("off")
        || text("rel").split_ascii_whitespace().any(|it| it.eq_ignore_ascii_case("unsubscribe"))
        || unsubscribe.contains(&target)
        || says_unsubscribe(behind_host(&target));
    let is_web = has_web_scheme(&target) && target.len() <= MAX_TARGET;
    Link {
        target: Some(target).filter(|_| href.is_some() && is_web && !is_kept),
        value: href.unwrap_or_default(),
        mark: attribute(MARK).and_then(|mark| whole_attribute(html, mark)),
        words: String::new(),
    }
}

/// Where an attribute stands, with its value and quotes and the white space before it.
fn whole_attribute(html: &str, attribute: &Attribute<'_>) -> Option<Range<usize>> {
    let name = attribute.name_source_location()?.bytes();
    let before = html.get(..name.start)?;
    let end = attribute.value_source_location().map_or(name.end, |value| value.bytes().end);
    let quote = html.get(end..)?.starts_with(['"', '\'']) && end > name.end;
    Some(before.trim_ascii_end().len()..end + usize::from(quote))
}

/// The URL that an attribute's raw value means: character references decoded, and the white space
/// dropped that a browser drops (WHATWG URL §4.4).
fn decode_target(raw: &str) -> String {
    let mut url = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some(at) = rest.find('&') {
        let (before, reference) = rest.split_at(at);
        url.push_str(before);
        // No name of a character is longer than 32 octets.
        let window = reference.get(..reference.floor_char_boundary(40)).unwrap_or_default();
        let end = window.find(';').map_or(1, |semicolon| semicolon + 1);
        let (reference, after) = reference.split_at(end);
        add_html_token(&mut url, reference.as_bytes(), false);
        rest = after;
    }
    url.push_str(rest);
    url.retain(|c| !matches!(c, '\t' | '\n' | '\r' | '\0'));
    url.trim_matches(|c: char| c <= ' ').to_owned()
}

fn has_web_scheme(url: &str) -> bool {
    let starts = |scheme: &str| {
        url.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme))
    };
    starts("http://") || starts("https://")
}

/// Path, query and fragment.
fn behind_host(url: &str) -> &str {
    let after_scheme = url.split_once("://").map_or("", |(_, rest)| rest);
    after_scheme.find(['/', '?', '#']).and_then(|at| after_scheme.get(at..)).unwrap_or_default()
}

fn says_unsubscribe(text: &str) -> bool {
    let text = text.to_lowercase();
    ["unsubscribe", "opt-out", "optout", "opt out"].iter().any(|word| text.contains(word))
}

fn push_words(link: &mut Link, words: &str) {
    let room = MAX_WORDS.saturating_sub(link.words.len());
    link.words.push_str(words.get(..words.floor_char_boundary(room)).unwrap_or_default());
}
