use proptest::prelude::*;

use super::*;

const SMALL: Limits =
    Limits { line: 40, literal: 10, literals: 15, literal_count: 3, stream_append: true };

/// Feeds `chunks` one after the other and returns what happened, `NeedMore` left out. Messages of
/// APPEND are taken when their size is even and refused when it is odd.
fn run(limits: Limits, chunks: &[&[u8]]) -> Vec<Event> {
    let mut framer = Framer::new(limits);
    let mut events = Vec::new();
    let mut taking = 0;
    for mut input in chunks.iter().copied() {
        loop {
            if taking > 0 {
                let now = input.len().min(taking);
                input = &input[now..];
                taking -= now;
                if taking > 0 {
                    break;
                }
                framer.literal_taken();
            }
            match framer.feed(&mut input) {
                Event::NeedMore => {
                    assert!(input.is_empty());
                    break;
                }
                event => {
                    match event {
                        Event::AppendLiteral { size: 0, .. } => framer.literal_taken(),
                        Event::AppendLiteral { size, .. } if size % 2 == 0 => {
                            taking = usize::try_from(size).unwrap();
                        }
                        _ => {}
                    }
                    events.push(event);
                }
            }
        }
    }
    events
}

fn one(limits: Limits, input: &str) -> Vec<Event> {
    run(limits, &[input.as_bytes()])
}

fn complete(bytes: &str) -> Event {
    Event::Complete(bytes.as_bytes().to_vec())
}

fn refused(tag: &str, why: Refusal) -> Event {
    Event::Refused { tag: Tag::of_line(tag.as_bytes()), why }
}

#[test]
fn lines_and_literals() {
    assert_eq!(
        one(SMALL, "a NOOP\r\nb NOOP\r\nc NO"),
        [complete("a NOOP\r\n"), complete("b NOOP\r\n")]
    );
    // RFC 3501 §6.2.3 with RFC 7888 §3: the second literal does not wait.
    let login = "A LOGIN {4}\r\nFRED {7+}\r\nfat man\r\n";
    assert_eq!(one(SMALL, login), [Event::NeedContinuation { size: 4 }, complete(login)]);
    let lines = "a X {6+}\r\n\r\n{9}\r {0+}\r\n\r\n";
    assert_eq!(one(SMALL, lines), [complete(lines)]);
}

#[test]
fn past_a_bound_the_command_is_skipped_to_its_end() {
    let long = "a ".to_owned() + &"x".repeat(50) + " {5+}\r\n1\r\n 2 more\r\nb NOOP\r\n";
    assert_eq!(one(SMALL, &long), [refused("a", Refusal::LineTooLong), complete("b NOOP\r\n")]);
    let big = |size, sync| Refusal::LiteralTooBig { size, sync };
    assert_eq!(
        one(SMALL, "a X {11+}\r\n.NOOP\r\n.OK\r\n\r\nb NOOP\r\n"),
        [refused("a", big(11, false)), complete("b NOOP\r\n")]
    );
    // The client waits for an answer, and this is one: what comes next is another command.
    assert_eq!(
        one(SMALL, "a X {11}\r\nb NOOP\r\n"),
        [refused("a", big(11, true)), complete("b NOOP\r\n")]
    );
    assert_eq!(
        one(SMALL, "a {9+}\r\n123456789 {9+}\r\n123456789\r\nb NOOP\r\n"),
        [refused("a", big(9, false)), complete("b NOOP\r\n")]
    );
    assert_eq!(
        one(SMALL, "a {1+}\r\n1{1+}\r\n1{1+}\r\n1{1+}\r\n1\r\nb NOOP\r\n"),
        [refused("a", Refusal::TooManyLiterals), complete("b NOOP\r\n")]
    );
    let absurd = one(SMALL, "a X {18446744073709551616+}\r\nb NOOP\r\n");
    assert_eq!(absurd, [refused("a", big(u64::MAX, false))]);
}

#[test]
fn a_bare_line_feed_does_not_end_a_command() {
    assert_eq!(
        one(SMALL, "a LOGIN x\nb DELETE INBOX\r\nc NOOP\r\n"),
        [refused("a", Refusal::BareLineFeed), complete("c NOOP\r\n")]
    );
}

#[test]
fn messages_of_append_are_left_to_the_caller() {
    let literal = |head: &str, size, sync| Event::AppendLiteral { head: head.into(), size, sync };
    let tail = |bytes: &str| Event::AppendTail(bytes.into());
    assert_eq!(
        one(SMALL, "a APPEND x (\\Seen) {12}\r\nDELETE INBOX\r\nb NOOP\r\n"),
        [literal("a APPEND x (\\Seen) {12}\r\n", 12, true), tail("\r\n"), complete("b NOOP\r\n")]
    );
    // The mailbox name is a literal like others; the message is not.
    assert_eq!(
        one(SMALL, "a append {5+}\r\nINBOX {2+}\r\nhi\r\n"),
        [literal("a append {5+}\r\nINBOX {2+}\r\n", 2, false), tail("\r\n")]
    );
    // RFC 3502: one message after the other.
    assert_eq!(
        one(SMALL, "a APPEND x {2+}\r\nhi (\\Seen) {0+}\r\n\r\n"),
        [
            literal("a APPEND x {2+}\r\n", 2, false),
            literal(" (\\Seen) {0+}\r\n", 0, false),
            tail("\r\n")
        ]
    );
    // RFC 8508: the mailbox stands behind a number.
    for replace in ["a REPLACE 4 x {2+}\r\n", "a uid replace * {1+}\r\nx {2+}\r\n"] {
        let line = format!("{replace}hi\r\n");
        assert_eq!(one(SMALL, &line), [literal(replace, 2, false), tail("\r\n")]);
    }
    let other = "a UID APPEND {2+}\r\nhi\r\n";
    assert_eq!(one(SMALL, other), [complete(other)]);
}

#[test]
fn messages_that_nobody_takes_are_skipped() {
    let literal = |head: &str, size, sync| Event::AppendLiteral { head: head.into(), size, sync };
    assert_eq!(
        one(SMALL, "a APPEND x {13+}\r\nDELETE\r\nINBOX (\\Seen) {4+}\r\nmore\r\nb NOOP\r\n"),
        [literal("a APPEND x {13+}\r\n", 13, false), complete("b NOOP\r\n")]
    );
    assert_eq!(
        one(SMALL, "a APPEND x {13}\r\nb NOOP\r\n"),
        [literal("a APPEND x {13}\r\n", 13, true), complete("b NOOP\r\n")]
    );
}

#[test]
fn before_login_messages_are_literals_like_others() {
    let append = "a APPEND x {1025+}\r\n";
    let events = one(Limits::BEFORE_LOGIN, append);
    assert_eq!(events, [refused("a", Refusal::LiteralTooBig { size: 1025, sync: false })]);
}

#[test]
fn expected_lines_have_no_literals() {
    let mut framer = Framer::new(SMALL);
    framer.expect_line();
    let mut input = &b"DONE {5}\r\na NOOP {2+}\r\nxx\r\n"[..];
    assert_eq!(framer.feed(&mut input), complete("DONE {5}\r\n"));
    assert_eq!(framer.feed(&mut input), complete("a NOOP {2+}\r\nxx\r\n"));
    assert_eq!(framer.feed(&mut input), Event::NeedMore);
}

#[test]
fn nothing_is_kept_past_the_limits() {
    let mut framer = Framer::new(SMALL);
    let mut most = 0;
    for piece in
        ["a {9+}\r\n", "123456789", " {9+}\r\n", "x", "{4+}\r\n"].iter().cycle().take(5_000)
    {
        let mut input = piece.as_bytes();
        while framer.feed(&mut input) != Event::NeedMore {}
        most = most.max(framer.buf.len());
    }
    assert!(most <= SMALL.line + 15, "{most}");
}

/// Streams made of pieces that mean something to the framer.
fn stream() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        prop::sample::select(vec![
            "\r\n",
            "\r\n",
            "\n",
            "\r",
            "a ",
            "b APPEND ",
            "APPEND",
            "{5}\r\n",
            "{2+}\r\n",
            "{9}\r\n",
            "{8+}\r\n",
            "{11+}\r\n",
            "{0}\r\n",
            "{0+}\r\n",
            "{",
            "}",
            "+",
            "INBOX",
            " ",
            "(\\Seen)",
        ])
        .prop_map(|piece| piece.as_bytes().to_vec()),
        proptest::collection::vec(any::<u8>(), 0..12),
    ];
    proptest::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn chunking_makes_no_difference(stream in stream(), cuts in proptest::collection::vec(1usize..9, 1..50)) {
        let whole = run(SMALL, &[&stream]);
        let mut chunks = Vec::new();
        let mut rest = &stream[..];
        for len in cuts.iter().cycle() {
            if rest.is_empty() {
                break;
            }
            let (chunk, after) = rest.split_at(rest.len().min(*len));
            chunks.push(chunk);
            rest = after;
        }
        prop_assert_eq!(run(SMALL, &chunks), whole);
    }

    #[test]
    fn a_complete_command_is_what_was_sent(stream in stream()) {
        for event in run(SMALL, &[&stream]) {
            if let Event::Complete(bytes) = event {
                prop_assert!(bytes.ends_with(b"\r\n"));
                prop_assert!(stream.windows(bytes.len()).any(|window| window == bytes));
            }
        }
    }
}
