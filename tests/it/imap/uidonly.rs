//! UIDONLY (RFC 9586): messages are named by their UIDs, and nothing else.

use crate::support::imap::Imap;
use crate::support::server::server;

/// A session with UIDs 2 to 4 in INBOX, so that no UID is the sequence number of its message, and
/// UIDONLY on.
async fn opened() -> (String, Imap) {
    let ann = server().await.tenant().await.mailbox("ann").await;
    let mut imap = Imap::select(&ann, "INBOX").await;
    for (subject, flags) in [("one", "\\Deleted"), ("two", "\\Seen"), ("three", ""), ("four", "")] {
        imap.put("INBOX", &format!("({flags})"), subject).await;
    }
    imap.ok("EXPUNGE").await;
    assert_eq!(imap.brings("ENABLE UIDONLY").await, ["* ENABLED UIDONLY"]);
    (ann, imap)
}

/// RFC 9586 sections 3.2 and 3.5.
#[tokio::test]
async fn sequence_numbers_are_refused() {
    let (_ann, mut imap) = opened().await;
    for command in [
        "FETCH 1:* (FLAGS)",
        "STORE 1 +FLAGS (\\Flagged)",
        "COPY 1 Trash",
        "MOVE 1 Trash",
        "SEARCH ALL",
        "SORT (DATE) UTF-8 ALL",
        "UID THREAD REFERENCES UTF-8 1:2",
        "UID SEARCH 1:2",
        "UID SEARCH NOT (OR SEEN 2)",
        "SELECT INBOX (QRESYNC (1 1 1:4 (1:2 2:3)))",
    ] {
        assert!(imap.fails(command).await.starts_with("BAD [UIDREQUIRED] "), "{command}");
    }
    let found = imap.brings("UID SEARCH RETURN (SAVE ALL) UID 3:*").await;
    assert!(found[0].ends_with(" UID ALL 3:4"), "{found:?}");
    assert_eq!(imap.brings("UID SEARCH $ NOT SEEN").await, ["* SEARCH 3 4"]);
}

/// RFC 9586 sections 3.3 and 3.4.
#[tokio::test]
async fn answers_name_messages_by_uid() {
    let (ann, mut imap) = opened().await;
    let mut other = Imap::select(&ann, "INBOX").await;
    assert_eq!(
        imap.brings("UID FETCH 1:3 (FLAGS)").await,
        ["* 2 UIDFETCH (FLAGS (\\Seen \\Recent))", "* 3 UIDFETCH (FLAGS (\\Recent))"]
    );
    let texts = imap.brings("UID FETCH 3 (UID BODY[HEADER.FIELDS (SUBJECT)])").await;
    assert!(texts[0].starts_with("* 3 UIDFETCH (UID 3 BODY[HEADER.FIELDS (SUBJECT)] "));
    assert_eq!(texts[1], "* 3 UIDFETCH (FLAGS (\\Seen \\Recent))");
    other.ok("UID STORE 4 +FLAGS.SILENT (\\Answered)").await;
    other.ok("UID STORE 2 +FLAGS.SILENT (\\Deleted)").await;
    other.ok("EXPUNGE").await;
    other.put("INBOX", "", "five").await;
    assert_eq!(
        imap.brings("NOOP").await,
        ["* VANISHED 2", "* 3 EXISTS", "* 3 RECENT", "* 4 UIDFETCH (FLAGS (\\Answered \\Recent))"]
    );
    let moved = imap.brings("UID MOVE 4 Trash").await;
    assert!(moved.contains(&"* VANISHED 4".to_owned()), "{moved:?}");
    let opened = imap.brings("SELECT INBOX").await;
    assert!(!opened.iter().any(|line| line.contains("[UNSEEN ")), "{opened:?}");
}
