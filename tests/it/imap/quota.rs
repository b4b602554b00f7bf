//! GETQUOTA, GETQUOTAROOT, SETQUOTA (RFC 9208), and the STATUS items about sizes.

use crate::support::imap::Imap;
use crate::support::server::server;
use crate::support::sql::run;

#[tokio::test]
async fn a_mailbox_sees_what_it_may_hold() {
    let tenant = server().await.tenant().await;
    let ann = tenant.mailbox("ann").await;
    let mut imap = Imap::of(&ann).await;
    // Without limits there is no root.
    assert_eq!(imap.brings("GETQUOTAROOT INBOX").await, ["* QUOTAROOT INBOX"]);
    assert!(imap.fails("GETQUOTA \"\"").await.starts_with("NO [NONEXISTENT]"));

    let limit = format!(
        "UPDATE email_addresses SET quota_bytes = 524288, quota_messages = 2 WHERE address = '{ann}'"
    );
    run(&server().await.pool, &limit).await;
    imap.put("INBOX", "", "one").await;
    imap.put("Sent", "", "two").await;
    let quota = "* QUOTA \"\" (STORAGE 1 512 MESSAGE 2 2)";
    assert_eq!(imap.brings("GETQUOTA \"\"").await, [quota]);
    assert_eq!(imap.brings("GETQUOTAROOT INBOX").await, ["* QUOTAROOT INBOX \"\"", quota]);
    // A mailbox that could be made (RFC 9208 §4.1.2).
    assert_eq!(imap.brings("GETQUOTAROOT new").await, ["* QUOTAROOT new \"\"", quota]);
    assert!(imap.fails("GETQUOTA else").await.starts_with("NO [NONEXISTENT]"));
    assert!(imap.fails("SETQUOTA \"\" (STORAGE 9)").await.starts_with("NO [NOPERM]"));
    assert!(imap.fails("GETQUOTAROOT a/../b").await.starts_with("NO [CANNOT]"));

    assert!(imap.append("INBOX", "", b"A: b\r\n\r\n").await.starts_with("NO [OVERQUOTA]"));
    imap.brings("SELECT Sent").await;
    assert!(imap.fails("COPY 1 INBOX").await.starts_with("NO [OVERQUOTA]"));
}

#[tokio::test]
async fn status_tells_sizes_and_what_expunge_would_free() {
    let tenant = server().await.tenant().await;
    let ann = tenant.mailbox("ann").await;
    let mut imap = Imap::of(&ann).await;
    assert!(imap.append("INBOX", "(\\Deleted)", b"A: b\r\n\r\n").await.starts_with("OK"));
    assert!(imap.append("INBOX", "(\\Deleted)", b"A: b\r\n\r\ncd").await.starts_with("OK"));
    assert!(imap.append("INBOX", "", b"A: b\r\n\r\ncdefgh").await.starts_with("OK"));
    let status = "* STATUS INBOX (SIZE 32 DELETED 2 DELETED-STORAGE 18 MESSAGES 3)";
    let items = "(SIZE DELETED DELETED-STORAGE MESSAGES)";
    assert_eq!(imap.brings(&format!("STATUS INBOX {items}")).await, [status]);
    let listed = imap.brings(&format!("LIST \"\" INBOX RETURN (STATUS {items})")).await;
    assert_eq!(listed, ["* LIST () \"/\" INBOX", status]);
    imap.brings("SELECT INBOX").await;
    imap.brings("EXPUNGE").await;
    let status = "* STATUS INBOX (SIZE 14 DELETED 0 DELETED-STORAGE 0)";
    assert_eq!(imap.brings("STATUS INBOX (SIZE DELETED DELETED-STORAGE)").await, [status]);
}
