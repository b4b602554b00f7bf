//! APPEND.

use crate::support::imap::Imap;
use crate::support::server::server;

#[tokio::test]
async fn a_message_comes_back_octet_for_octet() {
    let tenant = server().await.tenant().await;
    let ann = tenant.mailbox("ann").await;
    let mut imap = Imap::select(&ann, "INBOX").await;
    // Longer than any buffer on its way, with an attachment that is kept apart.
    let attachment = base64_lines(30_000);
    let message = format!(
        "From: a@b.example\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n\
         --x\r\n\r\nText with \u{fc}\r\n--x\r\nContent-Type: application/pdf\r\n\r\n{attachment}--x--\r\n"
    );
    let done = imap.append("INBOX", "", message.as_bytes()).await;
    assert!(done.starts_with("OK [APPENDUID "), "{done}");
    let content = imap.literal("UID FETCH * BODY.PEEK[]").await;
    assert!(content == message.as_bytes());
}

#[tokio::test]
async fn what_cannot_be_taken_is_refused_before_it_is_sent() {
    let tenant = server().await.tenant().await;
    let ann = tenant.mailbox("ann").await;
    let mut imap = Imap::of(&ann).await;
    assert!(imap.fails("APPEND INBOX {52428801}").await.starts_with("NO [TOOBIG]"));
    assert!(imap.fails("APPEND Nowhere {5}").await.starts_with("NO [TRYCREATE]"));
    assert!(imap.fails("APPEND INBOX {0}").await.starts_with("NO"));
    // Sent unasked, it is skipped: its lines are no commands.
    imap.send("a APPEND Nowhere {18+}\r\nb LOGOUT\r\nc NOOP\r\n\r\nd NOOP\r\n").await;
    assert!(imap.until("a").await.done.starts_with("NO [TRYCREATE]"));
    let reply = imap.until("d").await;
    assert!(reply.untagged.is_empty() && reply.done.starts_with("OK"), "{reply:?}");
    // Far too much of it ends the connection.
    imap.send("e APPEND INBOX {99999999999+}\r\n").await;
    let rest = imap.rest().await;
    assert!(rest.contains("e NO [TOOBIG]") && rest.contains("* BYE"), "{rest}");
}

#[tokio::test]
async fn the_client_is_asked_for_the_message_and_sees_it_arrive() {
    let tenant = server().await.tenant().await;
    let ann = tenant.mailbox("ann").await;
    let mut imap = Imap::select(&ann, "INBOX").await;
    imap.send("a APPEND INBOX (\\Draft) {4}\r\n").await;
    assert!(imap.response().await.starts_with("+ "));
    imap.send("A: b\r\n").await;
    let reply = imap.until("a").await;
    assert_eq!(reply.untagged, ["* 1 EXISTS", "* 1 RECENT"]);
    assert!(reply.done.starts_with("OK [APPENDUID "), "{reply:?}");
    // What stands behind the message is part of the command.
    imap.send("b APPEND INBOX {4+}\r\nA: b rubbish\r\nc NOOP\r\n").await;
    assert!(imap.until("b").await.done.starts_with("BAD"));
    assert!(imap.until("c").await.untagged.is_empty());
}

#[tokio::test]
async fn a_binary_message_may_have_nul_in_binary_parts() {
    let tenant = server().await.tenant().await;
    let ann = tenant.mailbox("ann").await;
    let mut imap = Imap::select(&ann, "INBOX").await;
    let message = "MIME-Version: 1.0\r\nContent-Type: image/gif\r\n\
                   Content-Transfer-Encoding: binary\r\n\r\nGIF\0\r\n\0\n";
    imap.send(format!("a APPEND INBOX ~{{{}}}\r\n", message.len())).await;
    assert!(imap.response().await.starts_with("+ "));
    imap.send(format!("{message}\r\n")).await;
    assert!(imap.until("a").await.done.starts_with("OK [APPENDUID "));
    let octets = imap.brings("FETCH 1 BINARY.PEEK[1]").await;
    assert_eq!(octets, ["* 1 FETCH (BINARY[1] ~{8}\r\nGIF\0\r\n\0\n)"]);
    assert_eq!(imap.brings("FETCH 1 BINARY.SIZE[1]").await, ["* 1 FETCH (BINARY.SIZE[1] 8)"]);
    // No literal of another FETCH may have NUL in it (RFC 3516 §4.4).
    assert!(!imap.literal("FETCH 1 BODY.PEEK[]").await.contains(&0));
    // Nobody can tell what NUL is in text.
    imap.send("b APPEND INBOX ~{9+}\r\nA: b\r\n\r\n\0\r\n").await;
    assert!(imap.until("b").await.done.starts_with("NO [UNKNOWN-CTE] "));
    imap.send("c APPEND INBOX ~{8+}\r\nA: b\r\n\r\n\r\n").await;
    assert!(imap.until("c").await.done.starts_with("OK "));
}

/// As many lines that look like base64, each different.
pub(super) fn base64_lines(count: u32) -> String {
    let lines: Vec<_> = (0..count).map(|n| format!("{:019}=Aa+/\r\n", n * 7919)).collect();
    lines.concat()
}
