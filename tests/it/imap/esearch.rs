//! What RETURN asks of a search: ESEARCH (RFC 4731), `$` (RFC 5182), PARTIAL (RFC 9394).

use crate::support::imap::Imap;
use crate::support::server::server;

/// Five messages; UIDs and sequence numbers differ by one.
async fn mailbox() -> Imap {
    let tenant = server().await.tenant().await;
    let ann = tenant.mailbox("ann").await;
    let mut imap = Imap::of(&ann).await;
    for (subject, flags) in [
        ("gone", "(\\Deleted)"),
        ("one", "(\\Flagged)"),
        ("two", "()"),
        ("three", "(\\Flagged)"),
        ("four", "(\\Seen)"),
        ("five", "(\\Flagged \\Seen)"),
    ] {
        imap.put("INBOX", flags, subject).await;
    }
    imap.brings("SELECT INBOX").await;
    imap.brings("EXPUNGE").await;
    imap
}

/// What a search tells behind its tag.
async fn told(imap: &mut Imap, command: &str) -> String {
    let lines = imap.brings(command).await;
    let [line] = lines.as_slice() else { panic!("{command}: {lines:?}") };
    let (tag, told) = line.strip_prefix("* ESEARCH (TAG \"").unwrap().split_once("\")").unwrap();
    assert!(tag.starts_with('t'), "{line}");
    told.to_owned()
}

#[tokio::test]
async fn the_dialog_of_rfc_4731() {
    let mut imap = mailbox().await;
    for (command, expected) in [
        ("SEARCH RETURN (MIN COUNT) FLAGGED SINCE 1-Feb-1994 NOT FROM \"Smith\"", " MIN 1 COUNT 3"),
        ("SEARCH RETURN () FLAGGED", " ALL 1,3,5"),
        ("SEARCH RETURN (ALL) ALL", " ALL 1:5"),
        ("UID SEARCH RETURN (MIN MAX) FLAGGED", " UID MIN 2 MAX 6"),
        ("UID SEARCH RETURN (ALL COUNT) SEEN", " UID COUNT 2 ALL 5:6"),
        ("SEARCH RETURN (MIN MAX ALL COUNT) SUBJECT nothing", " COUNT 0"),
        ("UID SEARCH RETURN () SUBJECT nothing", " UID"),
    ] {
        assert_eq!(told(&mut imap, command).await, expected, "{command}");
    }
    assert!(imap.fails("SEARCH RETURN (FOO) ALL").await.starts_with("BAD"));
    let refused = imap.fails("SEARCH RETURN (MIN) CHARSET KOI8-R ALL").await;
    assert!(refused.starts_with("NO [BADCHARSET"), "{refused}");
}

#[tokio::test]
async fn the_dialogs_of_rfc_5182() {
    let mut imap = mailbox().await;
    // Example 1: search, then fetch, with nothing told in between.
    assert!(imap.brings("SEARCH RETURN (SAVE) FLAGGED").await.is_empty());
    let fetched = imap.brings("FETCH $ (UID)").await;
    assert_eq!(fetched, ["* 1 FETCH (UID 2)", "* 3 FETCH (UID 4)", "* 5 FETCH (UID 6)"]);
    // Example 2: what was saved is searched in, by sequence numbers and by UIDs.
    assert_eq!(told(&mut imap, "UID SEARCH RETURN (ALL) $ SMALLER 4096").await, " UID ALL 2,4,6");
    assert_eq!(told(&mut imap, "SEARCH RETURN (ALL) UID $ UNSEEN").await, " ALL 1,3");
    assert_eq!(told(&mut imap, "SEARCH RETURN (ALL) NOT $").await, " ALL 2,4");
    // Only what was asked for is saved (§2.4).
    for (returns, saved) in [
        ("MIN SAVE", " ALL 1"),
        ("MAX SAVE", " ALL 5"),
        ("MIN MAX SAVE", " ALL 1,5"),
        ("MIN COUNT SAVE", " ALL 1,3,5"),
        ("ALL SAVE", " ALL 1,3,5"),
        ("PARTIAL 2:9 SAVE", " ALL 3,5"),
    ] {
        imap.brings(&format!("SEARCH RETURN ({returns}) FLAGGED")).await;
        assert_eq!(told(&mut imap, "SEARCH RETURN () $").await, saved, "{returns}");
    }
    // Each command that takes a set takes it.
    imap.brings("SEARCH RETURN (SAVE) SUBJECT two").await;
    assert_eq!(
        imap.brings("STORE $ +FLAGS (\\Deleted)").await,
        ["* 2 FETCH (FLAGS (\\Deleted \\Recent))"]
    );
    let copied = imap.run("UID COPY $ Archive").await.done;
    assert!(copied.starts_with("NO [TRYCREATE]") || copied.contains(" 3 1] "), "{copied}");
    imap.brings("CREATE Elsewhere").await;
    assert!(imap.run("COPY $ Elsewhere").await.done.contains(" 3 1] "));
    assert_eq!(imap.brings("UID EXPUNGE $").await, ["* 2 EXPUNGE"]);
    // What is gone is in it no more; a command on nothing works.
    assert!(imap.brings("FETCH $ (UID)").await.is_empty());
    imap.brings("SEARCH RETURN (SAVE) SUBJECT three").await;
    let moved = imap.brings("MOVE $ Elsewhere").await;
    assert_eq!(moved.last().unwrap(), "* 2 EXPUNGE");
    // A mailbox that is opened begins with nothing saved; one that cannot be searched, too.
    imap.brings("SEARCH RETURN (SAVE) ALL").await;
    imap.fails("SEARCH RETURN (SAVE) CHARSET KOI8-R ALL").await;
    imap.brings("SELECT INBOX").await;
    assert_eq!(told(&mut imap, "SEARCH RETURN () $").await, "");
    assert!(imap.fails("FETCH $:2 (UID)").await.starts_with("BAD"));
}

#[tokio::test]
async fn some_of_the_result_rfc_9394() {
    let mut imap = mailbox().await;
    for (command, expected) in [
        ("UID SEARCH RETURN (PARTIAL 1:2) ALL", " UID PARTIAL (1:2 2:3)"),
        ("UID SEARCH RETURN (PARTIAL 4:2 COUNT) ALL", " UID COUNT 5 PARTIAL (4:2 3:5)"),
        ("UID SEARCH RETURN (PARTIAL -1:-3) FLAGGED", " UID PARTIAL (-1:-3 2,4,6)"),
        ("SEARCH RETURN (PARTIAL -1:-1) ALL", " PARTIAL (-1:-1 5)"),
        ("SEARCH RETURN (PARTIAL 24000:24500) ALL", " PARTIAL (24000:24500 NIL)"),
    ] {
        assert_eq!(told(&mut imap, command).await, expected, "{command}");
    }
    assert!(imap.fails("SEARCH RETURN (ALL PARTIAL 1:2) ALL").await.starts_with("BAD"));
}

/// RFC 9394 sections 3.3 and 3.4.
#[tokio::test]
async fn some_of_what_is_fetched_rfc_9394() {
    let mut imap = mailbox().await;
    for (modifier, uids) in [
        ("PARTIAL 1:2", &[2, 3][..]),
        ("PARTIAL -1:-2", &[5, 6]),
        ("PARTIAL 4:100", &[5, 6]),
        ("PARTIAL 9:10", &[]),
        ("PARTIAL -2:-2 CHANGEDSINCE 1", &[5]),
    ] {
        let told = imap.brings(&format!("UID FETCH 1:* (UID) ({modifier})")).await;
        let of = |line: &String| -> u32 {
            let behind = line.split("(UID ").nth(1).unwrap();
            behind.split([' ', ')']).next().unwrap().parse().unwrap()
        };
        assert_eq!(told.iter().map(of).collect::<Vec<_>>(), uids, "{modifier}: {told:?}");
    }
    assert!(imap.fails("FETCH 1:* (UID) (PARTIAL 1:2)").await.starts_with("BAD"));
}
