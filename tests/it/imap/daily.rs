//! What a client does on a day.

use crate::support::imap::Imap;
use crate::support::server::{PASSWORD, server};

#[tokio::test]
async fn a_day_of_work() {
    let tenant = server().await.tenant().await;
    let ann = tenant.mailbox("ann").await;
    let mut imap = Imap::tls().await;
    let before = imap.brings("CAPABILITY").await;
    assert!(before[0].contains(" AUTH=PLAIN") && !before[0].contains("STARTTLS"), "{before:?}");
    let login = imap.run(&format!("LOGIN {ann} \"{PASSWORD}\"")).await;
    assert!(login.done.starts_with("OK [CAPABILITY IMAP4rev1 "), "{login:?}");
    for name in ["IDLE", "MOVE", "UIDPLUS", "SPECIAL-USE", "APPENDLIMIT=52428800"] {
        assert!(login.done.contains(name), "{name} in {login:?}");
    }
    assert_eq!(imap.brings("ID NIL").await, ["* ID (\"name\" \"koltrix-mail\")"]);
    assert_eq!(
        imap.brings("NAMESPACE").await,
        ["* NAMESPACE ((\"\" \"/\")) ((\"shared/\" \"/\")) NIL"]
    );
    assert_eq!(imap.brings("ENABLE X-GOOD-IDEA").await, ["* ENABLED"]);

    imap.put("INBOX", "", "first").await;
    imap.put("INBOX", "(\\Seen $Label1)", "second").await;
    imap.put("INBOX", "(\\Flagged) \"17-Jul-1996 02:44:25 -0700\"", "third").await;
    let opened = imap.run("SELECT inbox").await;
    assert!(opened.done.starts_with("OK [READ-WRITE]"), "{opened:?}");
    let has = |line: &str| opened.untagged.iter().any(|one| one == line);
    assert!(has("* 3 EXISTS") && has("* 3 RECENT"), "{opened:?}");
    let starts = |start: &str| opened.untagged.iter().any(|one| one.starts_with(start));
    assert!(starts("* OK [UNSEEN 1]") && starts("* OK [UIDNEXT 4]"), "{opened:?}");
    assert!(starts("* OK [UIDVALIDITY ") && starts("* FLAGS (\\Answered "), "{opened:?}");
    assert!(
        starts("* OK [PERMANENTFLAGS (") && opened.untagged.iter().any(|l| l.contains("\\*)]"))
    );

    let listed = imap.brings("FETCH 1:* (FLAGS UID INTERNALDATE RFC822.SIZE)").await;
    assert_eq!(listed.len(), 3);
    assert!(listed[2].starts_with(
        "* 3 FETCH (FLAGS (\\Flagged \\Recent) UID 3 INTERNALDATE \"17-Jul-1996 09:44:25 +0000\" "
    ));
    assert_eq!(
        imap.brings("STORE 1 +FLAGS (\\Answered)").await,
        ["* 1 FETCH (FLAGS (\\Answered \\Recent))"]
    );
    assert!(imap.brings("UID STORE 2 -FLAGS.SILENT ($Label1)").await.is_empty());
    assert_eq!(
        imap.brings("UID FETCH 2 FLAGS").await,
        ["* 2 FETCH (UID 2 FLAGS (\\Seen \\Recent))"]
    );
    assert_eq!(imap.brings("SEARCH UNSEEN").await, ["* SEARCH 1 3"]);
    assert_eq!(imap.brings("UID SEARCH SUBJECT second").await, ["* SEARCH 2"]);

    let copied = imap.run("COPY 1:2 Archive").await.done;
    assert!(copied.starts_with("OK [COPYUID ") && copied.contains(" 1:2 1:2]"), "{copied}");
    let moved = imap.run("UID MOVE 3 Trash").await;
    assert!(moved.untagged[0].starts_with("* OK [COPYUID "), "{moved:?}");
    assert_eq!(moved.untagged[1], "* 3 EXPUNGE");
    imap.brings("STORE 1 +FLAGS.SILENT (\\Deleted)").await;
    assert_eq!(imap.brings("EXPUNGE").await, ["* 1 EXPUNGE"]);
    assert_eq!(
        imap.brings("STATUS INBOX (MESSAGES UNSEEN UIDNEXT)").await,
        ["* STATUS INBOX (MESSAGES 1 UNSEEN 0 UIDNEXT 4)"]
    );
    assert!(imap.brings("CHECK").await.is_empty());
    imap.brings("CLOSE").await;
    assert!(imap.fails("FETCH 1 FLAGS").await.starts_with("BAD"));
    let goodbye = imap.brings("LOGOUT").await;
    assert_eq!(goodbye, ["* BYE Goodbye"]);
    assert_eq!(imap.rest().await, "");
}

#[tokio::test]
async fn plain_with_and_without_its_answer_at_once() {
    use base64::Engine as _;
    let tenant = server().await.tenant().await;
    let ann = tenant.mailbox("ann").await;
    let encode = |text: String| base64::engine::general_purpose::STANDARD.encode(text);
    let right = encode(format!("\0{ann}\0{PASSWORD}"));

    let mut imap = Imap::tls().await;
    imap.brings(&format!("AUTHENTICATE PLAIN {right}")).await;
    let mut imap = Imap::tls().await;
    imap.send("a AUTHENTICATE PLAIN\r\n").await;
    assert_eq!(imap.response().await, "+ ");
    imap.send(format!("{right}\r\n")).await;
    assert!(imap.until("a").await.done.starts_with("OK [CAPABILITY "));

    let mut imap = Imap::tls().await;
    imap.send("a AUTHENTICATE PLAIN\r\n").await;
    imap.response().await;
    imap.send("*\r\n").await;
    assert!(imap.until("a").await.done.starts_with("BAD"));
    assert!(imap.fails("AUTHENTICATE CRAM-MD5").await.starts_with("NO"));
    // Nobody acts for somebody else, and no failure tells more than another.
    let wrong = encode(format!("\0{ann}\0wrong"));
    let other = encode(format!("boss@x.example\0{ann}\0{PASSWORD}"));
    let unknown = encode("\0nobody@nowhere.example\0wrong".to_owned());
    let mut answers = Vec::new();
    for message in [wrong, other, unknown] {
        answers.push(imap.fails(&format!("AUTHENTICATE PLAIN {message}")).await);
    }
    assert!(answers[0].starts_with("NO [AUTHENTICATIONFAILED]"));
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
}

#[tokio::test]
async fn what_is_new_is_recent_to_one_session_only() {
    let tenant = server().await.tenant().await;
    let ann = tenant.mailbox("ann").await;
    let mut first = Imap::of(&ann).await;
    first.put("INBOX", "", "one").await;
    let seen = first.brings("EXAMINE INBOX").await;
    assert!(seen.contains(&"* 1 RECENT".to_owned()), "{seen:?}");
    let seen = first.brings("SELECT INBOX").await;
    assert!(seen.contains(&"* 1 RECENT".to_owned()), "EXAMINE takes nothing: {seen:?}");
    first.put("INBOX", "", "two").await;
    let seen = first.brings("SELECT INBOX").await;
    assert!(seen.contains(&"* 0 RECENT".to_owned()), "{seen:?}");
}
