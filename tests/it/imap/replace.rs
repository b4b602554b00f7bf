//! REPLACE and UID REPLACE (RFC 8508): the new message and the end of the old one are one change.

use super::multi_append::literal;
use crate::support::imap::Imap;
use crate::support::server::{Tenant, server};
use crate::support::sql::run;

const NEW: &str = "Subject: new\r\n\r\nThe new text\r\n";

/// Ann's Drafts with messages 1 to 4, open.
async fn drafts() -> (Tenant, String, Imap) {
    let tenant = server().await.tenant().await;
    let ann = tenant.mailbox("ann").await;
    let mut imap = Imap::of(&ann).await;
    for n in 1..=4 {
        imap.put("Drafts", "(\\Draft)", &format!("m{n}")).await;
    }
    imap.ok("SELECT Drafts").await;
    (tenant, ann, imap)
}

async fn uids(imap: &mut Imap) -> String {
    imap.brings("UID SEARCH ALL").await[0].replace("* SEARCH ", "")
}

#[tokio::test]
async fn the_examples_of_the_rfc() {
    let (_tenant, ann, mut imap) = drafts().await;
    let mut other = Imap::select(&ann, "Drafts").await;
    // RFC 8508 §3.3, with another message.
    imap.send(format!("A003 REPLACE 4 Drafts (\\Seen \\Draft) {{{}}}\r\n", NEW.len())).await;
    assert!(imap.response().await.starts_with("+ "));
    imap.send(format!("{NEW}\r\n")).await;
    let reply = imap.until("A003").await;
    let [code, gone, exists, _recent] = reply.untagged.as_slice() else { panic!("{reply:?}") };
    assert!(code.starts_with("* OK [APPENDUID ") && code.contains(" 5] "), "{code}");
    assert_eq!((gone.as_str(), exists.as_str()), ("* 4 EXPUNGE", "* 4 EXISTS"));
    assert!(reply.done.starts_with("OK "), "{reply:?}");
    assert_eq!(imap.literal("FETCH 4 BODY.PEEK[]").await, NEW.as_bytes());
    let told = other.brings("NOOP").await;
    assert!(
        told.contains(&"* 4 EXPUNGE".into()) && told.contains(&"* 4 EXISTS".into()),
        "{told:?}"
    );
    // §3.4, and into another mailbox; the URL of what goes is good until then (§4.2).
    let reply = imap.run(&format!("UID REPLACE 5 Drafts (\\Draft) {}", literal(NEW))).await;
    assert!(reply.untagged[0].starts_with("* OK [APPENDUID "), "{reply:?}");
    assert_eq!(uids(&mut imap).await, "1 2 3 6");
    let cat = format!("CATENATE (URL /;UID=2/;SECTION=HEADER TEXT {})", literal("text\r\n"));
    let reply = imap.run(&format!("REPLACE 2 Trash {cat}")).await;
    assert!(reply.done.starts_with("OK ") && reply.untagged[1] == "* 2 EXPUNGE", "{reply:?}");
    assert_eq!(uids(&mut imap).await, "1 3 6");
    imap.ok(&format!("REPLACE * {} (k) {}", literal("Drafts"), literal(NEW))).await;
    assert_eq!(uids(&mut imap).await, "1 3 7");
    imap.ok("SELECT Trash").await;
    let header = imap.literal("FETCH 1 BODY.PEEK[]").await;
    let header = String::from_utf8(header).unwrap();
    assert!(header.contains("Subject: m2") && header.ends_with("\r\n\r\ntext\r\n"), "{header}");
}

#[tokio::test]
async fn who_resynchronizes_hears_of_both() {
    let (_tenant, ann, _) = drafts().await;
    let mut imap = Imap::of(&ann).await;
    imap.ok("ENABLE QRESYNC").await;
    imap.ok("SELECT Drafts").await;
    let before = super::condstore::highest(&imap.brings("STATUS Drafts (HIGHESTMODSEQ)").await);
    let reply = imap.run(&format!("UID REPLACE 2 Drafts {}", literal(NEW))).await;
    assert_eq!(reply.untagged[1..3], ["* VANISHED 2", "* 4 EXISTS"], "{reply:?}");
    let now = super::condstore::highest(std::slice::from_ref(&reply.done));
    assert_eq!(super::condstore::highest(&imap.brings("STATUS Drafts (HIGHESTMODSEQ)").await), now);
    let told =
        imap.brings(&format!("UID FETCH 1:* (FLAGS) (CHANGEDSINCE {before} VANISHED)")).await;
    assert_eq!(told[0], "* VANISHED (EARLIER) 2");
    assert!(told.len() == 2 && told[1].contains("UID 5 "), "{told:?}");
    // Where sequence numbers are over, only UIDs say which.
    imap.ok("ENABLE UIDONLY").await;
    let done = imap.fails(&format!("REPLACE 1 Drafts {}", literal(NEW))).await;
    assert!(done.starts_with("BAD [UIDREQUIRED] "), "{done}");
    imap.ok(&format!("UID REPLACE 1 Drafts {}", literal(NEW))).await;
}

#[tokio::test]
async fn what_cannot_be_replaced_stays() {
    let (_tenant, ann, mut imap) = drafts().await;
    let new = literal(NEW);
    for (command, answer) in [
        (format!("REPLACE 5 Drafts {new}"), "BAD "),
        (format!("REPLACE 1:2 Drafts {new}"), "BAD "),
        (format!("REPLACE 1 Drafts {new} {new}"), "BAD "),
        (format!("REPLACE 1 Drafts {new} x"), "BAD "),
        (format!("UID REPLACE 99 Drafts {new}"), "NO [EXPUNGEISSUED] "),
        (format!("REPLACE 1 Nowhere {new}"), "NO [TRYCREATE] "),
        ("REPLACE 1 Drafts {0+}\r\n".to_owned(), "NO "),
        ("REPLACE 1 Drafts CATENATE (URL /;UID=99)".to_owned(), "NO [BADURL "),
        ("REPLACE 1 Drafts".to_owned(), "BAD "),
    ] {
        let done = imap.fails(&command).await;
        assert!(done.starts_with(answer), "{command}: {done}");
    }
    assert!(imap.fails("REPLACE 1 Drafts {52428801}").await.starts_with("NO [TOOBIG] "));
    assert_eq!(uids(&mut imap).await, "1 2 3 4");
    // Gone before the client has heard of it.
    let mut other = Imap::select(&ann, "Drafts").await;
    imap.send(format!("a REPLACE 1 Drafts {{{}}}\r\n", NEW.len())).await;
    assert!(imap.response().await.starts_with("+ "));
    other.ok("UID STORE 1 +FLAGS.SILENT (\\Deleted)").await;
    other.ok("EXPUNGE").await;
    imap.send(format!("{NEW}\r\n")).await;
    let reply = imap.until("a").await;
    assert!(reply.done.starts_with("NO [EXPUNGEISSUED] "), "{reply:?}");
    assert_eq!(uids(&mut imap).await, "2 3 4");
    imap.ok("EXAMINE Drafts").await;
    let done = imap.fails(&format!("REPLACE 1 Drafts {new}")).await;
    assert!(done.starts_with("NO [READ-ONLY] "), "{done}");
    imap.ok("UNSELECT").await;
    assert!(imap.fails(&format!("REPLACE 1 Drafts {new}")).await.starts_with("BAD "));
}

#[tokio::test]
async fn a_full_mailbox_may_replace_but_not_grow() {
    let (_tenant, ann, mut imap) = drafts().await;
    let limit = format!(
        "UPDATE email_addresses SET quota_messages = 4, quota_bytes = 2000 WHERE address = '{ann}'"
    );
    run(&server().await.pool, &limit).await;
    imap.ok(&format!("REPLACE 1 Drafts {}", literal(NEW))).await;
    assert_eq!(uids(&mut imap).await, "2 3 4 5");
    let large = literal(&format!("{NEW}{}", "x".repeat(2000)));
    let reply = imap.run(&format!("REPLACE 1 Drafts {large}")).await;
    assert!(reply.done.starts_with("NO [OVERQUOTA] ") && reply.untagged.is_empty(), "{reply:?}");
    assert_eq!(uids(&mut imap).await, "2 3 4 5");
    assert_eq!(
        imap.brings("STATUS Drafts (MESSAGES UIDNEXT)").await,
        ["* STATUS Drafts (MESSAGES 4 UIDNEXT 6)"]
    );
}
