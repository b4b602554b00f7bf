//! Messages made to cost more than they weigh. Each would take minutes, or gigabytes, where the work
//! is not linear in the octets.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use super::bound::{MAX_DEPTH, MAX_PARTS, MAX_STRUCTURE};
use super::*;

/// Parses and checks that it took a moment, in an unoptimised build on a busy machine too.
fn parse_quickly(raw: &[u8]) -> Form {
    let start = Instant::now();
    let form = parse(raw);
    assert!(start.elapsed() < Duration::from_secs(8), "{:?} for {}", start.elapsed(), raw.len());
    let answers = [&form.envelope, &form.body, &form.body_structure];
    assert!(answers.iter().all(|answer| answer.len() <= 2 * MAX_STRUCTURE));
    form
}

fn nested(depth: usize) -> Vec<u8> {
    let mut raw = String::new();
    for level in 0..depth {
        let _ =
            write!(raw, "Content-Type: multipart/mixed; boundary=b{level}\r\n\r\n--b{level}\r\n");
    }
    raw.push_str("\r\nthe core");
    raw.into_bytes()
}

fn siblings(parts: usize, part: &str) -> Vec<u8> {
    let head = "Content-Type: multipart/mixed; boundary=b\r\n\r\n".to_owned();
    (head + &format!("--b\r\n{part}\r\n").repeat(parts) + "--b--\r\n").into_bytes()
}

#[test]
fn a_hundred_deep_is_taken_apart_and_more_is_not() {
    let form = parse_quickly(&nested(MAX_DEPTH));
    assert_eq!(form.opaque, None);
    assert_eq!(form.text, "the core");
    assert!(form.parts.resolve(&[1; MAX_DEPTH], SectionText::Full).is_some());
    let form = parse_quickly(&nested(MAX_DEPTH + 1));
    assert_eq!(form.opaque, Some(Bound::Depth));
    assert_eq!(form.parts.as_slice().len(), 1);
    assert!(form.body.starts_with(b"(\"text\" \"plain\""));
    assert!(form.text.contains("the core"));
    assert_eq!(parse_quickly(&nested(20_000)).opaque, Some(Bound::Depth));
    let messages = "Content-Type: message/rfc822\r\n\r\n".repeat(20_000);
    assert_eq!(parse_quickly(messages.as_bytes()).opaque, Some(Bound::Depth));
}

#[test]
fn ten_thousand_parts_are_taken_apart_and_more_are_not() {
    let form = parse_quickly(&siblings(MAX_PARTS - 1, ""));
    assert_eq!(form.opaque, None);
    assert_eq!(form.parts.as_slice().len(), MAX_PARTS);
    assert!(form.parts.resolve(&[9_999], SectionText::Full).is_some());
    assert_eq!(parse_quickly(&siblings(MAX_PARTS, "")).opaque, Some(Bound::Parts));
}

#[test]
fn a_long_header_is_opaque_and_hides_no_second_from() {
    let filler = format!("X-Filler: {}\r\n", "x".repeat(60)).repeat(4000);
    let raw = format!("From: a@b.example\r\n{filler}From: c@d.example\r\n\r\nbody\r\n");
    let form = parse_quickly(raw.as_bytes());
    assert_eq!(form.opaque, Some(Bound::Header));
    assert_eq!(form.from_count, 2);
    assert_eq!(form.text, "body\n");
    assert_eq!(form.header_len, raw.len() - "body\r\n".len());
    let inside = siblings(1, &format!("{filler}\r\n"));
    assert_eq!(parse_quickly(&inside).opaque, Some(Bound::Header));
}

#[test]
fn parameters_are_bounded_in_every_part() {
    let part = format!("Content-Disposition: attachment{}\r\n", ";a=b".repeat(129));
    assert_eq!(parse_quickly(&siblings(2, &part)).opaque, Some(Bound::Parameters));
    let mut continued = String::new();
    for n in 0..128 {
        let _ = write!(continued, ";\r\n filename*{n}*=%41");
    }
    let part = format!("Content-Disposition: attachment{continued}\r\n");
    let form = parse_quickly(&siblings(100, &part));
    assert_eq!(form.attachments[99].filename.as_deref(), Some("A".repeat(128).as_str()));
}

#[test]
fn what_would_make_long_answers_is_opaque() {
    let to = format!("Content-Type: message/rfc822\r\n\r\nTo: {}\r\n", "a,".repeat(2000));
    assert_eq!(parse_quickly(&siblings(500, &to)).opaque, Some(Bound::Structure));
    let name = format!("Content-Type: a/b; name={}\r\n", "n".repeat(200_000));
    assert_eq!(parse_quickly(&siblings(20, &name)).opaque, Some(Bound::Structure));
}

#[test]
fn many_addresses_are_read_up_to_a_bound() {
    let raw = format!("To: {}\r\nCc: {}\r\n\r\n", "a@b,".repeat(20_000), "g:x;".repeat(20_000));
    assert_eq!(parse_quickly(raw.as_bytes()).to.len(), 1000);
}

#[test]
fn no_value_costs_more_than_its_length() {
    let open = [
        "(",
        "\"",
        "\"\\",
        "<",
        "[",
        ":",
        ";",
        "\\",
        "=?",
        "=?utf-8?q?",
        "=?utf-8?q?=41?= ",
        "%41",
        "*0*=",
        ";a",
        "re:",
        "[a]",
        "(fwd)",
        "\r\n ",
        "<a@b> ",
        "Mon, ",
        "\t",
    ];
    for piece in open {
        let value = piece.repeat(100_000 / piece.len());
        for name in ["From", "Subject", "References", "Date", "Message-ID"] {
            parse_quickly(format!("{name}: {value}\r\n\r\nbody").as_bytes());
        }
        for name in ["Type", "Disposition", "Transfer-Encoding", "ID", "Language"] {
            parse_quickly(format!("Content-{name}: a/b; x={value}\r\n\r\nbody").as_bytes());
        }
    }
}

#[test]
fn no_body_costs_more_than_its_length() {
    let open = nested(MAX_DEPTH);
    for piece in
        ["--", "--\r\n", "\n--b", "\n--b99 ", "\r\n--b0", "\n-- \n", "--b0--\n", "\r\n\r\n"]
    {
        let mut raw = open.clone();
        raw.extend_from_slice(piece.repeat(1_000_000 / piece.len()).as_bytes());
        parse_quickly(&raw);
    }
    for piece in ["<", "<a", "<!--", "&", "&amp", "<p>", "<script>", "<style", "\"", "</", "&#x"] {
        let html = piece.repeat(1_000_000 / piece.len());
        parse_quickly(format!("Content-Type: text/html\r\n\r\n{html}").as_bytes());
    }
    for (encoding, piece) in [("base64", "="), ("base64", "AA=="), ("quoted-printable", "=\r\n")] {
        let body = piece.repeat(1_000_000 / piece.len());
        let head = format!("Content-Transfer-Encoding: {encoding}\r\n\r\n");
        parse_quickly((head + &body).as_bytes());
    }
}

#[test]
fn no_html_costs_more_than_its_length_to_rewrite() {
    let pieces = [
        "<a href=http://x.example>",
        "<a href=\"http://x.example\">x</a>",
        "<",
        "<a",
        "<a ",
        "<b>",
        "<!--",
        "<a href=\"",
        "&#",
        "<a href=http://x.example rel=x",
        "<body>",
        "</body>",
        "<svg><title>",
    ];
    for piece in pieces {
        let html = piece.repeat(100_000 / piece.len());
        let raw = format!("Content-Type: text/html\r\n\r\n{html}");
        let start = Instant::now();
        let urls = collect_links(raw.as_bytes());
        let _ = rewrite_message(raw.as_bytes(), Some("https://t.example/"), &urls);
        assert!(start.elapsed() < Duration::from_secs(8), "{:?} for {piece}", start.elapsed());
    }
}
