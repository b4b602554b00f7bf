//! CATENATE (RFC 4469): messages made of pieces of others, which stay on the server.

use super::multi_append::literal;
use crate::support::imap::Imap;
use crate::support::server::{Tenant, server};
use crate::support::sql::run;

/// A message of two parts; the second is longer than what is read at once, and kept apart.
fn with_attachment() -> String {
    let attachment = super::append::base64_lines(30_000);
    format!(
        "From: a@client.example\r\nSubject: draft\r\nMIME-Version: 1.0\r\n\
         Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\nContent-Type: text/plain\r\n\r\n\
         The old text\r\n--x\r\nContent-Type: application/pdf\r\n\
         Content-Transfer-Encoding: base64\r\n\r\n{attachment}\r\n--x--\r\n"
    )
}

/// Ann's Drafts with that message, and the start of its URLs.
async fn drafts() -> (Tenant, String, Imap, String) {
    let tenant = server().await.tenant().await;
    let ann = tenant.mailbox("ann").await;
    let mut imap = Imap::of(&ann).await;
    let done = imap.append("Drafts", "", with_attachment().as_bytes()).await;
    let validity = done.split(' ').nth(2).unwrap().to_owned();
    let url = format!("/Drafts;UIDVALIDITY={validity}/;UID=1");
    (tenant, ann, imap, url)
}

#[tokio::test]
async fn the_example_of_the_rfc() {
    let (_tenant, _, mut imap, url) = drafts().await;
    // RFC 4469 §3: the header and one part are taken over, with another text.
    let text = "--x\r\nContent-Type: text/plain\r\n\r\nThe new text\r\n--x\r\n";
    imap.send(format!(
        "A003 APPEND Drafts (\\Seen \\Draft $MDNSent) CATENATE \
         (URL \"{url}/;section=HEADER\" TEXT {{{}}}\r\n",
        text.len()
    ))
    .await;
    assert!(imap.response().await.starts_with("+ "));
    imap.send(text).await;
    imap.send(format!(" URL \"{url}/;section=2.MIME\" URL \"{url}/;section=2\" TEXT {{9}}\r\n"))
        .await;
    assert!(imap.response().await.starts_with("+ "));
    imap.send("\r\n--x--\r\n)\r\n").await;
    let done = imap.until("A003").await.done;
    assert!(done.starts_with("OK [APPENDUID "), "{done}");
    imap.ok("SELECT Drafts").await;
    let made = imap.literal("UID FETCH 2 BODY.PEEK[]").await;
    let expected = with_attachment().replace("The old text", "The new text");
    assert!(made == expected.as_bytes());
    let flags = imap.brings("UID FETCH 2 FLAGS").await;
    assert!(flags[0].contains("\\Seen") && flags[0].contains("$MDNSent"), "{flags:?}");
    // With a mailbox open a URL need not name it; without any literal; the URL in one.
    let part = "/;UID=1/;SECTION=1/;PARTIAL=4.3";
    imap.ok(&format!("APPEND Drafts CATENATE (URL {part} URL {part}) CATENATE (URL {part})")).await;
    assert_eq!(imap.literal("UID FETCH 3 BODY.PEEK[]").await, b"oldold");
    let url = literal(part);
    imap.ok(&format!("APPEND Drafts CATENATE (URL {url} TEXT {} URL {url})", literal("\r\n")))
        .await;
    assert_eq!(imap.literal("UID FETCH 5 BODY.PEEK[]").await, b"old\r\nold");
    let fields = "/;UID=1/;SECTION=HEADER.FIELDS%20(Subject)";
    imap.ok(&format!("APPEND Drafts CATENATE (URL \"{fields}\")")).await;
    assert_eq!(imap.literal("UID FETCH 6 BODY.PEEK[]").await, b"Subject: draft\r\n\r\n");
}

#[tokio::test]
async fn bad_urls_are_told_and_nothing_is_stored() {
    let (_tenant, _, mut imap, url) = drafts().await;
    let (mailbox, _) = url.split_once(';').unwrap();
    let cases = [
        format!("{mailbox};UIDVALIDITY=1/;UID=1"),
        format!("{mailbox}/;UID=2"),
        format!("{mailbox}/;UID=1/;section=3"),
        "/Nowhere/;UID=1".to_owned(),
        "/;UID=1".to_owned(),
        "imap://127.0.0.1/Drafts/;UID=1".to_owned(),
        "file:///etc/passwd".to_owned(),
        "/Drafts/;UID=1/;URLAUTH=anonymous:internal".to_owned(),
    ];
    for bad in cases {
        let text = literal("A: b\r\n\r\n");
        let done = imap.fails(&format!("APPEND INBOX CATENATE (TEXT {text} URL \"{bad}\")")).await;
        assert!(done.starts_with(&format!("NO [BADURL \"{bad}\"] ")), "{done}");
        // What comes unasked behind it is skipped.
        imap.send(format!("a APPEND INBOX CATENATE (URL {} TEXT {text})\r\n", literal(&bad))).await;
        assert!(imap.until("a").await.done.starts_with("NO [BADURL "), "{bad}");
    }
    for bad in ["CATENATE ()", "CATENATE (URL)", "CATENATE (TEXT \"a\")", "CATENATE"] {
        assert!(imap.fails(&format!("APPEND INBOX {bad}")).await.starts_with("BAD "), "{bad}");
    }
    // Nothing in it is no message.
    let empty = literal("");
    assert!(imap.fails(&format!("APPEND INBOX CATENATE (TEXT {empty})")).await.starts_with("NO "));
    assert_eq!(imap.brings("STATUS INBOX (MESSAGES)").await, ["* STATUS INBOX (MESSAGES 0)"]);
}

#[tokio::test]
async fn nobody_elses_messages_are_named() {
    let (tenant, ann, mut imap, url) = drafts().await;
    let bob = tenant.mailbox("bob").await;
    let mut other = Imap::of(&bob).await;
    other.put("Drafts", "", "other").await;
    // Bob has a Drafts of his own, with another message 1 and another UIDVALIDITY.
    let mine = "APPEND INBOX CATENATE (URL /Drafts/;UID=1)";
    other.ok(mine).await;
    other.ok("SELECT INBOX").await;
    let copy = String::from_utf8(other.literal("FETCH 1 BODY.PEEK[]").await).unwrap();
    assert!(copy.contains("Subject: other"), "{copy}");
    for foreign in [format!("/{ann}/Drafts/;UID=1"), format!("/user/{ann}/Drafts/;UID=1")] {
        let done = other.fails(&format!("APPEND INBOX CATENATE (URL \"{foreign}\")")).await;
        assert!(done.starts_with("NO [BADURL "), "{done}");
    }
    imap.ok(&format!("APPEND INBOX CATENATE (URL \"{url}\")")).await;
}

#[tokio::test]
async fn it_cannot_grow_beyond_a_message_or_the_quota() {
    let (_tenant, ann, mut imap, url) = drafts().await;
    // The message is a little above 700 KB; 52428800 octets are the most.
    let many = vec![format!("URL \"{url}\""); 80].join(" ");
    let done = imap.fails(&format!("APPEND INBOX CATENATE ({many})")).await;
    assert!(done.starts_with("NO [TOOBIG] "), "{done}");
    let many = vec![format!("URL \"{url}/;SECTION=1\""); 101].join(" ");
    let done = imap.fails(&format!("APPEND INBOX CATENATE ({many})")).await;
    assert!(done.starts_with("NO [LIMIT] "), "{done}");
    let done = imap.fails("APPEND INBOX CATENATE (URL {8193+}").await;
    assert!(done.starts_with("BAD "), "{done}");
    imap.send(format!("{}\r\n", "x".repeat(8193))).await;
    imap.ok("NOOP").await;
    let limit = format!("UPDATE email_addresses SET quota_bytes = 1000000 WHERE address = '{ann}'");
    run(&server().await.pool, &limit).await;
    let done = imap.fails(&format!("APPEND INBOX CATENATE (URL \"{url}\")")).await;
    assert!(done.starts_with("NO [OVERQUOTA] "), "{done}");
}
