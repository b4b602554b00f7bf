//! IMAP4rev2 (RFC 9051) for who turns it on; nothing changes for the others.

use crate::support::imap::Imap;
use crate::support::server::server;

#[tokio::test]
async fn nothing_is_recent_and_the_mailbox_is_named() {
    let ann = server().await.tenant().await.mailbox("ann").await;
    let mut old = Imap::of(&ann).await;
    let mut new = Imap::of(&ann).await;
    assert_eq!(new.brings("ENABLE IMAP4rev2").await, ["* ENABLED IMAP4rev2"]);
    old.put("INBOX", "", "one").await;
    let opened = new.brings("SELECT INBOX").await;
    assert!(opened.iter().any(|line| line == "* LIST () \"/\" INBOX"), "{opened:?}");
    assert!(!opened.iter().any(|line| line.contains("RECENT") || line.contains("UNSEEN")));
    assert_eq!(new.brings("FETCH 1 FLAGS").await, ["* 1 FETCH (FLAGS ())"]);
    old.put("INBOX", "", "two").await;
    assert_eq!(new.brings("NOOP").await, ["* 2 EXISTS"]);
    // RFC 9051 section 7.1: what follows is of the next mailbox.
    assert!(new.brings("EXAMINE Sent").await[0].starts_with("* OK [CLOSED] "));

    let opened = old.brings("SELECT INBOX").await;
    assert!(opened.iter().any(|line| line.ends_with(" RECENT")), "{opened:?}");
    assert!(!opened.iter().any(|line| line.starts_with("* LIST")), "{opened:?}");
}

/// RFC 9051 sections 6.4.4 and 7.3.4: SEARCH without RETURN is SEARCH RETURN (ALL).
#[tokio::test]
async fn every_search_is_answered_by_esearch() {
    let ann = server().await.tenant().await.mailbox("ann").await;
    let mut old = Imap::select(&ann, "INBOX").await;
    for subject in ["one", "two", "three"] {
        old.put("INBOX", "(\\Flagged)", subject).await;
    }
    let mut new = Imap::of(&ann).await;
    new.ok("ENABLE IMAP4rev2").await;
    new.ok("SELECT INBOX").await;
    new.send("A282 SEARCH FLAGGED SINCE 1-Feb-1994\r\n").await;
    assert_eq!(new.until("A282").await.untagged, ["* ESEARCH (TAG \"A282\") ALL 1:3"]);
    new.send("A284 UID SEARCH SUBJECT absent\r\n").await;
    assert_eq!(new.until("A284").await.untagged, ["* ESEARCH (TAG \"A284\") UID"]);
    new.send("A285 SEARCH RETURN (MIN COUNT) FLAGGED\r\n").await;
    assert_eq!(new.until("A285").await.untagged, ["* ESEARCH (TAG \"A285\") MIN 1 COUNT 3"]);
    assert_eq!(old.brings("SEARCH FLAGGED").await.last().unwrap(), "* SEARCH 1 2 3");
}

/// RFC 9051 section 5.1 and appendix A.1: UTF-8 both ways, and an ampersand is one.
#[tokio::test]
async fn names_are_utf8() {
    let ann = server().await.tenant().await.mailbox("ann").await;
    let mut old = Imap::of(&ann).await;
    let mut new = Imap::of(&ann).await;
    new.ok("ENABLE IMAP4rev2").await;
    new.ok("CREATE \"Entwürfe/日本語\"").await;
    new.ok("CREATE \"&Jjo-\"").await;
    let listed = |name: &str| format!("* LIST (\\HasNoChildren) \"/\" {name}");
    assert_eq!(new.brings("LIST \"Entw\" \"ürfe/%\"").await, [listed("\"Entwürfe/日本語\"")]);
    assert_eq!(old.brings("LIST \"Entw&APw-rfe/\" *").await, [listed("Entw&APw-rfe/&ZeVnLIqe-")]);
    assert_eq!(new.brings("LIST \"\" &*").await, [listed("&Jjo-")]);
    assert_eq!(old.brings("LIST \"\" &-*").await, [listed("&-Jjo-")]);
    let status = new.brings("STATUS \"Entwürfe/日本語\" (MESSAGES DELETED SIZE)").await;
    assert_eq!(status, ["* STATUS \"Entwürfe/日本語\" (MESSAGES 0 DELETED 0 SIZE 0)"]);
    // A literal carries what quotes do.
    new.send("A1 EXAMINE {9+}\r\nEntwürfe\r\n").await;
    let opened = new.until("A1").await;
    assert!(opened.done.starts_with("OK [READ-ONLY]"), "{opened:?}");
    assert!(opened.untagged.contains(&"* LIST () \"/\" \"Entwürfe\"".to_owned()), "{opened:?}");
    new.send(b"A2 STATUS \"\xff\" (MESSAGES)\r\n").await;
    let refused = new.until("A2").await.done;
    assert!(refused.starts_with("NO [CANNOT]"), "{refused}");
}

/// RFC 9051 section 6.3.9.7.
#[tokio::test]
async fn who_renames_is_told_the_old_name() {
    let ann = server().await.tenant().await.mailbox("ann").await;
    let mut imap = Imap::of(&ann).await;
    imap.ok("CREATE OldMailbox").await;
    imap.ok("CREATE Else").await;
    assert_eq!(imap.brings("RENAME Else Other").await, [] as [&str; 0]);
    imap.ok("ENABLE IMAP4rev2").await;
    let told = "* LIST () \"/\" NewMailbox (\"OLDNAME\" (OldMailbox))";
    assert_eq!(imap.brings("RENAME OldMailbox NewMailbox").await, [told]);
    assert_eq!(imap.brings("RENAME INBOX Kept").await, [] as [&str; 0]);
}

/// RFC 9051 section 6.4.5: parts without their transfer encoding.
#[tokio::test]
async fn parts_are_fetched_decoded() {
    let ann = server().await.tenant().await.mailbox("ann").await;
    let mut imap = Imap::of(&ann).await;
    let message = "From: ann@client.example\r\nMIME-Version: 1.0\r\n\
        Content-Type: multipart/mixed; boundary=x\r\n\r\n\
        --x\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\nGr=C3=BC=C3=9Fe\r\n\
        --x\r\nContent-Type: application/octet-stream\r\nContent-Transfer-Encoding: base64\r\n\r\n\
        AGE=\r\n--x\r\nContent-Transfer-Encoding: x-own\r\n\r\nabc\r\n--x--\r\n";
    assert!(imap.append("INBOX", "", message.as_bytes()).await.starts_with("OK"));
    imap.ok("SELECT INBOX").await;
    let sizes = imap.brings("FETCH 1 (BINARY.SIZE[1] BINARY.SIZE[2])").await;
    assert_eq!(sizes, ["* 1 FETCH (BINARY.SIZE[1] 7 BINARY.SIZE[2] 2)"]);
    let text = imap.brings("FETCH 1 BINARY.PEEK[1]").await;
    assert_eq!(text, ["* 1 FETCH (BINARY[1] {7}\r\nGrüße)"]);
    let some = imap.brings("FETCH 1 BINARY.PEEK[1]<2.2>").await;
    assert_eq!(some, ["* 1 FETCH (BINARY[1]<2> {2}\r\nü)"]);
    // NUL needs a literal that may hold it; and now it has been read.
    let octets = imap.brings("FETCH 1 BINARY[2]").await;
    assert_eq!(octets[0], "* 1 FETCH (BINARY[2] ~{2}\r\n\0a)");
    assert!(octets[1].contains("\\Seen"), "{octets:?}");
    let whole = imap.literal("FETCH 1 BINARY[]").await;
    assert_eq!(whole, imap.literal("FETCH 1 BODY[]").await);
    assert!(imap.fails("FETCH 1 BINARY[3]").await.starts_with("NO [UNKNOWN-CTE] "));
    assert_eq!(imap.brings("FETCH 1 BINARY[4]").await, ["* 1 FETCH (BINARY[4] NIL)"]);
}
