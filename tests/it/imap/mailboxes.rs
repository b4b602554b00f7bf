//! LIST and its like, CREATE, DELETE, RENAME, SUBSCRIBE.

use crate::support::imap::Imap;
use crate::support::server::server;

/// The names in LIST and LSUB lines.
fn names(lines: &[String]) -> Vec<&str> {
    lines.iter().map(|line| line.rsplit_once("\"/\" ").unwrap().1).collect()
}

#[tokio::test]
async fn a_new_mailbox_has_what_people_expect() {
    let tenant = server().await.tenant().await;
    let ann = tenant.mailbox("ann").await;
    let mut imap = Imap::of(&ann).await;
    assert_eq!(imap.brings("LIST \"\" \"\"").await, ["* LIST (\\Noselect) \"/\" \"\""]);
    let all = imap.brings("LIST \"\" *").await;
    for (name, uses) in [("INBOX", ""), ("Sent", " \\Sent"), ("Trash", " \\Trash")] {
        let line = format!("* LIST (\\HasNoChildren{uses}) \"/\" {name}");
        assert!(all.contains(&line), "{line} in {all:?}");
    }
    let special = imap.brings("LIST (SPECIAL-USE) \"\" *").await;
    assert!(special.len() >= 4 && !names(&special).contains(&"INBOX"), "{special:?}");
    let with_status = imap.brings("LIST \"\" INBOX RETURN (STATUS (MESSAGES UIDNEXT))").await;
    assert_eq!(with_status, ["* LIST () \"/\" INBOX", "* STATUS INBOX (MESSAGES 0 UIDNEXT 1)"]);
}

#[tokio::test]
async fn levels() {
    let tenant = server().await.tenant().await;
    let ann = tenant.mailbox("ann").await;
    let mut imap = Imap::of(&ann).await;
    imap.brings("CREATE a/b/c").await;
    assert!(imap.fails("CREATE a/b").await.starts_with("NO [ALREADYEXISTS]"));
    assert_eq!(names(&imap.brings("LIST \"\" a*").await), ["a", "a/b", "a/b/c"]);
    assert_eq!(names(&imap.brings("LIST a/ %").await), ["a/b"]);
    assert_eq!(imap.brings("LIST \"\" a/%").await, ["* LIST (\\HasChildren) \"/\" a/b"]);
    // A level that was deleted is still a name above others (RFC 3501 §6.3.4).
    imap.brings("DELETE a/b").await;
    assert_eq!(
        imap.brings("LIST \"\" a/%").await,
        ["* LIST (\\NonExistent \\Noselect \\HasChildren) \"/\" a/b"]
    );
    assert!(imap.fails("SELECT a/b").await.starts_with("NO [NONEXISTENT]"));
    imap.brings("RENAME a new/place").await;
    assert_eq!(
        names(&imap.brings("LIST \"\" n*").await),
        ["new", "new/place", "new/place/b", "new/place/b/c"]
    );
    assert!(imap.fails("RENAME nothing x").await.starts_with("NO [NONEXISTENT]"));
    assert!(imap.fails("RENAME new INBOX").await.starts_with("NO [ALREADYEXISTS]"));
    assert!(imap.fails("RENAME new new/deeper").await.starts_with("NO"));
    assert!(imap.fails("DELETE INBOX").await.starts_with("NO"));
    imap.brings("CREATE \"Entw&APw-rfe 2/\"").await;
    assert_eq!(names(&imap.brings("LIST \"\" Entw*").await), ["\"Entw&APw-rfe 2\""]);
}

#[tokio::test]
async fn subscriptions() {
    let tenant = server().await.tenant().await;
    let ann = tenant.mailbox("ann").await;
    let mut imap = Imap::of(&ann).await;
    imap.brings("CREATE top/sub").await;
    imap.brings("UNSUBSCRIBE top").await;
    assert_eq!(imap.brings("LSUB \"\" top%").await, ["* LSUB (\\Noselect) \"/\" top"]);
    assert_eq!(imap.brings("LSUB \"\" top*").await, ["* LSUB () \"/\" top/sub"]);
    assert_eq!(
        imap.brings("LIST (SUBSCRIBED RECURSIVEMATCH) \"\" top").await,
        ["* LIST (\\HasChildren) \"/\" top (\"CHILDINFO\" (\"SUBSCRIBED\"))"]
    );
    assert_eq!(
        imap.brings("LIST (SUBSCRIBED) \"\" top* RETURN (CHILDREN)").await,
        ["* LIST (\\Subscribed \\HasNoChildren) \"/\" top/sub"]
    );
    imap.brings("SUBSCRIBE top").await;
    assert_eq!(imap.brings("LSUB \"\" top*").await.len(), 2);
    assert!(imap.fails("SUBSCRIBE nothing").await.starts_with("NO [NONEXISTENT]"));
}

#[tokio::test]
async fn special_uses_are_made_once() {
    let tenant = server().await.tenant().await;
    let ann = tenant.mailbox("ann").await;
    let mut imap = Imap::of(&ann).await;
    assert!(imap.fails("CREATE other (USE (\\Sent))").await.starts_with("NO [USEATTR]"));
    assert!(imap.fails("CREATE other (USE (\\Flagged))").await.starts_with("NO [USEATTR]"));
    assert!(imap.fails("SELECT other").await.starts_with("NO"), "nothing was made");
    imap.brings("DELETE Junk").await;
    imap.brings("CREATE Spam (USE (\\Junk))").await;
    assert_eq!(
        imap.brings("LIST (SPECIAL-USE) \"\" Spam").await,
        ["* LIST (\\HasNoChildren \\Junk) \"/\" Spam"]
    );
}

#[tokio::test]
async fn renaming_inbox_moves_its_messages() {
    let tenant = server().await.tenant().await;
    let ann = tenant.mailbox("ann").await;
    let mut imap = Imap::of(&ann).await;
    imap.put("INBOX", "", "one").await;
    imap.brings("SELECT INBOX").await;
    let told = imap.brings("RENAME INBOX old").await;
    assert_eq!(told, ["* 1 EXPUNGE"]);
    assert_eq!(imap.brings("STATUS old (MESSAGES)").await, ["* STATUS old (MESSAGES 1)"]);
    assert_eq!(names(&imap.brings("LIST \"\" INBOX").await), ["INBOX"]);
}
