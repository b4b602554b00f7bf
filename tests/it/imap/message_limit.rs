//! A server that takes so many messages a command, and says so (RFC 9738).

use super::nodes::node;
use crate::support::imap::Imap;
use crate::support::server::{PASSWORD, server};

/// Seven messages in INBOX, on a server that takes three a command.
async fn seven(folder: &std::path::Path) -> (koltrix_mail::app::Running, Imap) {
    let tenant = server().await.tenant().await;
    let ann = tenant.mailbox("ann").await;
    let mut imap = Imap::of(&ann).await;
    for n in 1..=7 {
        imap.put("INBOX", "", &format!("number {n}")).await;
    }
    let bounded = node(folder, |config| config.limits.messages_per_command = 3).await;
    let mut imap = Imap::greeted_tls(bounded.addresses.imap_tls.unwrap()).await;
    imap.ok(&format!("LOGIN {ann} \"{PASSWORD}\"")).await;
    imap.brings("SELECT INBOX").await;
    (bounded, imap)
}

#[tokio::test]
async fn the_newest_are_taken_and_the_client_is_told_how_far() {
    let folder = tempfile::tempdir().unwrap();
    let (_node, mut imap) = seven(folder.path()).await;
    let told = imap.brings("CAPABILITY").await;
    assert!(told[0].contains(" MESSAGELIMIT=3"), "{told:?}");

    let fetched = imap.run("FETCH 1:* (UID)").await;
    assert!(fetched.done.starts_with("OK [MESSAGELIMIT 3 5]"), "{fetched:?}");
    assert_eq!(fetched.untagged, ["* 5 FETCH (UID 5)", "* 6 FETCH (UID 6)", "* 7 FETCH (UID 7)"]);
    // As many as it takes, and those that the client goes on with.
    let rest = imap.run("UID FETCH 2:4 (UID)").await;
    assert!(!rest.done.contains("MESSAGELIMIT") && rest.untagged.len() == 3, "{rest:?}");

    let found = imap.run("UID SEARCH SUBJECT number").await;
    assert!(found.done.starts_with("OK [MESSAGELIMIT 3 5]"), "{found:?}");
    assert_eq!(found.untagged, ["* SEARCH 5 6 7"]);
    let found = imap.run("UID SEARCH UIDBEFORE 5 UIDAFTER 1 SUBJECT number").await;
    assert!(!found.done.contains("MESSAGELIMIT"), "{found:?}");
    assert_eq!(found.untagged, ["* SEARCH 2 3 4"]);
    // What is saved is cut as well (RFC 5182).
    imap.run("UID SEARCH RETURN (SAVE) ALL").await;
    assert_eq!(imap.brings("UID SEARCH $").await, ["* SEARCH 5 6 7"]);

    let stored = imap.run("UID STORE 1:* +FLAGS.SILENT (\\Deleted)").await;
    assert!(stored.untagged.iter().any(|l| l.starts_with("* OK [MESSAGELIMIT 3 5]")), "{stored:?}");
    assert_eq!(imap.brings("UID SEARCH UID 5:* DELETED").await, ["* SEARCH 5 6 7"]);
    assert_eq!(imap.brings("UID SEARCH UID 2:4 DELETED").await, ["* SEARCH"]);
}

#[tokio::test]
async fn what_is_all_or_none_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (_node, mut imap) = seven(folder.path()).await;
    let refused = imap.fails("COPY 1:* Archive").await;
    assert!(refused.starts_with("NO [MESSAGELIMIT 3]"), "{refused}");
    assert_eq!(imap.brings("STATUS Archive (MESSAGES)").await, ["* STATUS Archive (MESSAGES 0)"]);
    let moved = imap.run("MOVE 1:* Archive").await;
    assert!(moved.done.starts_with("OK [MESSAGELIMIT 3 5]"), "{moved:?}");
    assert_eq!(imap.brings("UID SEARCH ALL").await.last().unwrap(), "* SEARCH 2 3 4");
    for set in ["1:2", "3:4"] {
        imap.brings(&format!("UID STORE {set} +FLAGS.SILENT (\\Deleted)")).await;
    }
    let gone = imap.run("UID EXPUNGE 1:*").await;
    assert!(gone.done.starts_with("OK [MESSAGELIMIT 3 2]"), "{gone:?}");
    assert_eq!(imap.brings("UID SEARCH ALL").await, ["* SEARCH 1"]);
    // Without a number of messages there is no limit.
    imap.brings("EXPUNGE").await;
    assert_eq!(imap.brings("UID SEARCH ALL").await, ["* SEARCH"]);
}
