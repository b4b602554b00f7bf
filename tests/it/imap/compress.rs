//! COMPRESS=DEFLATE (RFC 4978).

use crate::support::imap::Imap;
use crate::support::server::server;

async fn compressed(address: &str) -> Imap {
    let mut imap = Imap::of(address).await;
    assert!(imap.brings("COMPRESS DEFLATE").await.is_empty());
    imap.compress();
    imap
}

#[tokio::test]
async fn a_session_goes_on_compressed() {
    let ann = server().await.tenant().await.mailbox("ann").await;
    let mut imap = Imap::tls().await;
    assert!(!imap.brings("CAPABILITY").await[0].contains("COMPRESS"));
    assert!(imap.fails("COMPRESS DEFLATE").await.starts_with("BAD"));

    let mut imap = Imap::of(&ann).await;
    assert!(imap.brings("CAPABILITY").await[0].contains(" COMPRESS=DEFLATE"));
    assert!(imap.fails("COMPRESS LZW").await.starts_with("NO [CANNOT]"));
    assert!(imap.fails("COMPRESS").await.starts_with("BAD"));
    imap.brings("COMPRESS DEFLATE").await;
    imap.compress();
    assert!(!imap.brings("CAPABILITY").await[0].contains("COMPRESS"), "RFC 4978 section 3");
    let again = imap.fails("COMPRESS DEFLATE").await;
    assert!(again.starts_with("NO [COMPRESSIONACTIVE]"), "{again}");

    // Literals, asked for and not, both ways; several commands at once.
    let text = "All work and no play. ".repeat(20_000);
    let message = format!("Subject: long\r\n\r\n{text}\r\n");
    assert!(imap.append("INBOX", "", message.as_bytes()).await.starts_with("OK"));
    imap.send(b"a CREATE {4}\r\n").await;
    assert!(imap.line().await.starts_with("+ "));
    imap.send(b"Work\r\nb SELECT INBOX\r\nc FETCH 1 FLAGS\r\n").await;
    assert!(imap.until("a").await.done.starts_with("OK"));
    assert!(imap.until("b").await.done.starts_with("OK"));
    assert_eq!(imap.until("c").await.untagged, ["* 1 FETCH (FLAGS (\\Recent))"]);
    let read = imap.literal("FETCH 1 BODY.PEEK[TEXT]").await;
    assert_eq!(read, format!("{text}\r\n").as_bytes());
}

#[tokio::test]
async fn idle_tells_at_once_also_where_it_is_compressed() {
    let ann = server().await.tenant().await.mailbox("ann").await;
    let mut idle = compressed(&ann).await;
    idle.brings("SELECT INBOX").await;
    idle.idle().await;
    let mut other = compressed(&ann).await;
    for number in 1..4 {
        other.put("INBOX", "", &format!("m{number}")).await;
        idle.wait_for(&format!("* {number} EXISTS")).await;
    }
    idle.done().await;
}

#[tokio::test]
async fn bounds_are_those_of_what_it_stands_for() {
    let ann = server().await.tenant().await.mailbox("ann").await;
    let mut imap = compressed(&ann).await;
    // Some hundred octets on the wire.
    let line = format!("a NOOP {}\r\n", "x".repeat(100 << 10));
    imap.send(line).await;
    let refused = imap.until("a").await.done;
    assert!(refused.starts_with("BAD"), "{refused}");
    imap.brings("NOOP").await;
    let mut imap = Imap::of(&ann).await;
    imap.brings("COMPRESS DEFLATE").await;
    imap.send(b"a NOOP\r\n").await;
    let rest = imap.rest().await;
    assert!(!rest.contains("a OK"), "{rest}");
}
