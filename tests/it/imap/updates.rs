//! What one session does, another is told: at once in IDLE, and only when it may be.

use std::time::{Duration, Instant};

use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;

use crate::support::imap::Imap;
use crate::support::server::server;

/// Sends a message by SMTP; returns when it is accepted.
async fn deliver(to: &str) {
    let socket = TcpStream::connect(server().await.at.smtp.unwrap()).await.unwrap();
    let mut smtp = BufReader::new(socket);
    let mut line = String::new();
    smtp.read_line(&mut line).await.unwrap();
    for command in [
        "HELO client.example",
        "MAIL FROM:<s@client.example>",
        &format!("RCPT TO:<{to}>"),
        "DATA",
        "From: s@client.example\r\n\r\nHello.\r\n.",
    ] {
        smtp.write_all(format!("{command}\r\n").as_bytes()).await.unwrap();
        line.clear();
        smtp.read_line(&mut line).await.unwrap();
        assert!(line.starts_with(['2', '3']), "{command}: {line}");
    }
}

#[tokio::test]
async fn idle_is_told_of_new_mail_within_a_second() {
    let tenant = server().await.tenant().await;
    let ann = tenant.mailbox("ann").await;
    let mut imap = Imap::select(&ann, "INBOX").await;
    imap.send("i IDLE\r\n").await;
    assert!(imap.response().await.starts_with("+ "));
    deliver(&ann).await;
    let accepted = Instant::now();
    assert_eq!(imap.response().await, "* 1 EXISTS");
    assert!(accepted.elapsed() < Duration::from_secs(1), "{:?}", accepted.elapsed());
    assert_eq!(imap.response().await, "* 1 RECENT");

    // And of what another session does.
    let mut other = Imap::select(&ann, "INBOX").await;
    other.brings("STORE 1 +FLAGS (\\Deleted)").await;
    assert!(imap.response().await.starts_with("* 1 FETCH (UID 1 FLAGS (\\Deleted"));
    other.brings("EXPUNGE").await;
    assert_eq!(imap.response().await, "* 1 EXPUNGE");
    imap.send("DONE\r\n").await;
    assert!(imap.until("i").await.done.starts_with("OK"));

    imap.send("j IDLE\r\nwhat?\r\n").await;
    assert!(imap.until("j").await.done.starts_with("BAD"));
}

#[tokio::test]
async fn sequence_numbers_hold_while_a_client_counts_on_them() {
    let tenant = server().await.tenant().await;
    let ann = tenant.mailbox("ann").await;
    let mut imap = Imap::of(&ann).await;
    for subject in ["one", "two", "three"] {
        imap.put("INBOX", "", subject).await;
    }
    imap.brings("SELECT INBOX").await;
    let mut other = Imap::select(&ann, "INBOX").await;
    other.brings("STORE 1 +FLAGS.SILENT (\\Deleted)").await;
    other.brings("EXPUNGE").await;
    other.put("INBOX", "", "four").await;

    // RFC 3501 §7.4.1: not in FETCH, STORE and SEARCH; but that there is more may be told.
    let told = imap.brings("FETCH 3 UID").await;
    assert_eq!(told, ["* 3 FETCH (UID 3)", "* 4 EXISTS", "* 4 RECENT"]);
    assert_eq!(imap.brings("FETCH 1 UID").await, Vec::<String>::new(), "it is gone");
    assert_eq!(imap.brings("SEARCH ALL").await, ["* SEARCH 2 3 4"]);
    let told = imap.brings("STORE 2 +FLAGS (\\Flagged)").await;
    assert_eq!(told, ["* 2 FETCH (FLAGS (\\Flagged \\Recent))"]);
    let told = imap.brings("UID FETCH 2 FLAGS").await;
    assert_eq!(told, ["* 2 FETCH (UID 2 FLAGS (\\Flagged \\Recent))", "* 1 EXPUNGE"]);
    assert_eq!(imap.brings("FETCH 1 UID").await, ["* 1 FETCH (UID 2)"]);
    assert!(imap.fails("FETCH 4 UID").await.starts_with("BAD"));
}

#[tokio::test]
async fn own_changes_are_not_told_twice() {
    let tenant = server().await.tenant().await;
    let ann = tenant.mailbox("ann").await;
    let mut imap = Imap::of(&ann).await;
    imap.put("INBOX", "", "one").await;
    imap.brings("SELECT INBOX").await;
    let mut other = Imap::select(&ann, "INBOX").await;
    assert!(imap.brings("STORE 1 +FLAGS.SILENT (\\Seen)").await.is_empty());
    assert!(imap.brings("NOOP").await.is_empty());
    let told = other.brings("NOOP").await;
    assert_eq!(told, ["* 1 FETCH (UID 1 FLAGS (\\Seen))"]);
    // What another did just before is told also to who is silent.
    other.brings("STORE 1 +FLAGS.SILENT (\\Flagged)").await;
    let told = imap.brings("STORE 1 +FLAGS.SILENT (\\Answered)").await;
    assert_eq!(told, ["* 1 FETCH (UID 1 FLAGS (\\Flagged \\Seen \\Recent))"]);
    assert!(imap.brings("NOOP").await.is_empty());
}

#[tokio::test]
async fn a_mailbox_that_is_deleted_is_empty_to_who_has_it_open() {
    let tenant = server().await.tenant().await;
    let ann = tenant.mailbox("ann").await;
    let mut imap = Imap::of(&ann).await;
    imap.brings("CREATE short").await;
    imap.put("short", "", "one").await;
    imap.put("short", "", "two").await;
    imap.brings("SELECT short").await;
    let mut other = Imap::of(&ann).await;
    other.brings("DELETE short").await;
    assert_eq!(imap.brings("NOOP").await, ["* 2 EXPUNGE", "* 1 EXPUNGE"]);
    assert!(imap.fails("EXPUNGE").await.starts_with("NO"));
    imap.brings("CLOSE").await;
    assert!(imap.fails("SELECT short").await.starts_with("NO [NONEXISTENT]"));
}

#[tokio::test]
async fn examine_changes_nothing() {
    let tenant = server().await.tenant().await;
    let ann = tenant.mailbox("ann").await;
    let mut imap = Imap::of(&ann).await;
    imap.put("INBOX", "(\\Deleted)", "one").await;
    let opened = imap.run("EXAMINE INBOX").await;
    assert!(opened.done.starts_with("OK [READ-ONLY]"));
    assert!(opened.untagged.iter().any(|line| line.starts_with("* OK [PERMANENTFLAGS ()]")));
    for command in ["STORE 1 +FLAGS (\\Seen)", "EXPUNGE", "UID EXPUNGE 1", "MOVE 1 Trash"] {
        assert!(imap.fails(command).await.starts_with("NO [READ-ONLY]"), "{command}");
    }
    imap.brings("FETCH 1 BODY[]").await;
    imap.brings("CLOSE").await;
    assert_eq!(
        imap.brings("STATUS INBOX (MESSAGES UNSEEN)").await,
        ["* STATUS INBOX (MESSAGES 1 UNSEEN 1)"]
    );
}
