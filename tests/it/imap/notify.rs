//! NOTIFY (RFC 5465): a client hears of its mailboxes without asking, whoever changed them.

use super::nodes::{lose_listeners, node};
use crate::support::imap::Imap;
use crate::support::server::{PASSWORD, server};
use crate::support::sql::{run, strings};
use crate::support::{open_folder, server::Tenant};

const BOTH: &str = "(MessageNew MessageExpunge)";

/// A tenant with a mailbox, and two sessions of it.
async fn two() -> (Tenant, Imap, Imap) {
    let tenant = server().await.tenant().await;
    let ann = tenant.mailbox("ann").await;
    (tenant, Imap::of(&ann).await, Imap::of(&ann).await)
}

/// RFC 5465 section 3.1, with the parentheses that its grammar asks for.
#[tokio::test]
async fn the_dialog_of_the_standard() {
    let (_tenant, mut imap, mut other) = two().await;
    for name in ["Lists/Im2000", "Lists/Lemonade"] {
        imap.ok(&format!("CREATE {name}")).await;
    }
    other.put("Lists/Lemonade", "", "one").await;
    imap.ok("SELECT INBOX").await;
    let told = imap
        .brings(&format!(
            "notify set status (selected (MessageNew (uid body.peek[header.fields (subject)]) \
             MessageExpunge)) (subtree Lists {BOTH})"
        ))
        .await;
    let status = |name: &str| {
        let start = format!("* STATUS {name} (UIDVALIDITY ");
        told.iter().find(|line| line.starts_with(&start)).unwrap_or_else(|| panic!("{told:?}"))
    };
    assert!(status("Lists/Im2000").ends_with(" UIDNEXT 1 MESSAGES 0)"));
    assert!(status("Lists/Lemonade").ends_with(" UIDNEXT 2 MESSAGES 1)"));
    assert!(!told.iter().any(|line| line.contains("INBOX")), "{told:?}");

    // Nobody asks from here on.
    other.put("Lists/Lemonade", "", "two").await;
    assert_eq!(imap.response().await, "* STATUS Lists/Lemonade (UIDNEXT 3 MESSAGES 2)");
    other.put("INBOX", "", "three").await;
    assert_eq!(imap.response().await, "* 1 EXISTS");
    assert_eq!(imap.response().await, "* 1 RECENT");
    assert_eq!(
        imap.response().await,
        "* 1 FETCH (UID 1 BODY[HEADER.FIELDS (subject)] {18}\r\nSubject: three\r\n\r\n)"
    );
    // What changes elsewhere, and flags, were not asked for.
    other.put("Trash", "", "four").await;
    other.ok("SELECT INBOX").await;
    other.ok("STORE 1 +FLAGS (\\Deleted)").await;
    other.ok("EXPUNGE").await;
    assert_eq!(imap.response().await, "* 1 EXPUNGE");
    assert_eq!(imap.brings("NOOP").await, [] as [&str; 0]);
    imap.ok("NOTIFY NONE").await;
    other.put("Lists/Im2000", "", "five").await;
    assert_eq!(imap.brings("NOOP").await, [] as [&str; 0]);
}

/// RFC 5465 section 6.1: sequence numbers change when the client asks for something.
#[tokio::test]
async fn expunges_can_wait() {
    let (_tenant, mut imap, mut other) = two().await;
    for subject in ["one", "two"] {
        other.put("INBOX", "(\\Deleted)", subject).await;
    }
    imap.ok("SELECT INBOX").await;
    let events = "(MessageNew MessageExpunge FlagChange)";
    imap.ok(&format!("NOTIFY SET (selected-delayed {events}) (personal {events})")).await;
    other.ok("SELECT INBOX").await;
    other.ok("UID EXPUNGE 1").await;
    other.ok("STORE 1 +FLAGS (\\Flagged)").await;
    assert_eq!(imap.response().await, "* 2 FETCH (UID 2 FLAGS (\\Flagged \\Deleted \\Recent))");
    assert_eq!(imap.brings("NOOP").await, ["* 1 EXPUNGE"]);
    other.ok("COPY 1 Archive").await;
    let status = imap.response().await;
    assert!(status.starts_with("* STATUS Archive (UIDNEXT 2 MESSAGES 1 UNSEEN 1 "), "{status}");
    other.ok("SELECT Archive").await;
    other.ok("STORE 1 +FLAGS (\\Seen)").await;
    let status = imap.response().await;
    assert!(status.starts_with("* STATUS Archive (UIDVALIDITY "), "{status}");
    assert!(status.contains(" UNSEEN 0 HIGHESTMODSEQ "), "{status}");
}

/// RFC 5465 sections 5.4 and 5.5, and 6: the first group that a mailbox is in counts.
#[tokio::test]
async fn names_and_subscriptions() {
    let (tenant, mut imap, mut other) = two().await;
    imap.ok("NOTIFY SET (subtree Quiet NONE) (personal (MailboxName SubscriptionChange))").await;
    other.ok("CREATE Quiet").await;
    other.ok("CREATE OldMailbox").await;
    assert_eq!(imap.response().await, "* LIST (\\Subscribed) \"/\" OldMailbox");
    other.ok("RENAME OldMailbox NewMailbox").await;
    let renamed = "* LIST () \"/\" NewMailbox (\"OLDNAME\" (OldMailbox))";
    assert_eq!(imap.response().await, renamed);
    other.ok("UNSUBSCRIBE NewMailbox").await;
    assert_eq!(imap.response().await, "* LIST () \"/\" NewMailbox");
    other.ok("SUBSCRIBE NewMailbox").await;
    assert_eq!(imap.response().await, "* LIST (\\Subscribed) \"/\" NewMailbox");
    other.ok("DELETE NewMailbox").await;
    assert_eq!(imap.response().await, "* LIST (\\NonExistent) \"/\" NewMailbox");
    // Another program, which knows nothing of sessions.
    let named =
        format!("UPDATE {}.folders SET name = 'Kept' WHERE name = 'Archive'", tenant.schema);
    run(&server().await.pool, &named).await;
    assert_eq!(imap.response().await, "* LIST () \"/\" Kept (\"OLDNAME\" (Archive))");
    assert_eq!(imap.brings("NOOP").await, [] as [&str; 0]);
}

/// RFC 5465 section 5: what is not there is said, and what was on stays on.
#[tokio::test]
async fn unknown_events_are_named() {
    let (_tenant, mut imap, mut other) = two().await;
    imap.ok(&format!("NOTIFY SET (mailboxes INBOX {BOTH})")).await;
    let refused = imap.fails("NOTIFY SET (personal (MailboxMetadataChange))").await;
    let known = "MessageNew MessageExpunge FlagChange MailboxName SubscriptionChange";
    assert!(refused.starts_with(&format!("NO [BADEVENT ({known})] ")), "{refused}");
    assert!(imap.fails("NOTIFY SET (personal (MessageNew))").await.starts_with("BAD"));
    other.put("INBOX", "", "one").await;
    assert_eq!(imap.response().await, "* STATUS INBOX (UIDNEXT 2 MESSAGES 1)");
}

/// The other session is on another node, whose listening connection is lost again and again.
#[tokio::test]
async fn nothing_is_missed_across_nodes() {
    let server = server().await;
    let ann = server.tenant().await.mailbox("ann").await;
    let mut here = Imap::of(&ann).await;
    let [started] =
        strings(&server.pool, "SELECT clock_timestamp()::text").await.try_into().unwrap();
    let folder = open_folder();
    let node = node(folder.path(), |_| {}).await;
    let mut there = Imap::greeted_tls(node.addresses.imap_tls.unwrap()).await;
    there.ok(&format!("LOGIN {ann} \"{PASSWORD}\"")).await;
    there.ok("SELECT INBOX").await;
    there.ok(&format!("NOTIFY SET (selected {BOTH}) (personal {BOTH})")).await;
    for n in 1..=3 {
        lose_listeners(&server.pool, &started).await;
        here.put("INBOX", "", &format!("in the inbox {n}")).await;
        here.put("Trash", "", &format!("elsewhere {n}")).await;
        let mut told = vec![there.wait_for("* ").await, there.wait_for("* ").await];
        told.push(there.wait_for("* ").await);
        told.sort();
        assert_eq!(told[0], format!("* {n} EXISTS"));
        assert_eq!(told[2], format!("* STATUS Trash (UIDNEXT {} MESSAGES {n})", n + 1));
    }
    node.stop().await;
}
