//! MULTISEARCH (RFC 7377).

use crate::support::imap::Imap;
use crate::support::server::server;

/// Messages in folders of which some are below others.
async fn mailbox() -> Imap {
    let ann = server().await.tenant().await.mailbox("ann").await;
    let mut imap = Imap::of(&ann).await;
    for folder in ["folder1", "folder2/salmon", "folder2/salmon/roe", "folder3"] {
        imap.brings(&format!("CREATE {folder}")).await;
    }
    for (folder, flags, subject) in [
        ("INBOX", "", "chad"),
        ("folder1", "(\\Seen)", "other"),
        ("folder1", "", "chad one"),
        ("folder1", "", "chad two"),
        ("folder2/salmon", "", "chad fish"),
        ("folder2/salmon/roe", "(\\Seen)", "chad roe"),
        ("folder3", "", "nobody"),
    ] {
        imap.put(folder, flags, subject).await;
    }
    imap
}

/// What a search tells, without what is different each time: mailbox, and what is behind.
async fn told(imap: &mut Imap, command: &str) -> Vec<String> {
    let short = |line: &String| {
        let (tag, rest) =
            line.strip_prefix("* ESEARCH (TAG \"t").unwrap().split_once("\" MAILBOX ").unwrap();
        assert!(tag.parse::<u32>().is_ok(), "{line}");
        let (mailbox, rest) = rest.split_once(" UIDVALIDITY ").unwrap();
        let (validity, found) = rest.split_once(')').unwrap();
        assert!(validity.parse::<u32>().unwrap() > 0, "{line}");
        format!("{mailbox}{found}")
    };
    imap.brings(command).await.iter().map(short).collect()
}

/// The dialogs of RFC 7377 §2.3: nothing is told of mailboxes in which nothing is found.
#[tokio::test]
async fn several_mailboxes_are_searched_at_once() {
    let mut imap = mailbox().await;
    for (command, expected) in [
        (
            "ESEARCH IN (mailboxes \"folder1\" subtree \"folder2\") unseen",
            &["folder1 UID ALL 2:3", "folder2/salmon UID ALL 1"][..],
        ),
        (
            "ESEARCH IN (mailboxes \"folder1\" subtree-one \"folder2/salmon\") subject \"chad\"",
            &["folder1 UID ALL 2:3", "folder2/salmon UID ALL 1", "folder2/salmon/roe UID ALL 1"],
        ),
        (
            "ESEARCH IN (subtree-one folder2) RETURN (MIN COUNT) SUBJECT chad",
            &["folder2/salmon UID MIN 1 COUNT 1"],
        ),
        ("ESEARCH IN (personal) SUBJECT nobody", &["folder3 UID ALL 1"]),
        ("ESEARCH IN (mailboxes (folder1 none)) BODY \"body of other\"", &["folder1 UID ALL 1"]),
        ("ESEARCH IN (subtree folder2) RECENT", &[]),
        ("ESEARCH IN (personal) SUBJECT nothing", &[]),
    ] {
        let mut found = told(&mut imap, command).await;
        found.sort();
        assert_eq!(found, expected, "{command}");
    }
    assert!(imap.fails("ESEARCH IN (selected) ALL").await.starts_with("BAD"));
    assert!(imap.fails("ESEARCH ALL").await.starts_with("BAD"));
}

#[tokio::test]
async fn the_open_mailbox_is_searched_as_it_is_known() {
    let mut imap = mailbox().await;
    imap.brings("SELECT folder1").await;
    assert_eq!(told(&mut imap, "ESEARCH 2:3 SUBJECT two").await, ["folder1 UID ALL 3"]);
    assert_eq!(
        told(&mut imap, "ESEARCH IN (selected mailboxes INBOX) SUBJECT chad").await,
        ["INBOX UID ALL 1", "folder1 UID ALL 2:3"]
    );
    let before = told(&mut imap, "ESEARCH IN (selected personal) ALL").await;
    assert_eq!(before.iter().filter(|line| line.starts_with("folder1 ")).count(), 1);
    assert!(told(&mut imap, "ESEARCH RETURN (SAVE) UNSEEN").await.is_empty());
    assert_eq!(imap.brings("SEARCH $").await, ["* SEARCH 2 3"]);
    for mixed in ["RETURN (SAVE) ALL", "1:2", "UID 1", "NOT $"] {
        let refused = imap.fails(&format!("ESEARCH IN (selected personal) {mixed}")).await;
        assert!(refused.starts_with("BAD"), "{mixed}: {refused}");
    }
    imap.brings("ENABLE CONDSTORE").await;
    let found = told(&mut imap, "ESEARCH IN (mailboxes INBOX) MODSEQ 1").await;
    assert!(found[0].starts_with("INBOX UID ALL 1 MODSEQ "), "{found:?}");
}
