//! UTF8=ACCEPT (RFC 9755, RFC 6855): UTF-8 in names, quoted strings and headers.

use crate::support::imap::Imap;
use crate::support::server::server;

/// A message with UTF-8 in its header (RFC 6532).
const MESSAGE: &str = "From: =?utf-8?q?J=C3=B6rg?= <a@client.example>\r\nTo: jörg@bücher.example\r\n\
                       Subject: Grüße\r\n\r\nText\r\n";

async fn enabled(ann: &str) -> Imap {
    let mut imap = Imap::of(ann).await;
    assert_eq!(imap.brings("ENABLE UTF8=ACCEPT").await, ["* ENABLED UTF8=ACCEPT"]);
    imap
}

/// `UTF8 (~{n+} ...)`.
fn utf8(content: &str) -> String {
    format!("UTF8 (~{{{}+}}\r\n{content})", content.len())
}

#[tokio::test]
async fn names_are_spelled_in_utf8() {
    let ann = server().await.tenant().await.mailbox("ann").await;
    let (mut old, mut new) = (Imap::of(&ann).await, enabled(&ann).await);
    new.ok("CREATE \"Bücher & mehr\"").await;
    new.ok("SUBSCRIBE \"Bücher & mehr\"").await;
    assert_eq!(
        new.brings("LIST \"\" B*").await,
        ["* LIST (\\HasNoChildren) \"/\" \"Bücher & mehr\""]
    );
    assert_eq!(new.brings("LSUB \"\" \"Büch*\"").await, ["* LSUB () \"/\" \"Bücher & mehr\""]);
    let listed = old.brings("LIST \"\" B*").await;
    assert_eq!(listed, ["* LIST (\\HasNoChildren) \"/\" \"B&APw-cher &- mehr\""]);
    let status = new.brings("STATUS \"Bücher & mehr\" (MESSAGES)").await;
    assert_eq!(status, ["* STATUS \"Bücher & mehr\" (MESSAGES 0)"]);
    // What was an encoding is a name now, and what is no UTF-8 is none.
    assert!(new.fails("SELECT \"B&APw-cher &- mehr\"").await.starts_with("NO [NONEXISTENT] "));
    new.send(b"x SELECT \"B\xfccher\"\r\n").await;
    assert!(new.until("x").await.done.starts_with("NO [CANNOT] "));
}

#[tokio::test]
async fn headers_in_utf8_come_and_go_as_they_are() {
    let ann = server().await.tenant().await.mailbox("ann").await;
    let mut imap = enabled(&ann).await;
    imap.ok("SELECT INBOX").await;
    let both = format!("APPEND INBOX (\\Seen) {} (\\Draft) {}", utf8(MESSAGE), utf8(MESSAGE));
    imap.ok(&both).await;
    imap.send(format!("b APPEND INBOX UTF8 (~{{{}}}\r\n", MESSAGE.len())).await;
    assert!(imap.response().await.starts_with("+ "));
    imap.send(format!("{MESSAGE})\r\n")).await;
    assert!(imap.until("b").await.done.starts_with("OK [APPENDUID "));
    // In pieces of CATENATE, and in a literal like others (RFC 9755 §4).
    imap.ok(&format!("APPEND INBOX CATENATE (URL /;UID=1/;SECTION=HEADER {})", utf8("Ende\r\n")))
        .await;
    assert!(imap.append("INBOX", "", MESSAGE.as_bytes()).await.starts_with("OK "));
    for uid in [1, 2, 3, 5] {
        let octets = imap.literal(&format!("UID FETCH {uid} BODY.PEEK[]")).await;
        assert!(octets == MESSAGE.as_bytes(), "{uid}");
    }
    let made = imap.literal("UID FETCH 4 BODY.PEEK[]").await;
    assert!(made == MESSAGE.replace("Text", "Ende").as_bytes());
    let found = imap.brings("SEARCH SUBJECT \"grüße\" TO \"jörg@\"").await;
    assert_eq!(found, ["* SEARCH 1 2 3 4 5"]);
    // There is one charset (RFC 9755 §3).
    let done = imap.fails("SEARCH CHARSET UTF-8 SUBJECT \"grüße\"").await;
    assert!(done.starts_with("BAD "), "{done}");
    // Others see it as it is, in literals.
    let mut old = Imap::select(&ann, "INBOX").await;
    assert!(old.literal("FETCH 1 BODY.PEEK[]").await == MESSAGE.as_bytes());
    let envelope = old.brings("FETCH 1 ENVELOPE").await;
    assert!(envelope[0].contains("{7}\r\nGrüße"), "{envelope:?}");
}

#[tokio::test]
async fn it_has_to_be_enabled_and_closed() {
    let ann = server().await.tenant().await.mailbox("ann").await;
    let mut old = Imap::of(&ann).await;
    let done = old.fails(&format!("APPEND INBOX {}", utf8(MESSAGE))).await;
    assert!(done.starts_with("BAD "), "{done}");
    old.ok("NOOP").await;
    let mut imap = enabled(&ann).await;
    for bad in
        ["UTF8 (~{4+}\r\nA: b", "UTF8 ({4+}\r\nA: b)", "UTF8 ~{4+}\r\nA: b", "UTF8 (\"A: b\")"]
    {
        let done = imap.fails(&format!("APPEND INBOX {bad}")).await;
        assert!(done.starts_with("BAD "), "{bad}: {done}");
    }
    assert_eq!(imap.brings("STATUS INBOX (MESSAGES)").await, ["* STATUS INBOX (MESSAGES 0)"]);
}
