//! Messages that want to do harm: rubbish, injected fields, loops, bombs.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use super::{House, ingress};
use crate::support::imap::Imap;
use crate::support::server::{PASSWORD, server};
use crate::support::smtp::Smtp;

/// Brings `content` to Ann and returns the answer to it.
async fn bring(house: &House, content: &str) -> String {
    let mut smtp = ingress(house).await;
    smtp.ask("MAIL FROM:<x@y.test>", "250 ").await;
    smtp.ask(&format!("RCPT TO:<{}>", house.ann), "250 ").await;
    smtp.ask("DATA", "354 ").await;
    smtp.send(koltrix_mail::wire::smtp::stuff::encode(content.as_bytes())).await;
    let answer = smtp.reply().await;
    smtp.ask("NOOP", "250 ").await;
    answer
}

#[tokio::test]
async fn rubbish_is_no_command() {
    let house = House::start().await;
    let mut smtp = ingress(&house).await;
    for line in [
        &b"\xff\xfe\xfd\r\n"[..],
        b"MAIL FROM:<\xc3\x28@y.test>\r\n",
        b"NOOP \x1b[2J\r\n",
        b"RCPT TO:<a\x7f@y.test>\r\n",
    ] {
        smtp.send(line).await;
        smtp.expect("500 5.5.2 ").await;
    }
    smtp.send(b"\r\n").await;
    smtp.expect("500 5.5.1 ").await;
    smtp.ask("NOOP", "250 ").await;
    // TLS where none was asked for.
    smtp.send(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03").await;
    smtp.expect("521 5.5.2 ").await;
    smtp.expect_closed().await;
}

#[tokio::test]
async fn no_field_comes_from_the_envelope() {
    let house = House::start().await;
    let mut smtp = Smtp::greeted(house.smtp).await;
    // What EHLO says stands in Received, what ENVID and ORCPT say stands in reports.
    for name in ["a b", "a(b)", "<a>", "a;b", "[a]b", "[127.0.0.1", "a\"b", "ä.test"] {
        smtp.ask(&format!("EHLO {name}"), "501 5.5.4 ").await;
    }
    let mut smtp = ingress(&house).await;
    for param in ["ENVID=a+0D+0AX-Injected:+20yes", "ENVID=a+00", "AUTH=+0A", "RET=FULL+0A"] {
        smtp.ask(&format!("MAIL FROM:<x@y.test> {param}"), "501 5.5.4 ").await;
    }
    smtp.ask("MAIL FROM:<x@y.test> ENVID=a+20b", "250 ").await;
    for param in ["ORCPT=rfc822;a+0D+0AX-Injected:+20yes", "ORCPT=rfc822;+00", "NOTIFY=NEVER,X"] {
        smtp.ask(&format!("RCPT TO:<{}> {param}", house.ann), "501 5.5.4 ").await;
    }
}

#[tokio::test]
async fn what_goes_in_circles_is_stopped() {
    let house = House::start().await;
    let received =
        |n| "Received: from a.test by b.test; Sun, 22 Nov 2026 12:00:00 +0000\r\n".repeat(n);
    let message = |fields: String| format!("{fields}From: x@y.test\r\n\r\nround\r\n");
    assert!(bring(&house, &message(received(100))).await.starts_with("554 5.4.6 "));
    let here = format!("Delivered-To: {}\r\n", house.ann);
    assert!(bring(&house, &message(here.repeat(2))).await.starts_with("554 5.4.6 "));
    assert_eq!(house.messages_of(&house.ann).await, 0);
    // Near it is not there, and somebody else's field says nothing.
    assert!(bring(&house, &message(received(99))).await.starts_with("250 "));
    let there = format!("Delivered-To: {}\r\n", house.bob);
    assert!(bring(&house, &message(here + &there.repeat(3))).await.starts_with("250 "));
}

#[tokio::test]
async fn bombs_are_kept_as_they_are_and_soon() {
    let start = "From: x@y.test\r\nSubject: bomb\r\nMIME-Version: 1.0\r\n";
    let mut deep = start.to_owned();
    let mut wide = format!("{start}Content-Type: multipart/mixed; boundary=b\r\n\r\n");
    let mut parameters = format!("{start}Content-Type: text/plain");
    for n in 0..2_000 {
        let _ = write!(deep, "Content-Type: multipart/mixed; boundary=b{n}\r\n\r\n--b{n}\r\n");
        let _ = write!(parameters, ";\r\n p{n}=v");
    }
    for _ in 0..30_000 {
        wide.push_str("--b\r\n\r\n\r\n");
    }
    let bombs = [
        deep + "\r\nboom\r\n",
        wide + "--b--\r\n",
        parameters + "\r\n\r\nboom\r\n",
        format!("{start}{}\r\nboom\r\n", "X-Field: value\r\n".repeat(40_000)),
        format!("{start}X-Folded: a\r\n{}\r\nboom\r\n", " b\r\n".repeat(100_000)),
        format!("{start}To: {}x@y.test\r\n\r\nboom\r\n", "(".repeat(60_000)),
        format!("{start}References: {}\r\n\r\nboom\r\n", "<a@b>\r\n ".repeat(50_000)),
    ];
    for bomb in &bombs {
        let house = House::start().await;
        let begun = Instant::now();
        let answer = bring(&house, bomb).await;
        assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
        assert!(answer.starts_with("250 "), "{answer}");
        let mut imap = Imap::login(server().await, &house.ann, PASSWORD).await;
        imap.ok("SELECT INBOX").await;
        assert!(imap.literal("FETCH 1 BODY.PEEK[]").await.ends_with(bomb.as_bytes()));
    }
}
