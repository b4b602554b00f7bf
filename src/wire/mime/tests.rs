//! What must hold for every message, and what a message must give.

use proptest::prelude::*;

use super::testing::{CORPUS, damaged, fixture, message, rubbish};
use super::*;

/// What every form promises, whatever the octets.
fn check_promises(raw: &[u8]) -> Result<(), TestCaseError> {
    let form = parse(raw);
    let parts = form.parts.as_slice();
    prop_assert_eq!(parts[0].whole(), 0..raw.len());
    prop_assert_eq!(parts[0].span, parts.len());
    prop_assert_eq!(form.header_len, parts[0].header_len);
    prop_assert_eq!(form.header_len, headers::block_len(raw));
    for (at, part) in parts.iter().enumerate() {
        let mut inside = part.body().start;
        let mut child = at + 1;
        let mut children = 0;
        while child < at + part.span {
            let range = parts[child].whole();
            prop_assert!(inside <= range.start && range.end <= part.body().end);
            inside = range.end;
            child += parts[child].span;
            children += 1;
        }
        prop_assert_eq!(child, at + part.span);
        let expected = match part.kind {
            PartKind::Leaf => children == 0,
            PartKind::Message => children == 1 && parts[at + 1].whole() == part.body(),
            PartKind::Multipart => children > 0,
        };
        prop_assert!(expected, "{part:?} with {children} children");
    }
    for attachment in &form.attachments {
        let path: Vec<u32> = attachment.section.split('.').map(|n| n.parse().unwrap()).collect();
        let resolved = form.parts.resolve(&path, SectionText::Full);
        prop_assert_eq!(resolved, Some(attachment.range.clone()));
        prop_assert!(attachment.range.start >= form.header_len);
    }
    for answer in [&form.envelope, &form.body, &form.body_structure] {
        prop_assert!(is_one_list(answer));
    }
    let json = serde_json::to_string(&form.parts).unwrap();
    prop_assert_eq!(serde_json::from_str::<Parts>(&json).unwrap(), form.parts);
    prop_assert!(!form.text.contains(|c: char| c.is_control() && c != '\n' && c != '\t'));
    let texts = [&form.subject, &form.snippet, form.message_id.as_ref().unwrap_or(&form.text)];
    prop_assert!(texts.iter().all(|text| !text.contains('\0')));
    Ok(())
}

/// Whether the octets are one parenthesised list, as a client reads it (RFC 3501 §4).
fn is_one_list(mut rest: &[u8]) -> bool {
    let mut depth = 0_usize;
    while let Some((&byte, after)) = rest.split_first() {
        rest = match byte {
            b'(' => {
                depth += 1;
                after
            }
            b')' => {
                depth -= 1;
                if depth == 0 {
                    return after.is_empty();
                }
                after
            }
            b'"' => {
                let mut escaped = false;
                let end = after.iter().position(|&b| {
                    let ends = b == b'"' && !escaped;
                    escaped = b == b'\\' && !escaped;
                    assert!(b != b'\r' && b != b'\n', "a line break between quotes");
                    ends
                });
                &after[end.unwrap() + 1..]
            }
            b'{' => {
                let close = after.iter().position(|&b| b == b'}').unwrap();
                let len: usize = std::str::from_utf8(&after[..close]).unwrap().parse().unwrap();
                assert_eq!(&after[close..close + 3], b"}\r\n");
                assert!(!after[close + 3..close + 3 + len].contains(&0));
                &after[close + 3 + len..]
            }
            b' ' | b'0'..=b'9' | b'N' | b'I' | b'L' => after,
            other => panic!("{:?} outside a string", char::from(other)),
        };
    }
    false
}

/// Kind and body of every entity, as mail-parser sees them.
fn oracle(raw: &[u8]) -> Vec<(PartKind, std::ops::Range<usize>)> {
    let parser = mail_parser::MessageParser::new().max_encoded_nesting(0);
    let message = parser.parse(raw).unwrap();
    let kind = |part: &mail_parser::MessagePart<'_>| match part.kind() {
        mail_parser::PartKind::Multipart => PartKind::Multipart,
        mail_parser::PartKind::Message(_) => PartKind::Message,
        _ => PartKind::Leaf,
    };
    let range = |part: &mail_parser::MessagePart<'_>| {
        part.offset_body() as usize..part.offset_end() as usize
    };
    message.parts().map(|part| (kind(&part), range(&part))).collect()
}

proptest! {
    #[test]
    fn promises_hold_for_messages(raw in message()) {
        check_promises(&raw)?;
    }

    #[test]
    fn promises_hold_for_damaged_messages(raw in damaged()) {
        check_promises(&raw)?;
    }

    #[test]
    fn promises_hold_for_rubbish(raw in rubbish()) {
        check_promises(&raw)?;
    }

    #[test]
    fn promises_hold_for_any_octets(raw in prop::collection::vec(any::<u8>(), 0..300)) {
        check_promises(&raw)?;
    }

    #[test]
    fn well_formed_messages_have_the_shape_that_mail_parser_sees(raw in message()) {
        let form = parse(&raw);
        let ours: Vec<_> = form.parts.as_slice().iter().map(|p| (p.kind, p.body())).collect();
        prop_assert_eq!(ours, oracle(&raw));
    }
}

#[test]
fn promises_hold_for_the_corpus() {
    for (name, raw) in CORPUS {
        check_promises(raw).unwrap_or_else(|error| panic!("{name}: {error}"));
    }
}

#[test]
fn sections_are_ranges_of_the_original() {
    let raw = fixture("nested-message");
    let form = parse(raw);
    let section = |path: &[u32], text| {
        let range = form.parts.resolve(path, text)?;
        Some(std::str::from_utf8(&raw[range]).unwrap())
    };
    assert_eq!(section(&[], SectionText::Full).unwrap().len(), raw.len());
    assert!(section(&[], SectionText::Header).unwrap().ends_with("boundary=x\r\n\r\n"));
    assert!(section(&[], SectionText::Text).unwrap().starts_with("--x\r\n"));
    assert_eq!(section(&[], SectionText::Mime), None);
    assert_eq!(section(&[1], SectionText::Full), Some("see below"));
    assert_eq!(section(&[1], SectionText::Mime), Some("Content-Type: text/plain\r\n\r\n"));
    assert_eq!(section(&[1], SectionText::Header), None);
    assert_eq!(section(&[1, 1], SectionText::Full), None);
    assert!(section(&[2], SectionText::Full).unwrap().starts_with("From: inner@c.example\r\n"));
    assert!(section(&[2], SectionText::Header).unwrap().ends_with("boundary=y\r\n\r\n"));
    assert!(section(&[2], SectionText::Text).unwrap().starts_with("--y\r\n"));
    assert_eq!(section(&[2, 1], SectionText::Full), Some("inner text"));
    assert_eq!(section(&[2, 2], SectionText::Full), Some("JVBERi0="));
    assert_eq!(section(&[2, 3], SectionText::Full), None);
    assert_eq!(section(&[3], SectionText::Full), Some("Subject: single\r\n\r\nsingle body"));
    assert_eq!(section(&[3, 1], SectionText::Full), Some("single body"));
    assert_eq!(section(&[3, 1], SectionText::Mime), Some("Subject: single\r\n\r\n"));
    assert_eq!(section(&[3, 2], SectionText::Full), None);
    assert_eq!(section(&[0], SectionText::Full), None);
    assert_eq!(section(&[u32::MAX], SectionText::Full), None);
}

#[test]
fn a_message_that_is_no_multipart_is_its_own_part_one() {
    let plain = parse(fixture("plain"));
    assert_eq!(plain.parts.resolve(&[1], SectionText::Full), Some(139..162));
    assert_eq!(plain.parts.resolve(&[1], SectionText::Mime), Some(0..139));
    assert_eq!(plain.parts.resolve(&[1, 1], SectionText::Full), None);
    let raw = fixture("message-at-top");
    let top = parse(raw);
    assert_eq!(&raw[top.parts.resolve(&[1, 1], SectionText::Full).unwrap()], b"inner body\r\n");
    assert_eq!(top.parts.resolve(&[1], SectionText::Text), Some(66..78));
}

#[test]
fn the_header_gives_what_it_can() {
    let form = parse(fixture("strange-header"));
    assert_eq!(form.subject, "before the colon");
    assert_eq!(form.from_count, 2);
    let from: Vec<_> = form.from.iter().map(|mailbox| mailbox.address.as_str()).collect();
    assert_eq!(from, ["a@b.example", "second@b.example"]);
    assert_eq!(form.message_id.as_deref(), Some("no brackets"));
    assert_eq!(form.references, ["1@x", "2@x", "3@x"]);
    assert_eq!(form.date, None);
    let form = parse(fixture("plain"));
    assert_eq!(form.date, Some(1_136_239_445));
    assert_eq!(form.from[0].name.as_deref(), Some("Ann"));
    let form = parse(fixture("eight-bit-headers"));
    assert_eq!(form.to[0].name.as_deref(), Some("山田"));
}

#[test]
fn text_comes_from_the_plain_version_else_from_html() {
    let form = parse(fixture("mixed"));
    assert_eq!(form.text, "Grüße, soft break");
    assert_eq!(form.snippet, form.text);
    assert!(form.html);
    assert_eq!(parse(fixture("html-only")).text, "Café & crêpe\n");
    assert_eq!(parse(fixture("nested-message")).text, "see below");
}

#[test]
fn attachments_are_the_leaves_that_are_no_bodies() {
    let form = parse(fixture("mixed"));
    let [dot] = form.attachments.as_slice() else { panic!("{:?}", form.attachments) };
    assert_eq!((dot.section.as_str(), dot.content_type.as_str()), ("2", "image/png"));
    assert_eq!((dot.filename.as_deref(), dot.disposition), (Some("dot.png"), Disposition::Inline));
    assert_eq!(dot.content_id.as_deref(), Some("dot@example.org"));
    let sections = |name| {
        let attachments = parse(fixture(name)).attachments;
        attachments.into_iter().map(|it| (it.section, it.filename)).collect::<Vec<_>>()
    };
    let named = |section: &str, name: &str| (section.to_owned(), Some(name.to_owned()));
    assert_eq!(sections("nested-message"), [named("2.2", "a.pdf")]);
    assert_eq!(sections("rfc2231"), [named("1", "山.pdf"), named("2", "ü.pdf")]);
    assert_eq!(sections("html-only"), []);
}

#[test]
fn the_empty_line_behind_a_header_stays_with_it() {
    let raw = fixture("empty-parts");
    let form = parse(raw);
    let mime = |part| &raw[form.parts.resolve(&[part], SectionText::Mime).unwrap()];
    assert_eq!(mime(3), b"Content-Type: application/a\r\n\r\n");
    assert_eq!(mime(4), b"Content-Type: application/b\r\n");
    assert_eq!(form.parts.resolve(&[3], SectionText::Full).unwrap().len(), 0);
}
