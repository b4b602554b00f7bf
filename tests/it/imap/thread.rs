//! THREAD (RFC 5256).

use crate::support::imap::Imap;
use crate::support::server::server;

#[tokio::test]
async fn conversations_are_found_both_ways() {
    let ann = server().await.tenant().await.mailbox("ann").await;
    let mut imap = Imap::of(&ann).await;
    for (day, id, refers, subject) in [
        (1, "a", "", "one"),
        (2, "b", "References: <a@x>\r\n", "Re: one"),
        (3, "c", "References: <a@x> <b@x>\r\n", "Re: one"),
        (4, "d", "In-Reply-To: <a@x>\r\n", "Re: one"),
        (5, "e", "References: <gone@x>\r\n", "two"),
        (6, "f", "References: <gone@x>\r\n", "two"),
        (7, "g", "", "three"),
        (8, "h", "", "Re: three"),
    ] {
        let message = format!(
            "From: a@x.example\r\nDate: {day} Feb 1994 10:00:00 +0000\r\nSubject: {subject}\r\n\
             Message-ID: <{id}@x>\r\n{refers}\r\nbody\r\n"
        );
        assert!(imap.append("INBOX", "", message.as_bytes()).await.starts_with("OK"));
    }
    imap.brings("SELECT INBOX").await;
    for (command, expected) in [
        ("THREAD REFERENCES UTF-8 ALL", "(1 (2 3)(4))((5)(6))(7 8)"),
        ("UID THREAD REFERENCES US-ASCII NOT 1", "((2 3)(4))((5)(6))(7 8)"),
        ("THREAD ORDEREDSUBJECT UTF-8 ALL", "(1 (2)(3)(4))(5 6)(7 8)"),
        ("THREAD ORDEREDSUBJECT UTF-8 SUBJECT three", "(7 8)"),
    ] {
        assert_eq!(imap.brings(command).await, [format!("* THREAD {expected}")], "{command}");
    }
    let text = "THREAD REFERENCES US-ASCII TEXT \"gewp\"";
    assert_eq!(imap.brings(text).await, ["* THREAD"]);
    assert!(imap.fails("THREAD GUESS UTF-8 ALL").await.starts_with("BAD"));
    assert!(imap.fails("THREAD REFERENCES KOI8-R ALL").await.starts_with("NO [BADCHARSET"));
}
