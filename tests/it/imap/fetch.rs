//! FETCH.

use std::fmt::Write as _;

use crate::support::imap::Imap;
use crate::support::postgres;
use crate::support::server::server;

const MIXED: &str = "Received: by mx.client.example\r\nFrom: Ann <ann@client.example>\r\n\
    To: bob@client.example\r\nSubject: mixed\r\nMIME-Version: 1.0\r\n\
    Content-Type: multipart/mixed; boundary=x\r\n\r\n\
    --x\r\nContent-Type: text/plain\r\n\r\nHello\r\n\
    --x\r\nContent-Type: message/rfc822\r\n\r\nFrom: inner@client.example\r\nSubject: in\r\n\r\nInner.\r\n\
    --x--\r\n";

async fn with(message: &str) -> Imap {
    let tenant = server().await.tenant().await;
    let ann = tenant.mailbox("ann").await;
    let mut imap = Imap::of(&ann).await;
    let done = imap.append("INBOX", "", message.as_bytes()).await;
    assert!(done.starts_with("OK"), "{done}");
    imap.brings("SELECT INBOX").await;
    imap
}

fn literal(name: &str, text: &str) -> String {
    format!("* 1 FETCH ({name} {{{}}}\r\n{text})", text.len())
}

#[tokio::test]
async fn sections() {
    let mut imap = with(MIXED).await;
    let (header, text) = MIXED.split_once("\r\n\r\n").unwrap();
    let header = format!("{header}\r\n\r\n");
    let peek = |section: &str| format!("FETCH 1 BODY.PEEK[{section}]");
    for (section, expected) in [
        ("", MIXED),
        ("HEADER", &header),
        ("TEXT", text),
        ("1", "Hello"),
        ("1.MIME", "Content-Type: text/plain\r\n\r\n"),
        ("2.HEADER", "From: inner@client.example\r\nSubject: in\r\n\r\n"),
        ("2.TEXT", "Inner."),
        ("2.1", "Inner."),
        ("HEADER.FIELDS (SUBJECT X-NONE)", "Subject: mixed\r\n\r\n"),
        ("2.HEADER.FIELDS (FROM)", "From: inner@client.example\r\n\r\n"),
        ("2.HEADER.FIELDS.NOT (FROM)", "Subject: in\r\n\r\n"),
    ] {
        let answer = imap.brings(&peek(section)).await;
        assert_eq!(answer, [literal(&format!("BODY[{section}]"), expected)], "{section}");
    }
    assert_eq!(imap.brings(&peek("3")).await, ["* 1 FETCH (BODY[3] NIL)"]);
    assert_eq!(imap.brings("FETCH 1 RFC822.HEADER").await, [literal("RFC822.HEADER", &header)]);
    assert_eq!(imap.brings("SEARCH UNSEEN").await, ["* SEARCH 1"], "peeking is not reading");
}

#[tokio::test]
async fn partials() {
    let mut imap = with(MIXED).await;
    for (section, range, expected) in [
        ("", "0.9", "Received:"),
        ("", "9.4", " by "),
        ("TEXT", "0.5", "--x\r\n"),
        ("1", "3.100", "lo"),
        ("1", "5.10", ""),
        ("1", "4294967295.4294967295", ""),
        ("HEADER.FIELDS (SUBJECT)", "9.5", "mixed"),
    ] {
        let answer = imap.brings(&format!("FETCH 1 BODY.PEEK[{section}]<{range}>")).await;
        let (origin, _) = range.split_once('.').unwrap();
        assert_eq!(answer, [literal(&format!("BODY[{section}]<{origin}>"), expected)]);
    }
    assert!(imap.fails("FETCH 1 BODY.PEEK[]<0.0>").await.starts_with("BAD"));
}

#[tokio::test]
async fn reading_sets_seen_and_says_so() {
    let mut imap = with(MIXED).await;
    let answer = imap.brings("UID FETCH 1 BODY[1]").await;
    assert_eq!(
        answer,
        [literal("UID 1 BODY[1]", "Hello"), "* 1 FETCH (UID 1 FLAGS (\\Seen \\Recent))".to_owned()]
    );
    assert_eq!(imap.brings("FETCH 1 BODY[1]").await.len(), 1, "seen already");
    assert!(imap.brings("NOOP").await.is_empty());
}

#[tokio::test]
async fn ready_items() {
    let mut imap = with(MIXED).await;
    let answer = imap.brings("FETCH 1 (ENVELOPE BODY BODYSTRUCTURE)").await;
    let text = answer[0].replace("\r\n", " ");
    assert!(
        text.starts_with("* 1 FETCH (ENVELOPE (NIL \"mixed\" ((\"Ann\" NIL \"ann\" "),
        "{text}"
    );
    assert!(
        text.contains(" BODY ((\"TEXT\" \"PLAIN\"") || text.contains(" BODY ((\"text\" \"plain\""),
        "{text}"
    );
    assert!(text.contains(" BODYSTRUCTURE (("), "{text}");
    let all = imap.brings("FETCH 1 FULL").await;
    let at = |name: &str| all[0].find(name).unwrap_or_else(|| panic!("{name} in {all:?}"));
    assert!(at("FLAGS") < at("INTERNALDATE") && at("RFC822.SIZE") < at("ENVELOPE"));
}

#[tokio::test]
async fn many_messages_come_in_order_whatever_their_size() {
    let tenant = server().await.tenant().await;
    let ann = tenant.mailbox("ann").await;
    let mut imap = Imap::of(&ann).await;
    // More octets than one query reads, in messages that nothing is cut from.
    let mut line = String::new();
    for n in 0..12_000_u64 {
        write!(line, "{:016x}", n.wrapping_mul(0x9e37_79b9_7f4a_7c15)).unwrap();
        line.push_str(if n % 4 == 3 { "\r\n" } else { " " });
    }
    for n in 0..40 {
        let message = format!("From: a@b.example\r\nSubject: {n}\r\n\r\n{n}\r\n{line}");
        assert!(imap.append("INBOX", "", message.as_bytes()).await.starts_with("OK"));
    }
    imap.brings("SELECT INBOX").await;
    let bodies = imap.brings("FETCH 1:* BODY.PEEK[TEXT]").await;
    assert_eq!(bodies.len(), 40);
    for (n, body) in bodies.iter().enumerate() {
        let text = format!("{n}\r\n{line}");
        let head = format!("* {} FETCH (BODY[TEXT] {{{}}}\r\n", n + 1, text.len());
        assert!(body.starts_with(&head) && body.contains(&text), "message {n}");
    }
    let flags = imap.brings("FETCH 40:1 FLAGS").await;
    assert_eq!(flags.len(), 40);
}

#[tokio::test]
async fn an_object_that_is_missing_is_never_an_empty_body() {
    let tenant = server().await.tenant().await;
    let ann = tenant.mailbox("ann").await;
    let mut imap = Imap::of(&ann).await;
    let content = super::append::base64_lines(3000);
    let message = format!(
        "From: a@b.example\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n\
         --x\r\n\r\nText\r\n--x\r\nContent-Type: application/pdf\r\n\r\n{content}--x--\r\n"
    );
    assert!(imap.append("INBOX", "", message.as_bytes()).await.starts_with("OK"));
    imap.put("INBOX", "", "small").await;
    // The store loses what it kept for this organisation.
    let objects = postgres::folder().join("server/objects").join(tenant.id.to_string());
    std::fs::remove_dir_all(objects).unwrap();

    imap.brings("SELECT INBOX").await;
    let reply = imap.run("FETCH 1:2 BODY[]").await;
    assert!(reply.done.starts_with("NO [UNAVAILABLE]"), "{reply:?}");
    assert!(reply.untagged[0].starts_with("* 2 FETCH (BODY[] {"), "the other one is there");
    assert_eq!(imap.brings("SEARCH UNSEEN").await, ["* SEARCH 1"], "it was not read");
    assert_eq!(imap.brings("FETCH 1 BODY.PEEK[1]").await, [literal("BODY[1]", "Text")]);
}
