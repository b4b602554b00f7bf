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
