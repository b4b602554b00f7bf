//! A message made ready for one recipient: its HTML bodies with pixel and links.
//!
//! Rewritten are text/html bodies, with their Content-Type and Content-Transfer-Encoding; everything
//! else stays octet for octet. Left alone are plain text, attachments, messages inside, everything
//! signed or encrypted (multipart/signed, multipart/encrypted, S/MIME), and every body that could not
//! be decoded without loss. The same input gives the same octets.

use std::borrow::Cow;

use super::content::Value;
use super::entity::Entity;
use super::headers::{block_len, find_all};
use super::html_body::{decode_html, write_html};
use super::links::survey;
use super::part::PartKind;
use super::rewrite::rewrite_html;
use super::scan::scan;

/// The targets of the links that [`rewrite_message`] can lead another way, in order.
pub fn collect_links(raw: &[u8]) -> Vec<String> {
    let unsubscribe = unsubscribe_urls(raw);
    let mut targets = Vec::new();
    for body in html_bodies(raw) {
        let Some(html) = decode_html(raw, &body) else { continue };
        let links = survey(&html, &unsubscribe).map(|survey| survey.links).unwrap_or_default();
        targets.extend(links.into_iter().filter_map(|link| link.target));
    }
    targets
}

/// The message with an image at `pixel_url` in its first HTML body, and with each link that
/// [`collect_links`] tells leading to the URL at its place in `link_urls`; links past the end of
/// `link_urls` stay as they are.
pub fn rewrite_message<'a>(
    raw: &'a [u8],
    pixel_url: Option<&str>,
    link_urls: &[String],
) -> Cow<'a, [u8]> {
    let unsubscribe = unsubscribe_urls(raw);
    let mut pixel_url = pixel_url;
    let mut urls = link_urls.iter();
    let mut out = Vec::new();
    let mut copied = 0;
    for body in html_bodies(raw) {
        let Some(html) = decode_html(raw, &body) else { continue };
        let mut next_url = |_, _: &str| urls.next().cloned();
        let rewritten = rewrite_html(&html, &unsubscribe, &mut next_url, pixel_url);
        let Some(rewritten) = rewritten.ok().filter(|rewritten| *rewritten != html) else {
            continue;
        };
        if let Some(written) = write_html(raw, &body, &rewritten) {
            out.extend_from_slice(raw.get(copied..body.part.start).unwrap_or_default());
            out.extend_from_slice(&written);
            copied = body.part.whole().end;
            pixel_url = None;
        }
    }
    if copied == 0 {
        return Cow::Borrowed(raw);
    }
    out.extend_from_slice(raw.get(copied..).unwrap_or_default());
    Cow::Owned(out)
}

/// The HTML bodies of the message that may be rewritten.
fn html_bodies(raw: &[u8]) -> Vec<Entity<'_>> {
    let mut bodies = Vec::new();
    let mut sealed_until = 0;
    for (at, entity) in scan(raw).unwrap_or_default().into_iter().enumerate() {
        if at < sealed_until {
            continue;
        }
        match entity.part.kind {
            PartKind::Leaf if entity.is_html() && !entity.is_to_save() => bodies.push(entity),
            PartKind::Leaf => {}
            PartKind::Multipart if !is_sealed(&entity.content) => {}
            PartKind::Multipart | PartKind::Message => sealed_until = at + entity.part.span,
        }
    }
    bodies
}

/// Whether a change inside would break a signature (RFC 1847).
fn is_sealed(content: &Value) -> bool {
    content.is("multipart", "signed") || content.is("multipart", "encrypted")
}

/// The URLs of List-Unsubscribe (RFC 2369 §3.2).
fn unsubscribe_urls(raw: &[u8]) -> Vec<String> {
    let header = raw.get(..block_len(raw)).unwrap_or_default();
    let mut urls = Vec::new();
    for field in find_all(header, "List-Unsubscribe") {
        let value = String::from_utf8_lossy(&field.text()).into_owned();
        let bracketed = value.split('<').skip(1).filter_map(|url| url.split_once('>'));
        urls.extend(bracketed.map(|(url, _)| url.split_ascii_whitespace().collect::<String>()));
    }
    urls
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::parse;
    use super::super::testing::{CORPUS, damaged, fixture, message};
    use super::*;

    const PIXEL: Option<&str> = Some("https://t.example/o.gif");

    fn html_message(head: &str, body: &str) -> Vec<u8> {
        format!("From: a@b.example\r\n{head}Content-Type: text/html; {body}").into_bytes()
    }

    fn render(raw: &[u8]) -> String {
        let urls: Vec<_> =
            collect_links(raw).iter().map(|it| format!("https://t.example/{}", it.len())).collect();
        let out = rewrite_message(raw, PIXEL, &urls);
        assert_eq!(rewrite_message(raw, PIXEL, &urls), out);
        String::from_utf8(out.into_owned()).unwrap()
    }

    #[test]
    fn html_gets_pixel_and_links_and_keeps_its_other_octets() {
        let raw =
            b"Subject: x\r\nContent-Type: multipart/alternative; boundary=b\r\n\r\npreamble\r\n\
            --b\r\n\r\nhttp://plain.example/\r\n--b\r\nX-A: 1\r\n\
            Content-Transfer-Encoding: quoted-printable\r\n\
            Content-Type: text/html;\r\n charset=iso-8859-1; format=flowed\r\nX-B: 2\r\n\r\n\
            <body>=FC <a href=3D\"http://a.example/\">x</a></body>\r\n--b--\r\nepilogue";
        assert_eq!(collect_links(raw), ["http://a.example/"]);
        let expected = "Subject: x\r\nContent-Type: multipart/alternative; boundary=b\r\n\r\npreamble\r\n\
            --b\r\n\r\nhttp://plain.example/\r\n--b\r\nX-A: 1\r\n\
            Content-Type: text/html; charset=utf-8; format=flowed\r\n\
            Content-Transfer-Encoding: quoted-printable\r\nX-B: 2\r\n\r\n\
            <body>=C3=BC <a href=3D\"https://t.example/17\">x</a><img src=3D\"https://t.ex=\r\n\
            ample/o.gif\" width=3D\"1\" height=3D\"1\" alt=3D\"\"></body>\r\n--b--\r\nepilogue";
        assert_eq!(render(raw), expected);
    }

    #[test]
    fn what_is_signed_encrypted_attached_or_forwarded_is_left_alone() {
        let html = "Content-Type: text/html\r\n\r\n<a href=\"http://a.example/\">x</a>";
        let inside = |head: &str| {
            format!("Content-Type: {head}; boundary=b\r\n\r\n--b\r\n{html}\r\n--b--\r\n")
        };
        let attached = inside("multipart/mixed")
            .replace("--b\r\nC", "--b\r\nContent-Disposition: attachment\r\nC");
        for raw in [
            inside("multipart/signed"),
            inside("multipart/encrypted"),
            format!(
                "Content-Type: multipart/mixed; boundary=o\r\n\r\n--o\r\n{}\r\n--o--",
                inside("multipart/signed")
            ),
            format!("Content-Type: message/rfc822\r\n\r\n{html}"),
            attached,
            html.replace("text/html", "application/pkcs7-mime"),
            html.replace("text/html", "text/plain"),
        ] {
            assert!(
                matches!(rewrite_message(raw.as_bytes(), PIXEL, &[]), Cow::Borrowed(_)),
                "{raw}"
            );
            assert!(collect_links(raw.as_bytes()).is_empty());
        }
        assert!(!collect_links(inside("multipart/mixed").as_bytes()).is_empty());
        assert!(matches!(rewrite_message(fixture("signed"), PIXEL, &[]), Cow::Borrowed(_)));
    }

    #[test]
    fn what_cannot_be_decoded_without_loss_is_left_alone() {
        for body in [
            "charset=x-unknown\r\n\r\n<p>x",
            "charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n!!",
            "charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n=FF",
            "charset=utf-8\r\nContent-Transfer-Encoding: x-uuencode\r\n\r\nx",
            "charset=utf-8\r\n\r\n",
        ] {
            let raw = html_message("", body);
            assert!(matches!(rewrite_message(&raw, PIXEL, &[]), Cow::Borrowed(_)), "{body}");
        }
    }

    #[test]
    fn the_charset_in_the_html_follows() {
        let raw = html_message(
            "",
            "charset=iso-8859-1\r\n\r\n<meta http-equiv=content-type content=\"text/html; charset=iso-8859-1\">x\r\n",
        );
        assert!(!render(&raw).contains("iso-8859-1"));
    }

    #[test]
    fn the_links_of_list_unsubscribe_stay() {
        let head = "List-Unsubscribe: <mailto:u@l.example>,\r\n <https://l.example/u/1>\r\n";
        let raw =
            html_message(head, "charset=utf-8\r\n\r\n<a href=\"https://l.example/u/1\">bye</a>");
        assert!(collect_links(&raw).is_empty());
    }

    #[test]
    fn no_line_of_the_new_body_can_be_a_delimiter() {
        let raw =
            b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/html\r\n\
            Content-Transfer-Encoding: base64\r\n\r\nPHA+DQotLWItLQ0K\r\n--b--\r\n";
        let out = rewrite_message(raw, PIXEL, &[]);
        let form = parse(&out);
        assert_eq!(form.parts.as_slice().len(), 2);
        assert!(form.text.contains("--b--"));
    }

    proptest! {
        #[test]
        fn only_html_bodies_change(raw in message()) {
            let before = parse(&raw);
            let after_raw = rewrite_message(&raw, PIXEL, &[]);
            let after = parse(&after_raw);
            prop_assert_eq!(before.parts.as_slice().len(), after.parts.as_slice().len());
            prop_assert_eq!(&before.envelope, &after.envelope);
            for (was, is) in before.attachments.iter().zip(&after.attachments) {
                prop_assert_eq!(&was.section, &is.section);
                prop_assert_eq!(&raw[was.range.clone()], &after_raw[is.range.clone()]);
            }
            let whole = String::from_utf8_lossy(&after_raw);
            prop_assert!(whole.matches("t.example").count() <= 1);
        }

        #[test]
        fn damage_does_no_harm(raw in damaged()) {
            let links = collect_links(&raw);
            let urls = vec!["https://t.example/".to_owned(); links.len()];
            let out = rewrite_message(&raw, PIXEL, &urls);
            let (before, after) = (parse(&raw), parse(&out));
            prop_assert_eq!(before.parts.as_slice().len(), after.parts.as_slice().len());
            prop_assert_eq!(before.attachments.len(), after.attachments.len());
            prop_assert_eq!(collect_links(&out).len(), links.len());
        }
    }

    #[test]
    fn without_html_nothing_changes() {
        for (name, raw) in CORPUS {
            if !parse(raw).html {
                assert!(matches!(rewrite_message(raw, PIXEL, &[]), Cow::Borrowed(_)), "{name}");
            }
        }
    }
}
