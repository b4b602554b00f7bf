//! INPROGRESS (RFC 9585).

use sqlx::AssertSqlSafe;

use crate::support::imap::Imap;
use crate::support::server::server;

#[tokio::test]
async fn who_waits_for_long_is_told() {
    let tenant = server().await.tenant().await;
    let ann = tenant.mailbox("ann").await;
    let mut imap = Imap::of(&ann).await;
    imap.put("INBOX", "", "alpha").await;
    imap.brings("SELECT INBOX").await;
    // Somebody keeps the messages to himself.
    let mut held = server().await.pool.begin().await.unwrap();
    let lock = format!("LOCK TABLE {}.folder_entries IN ACCESS EXCLUSIVE MODE", tenant.schema);
    sqlx::raw_sql(AssertSqlSafe(lock)).execute(&mut *held).await.unwrap();
    imap.send("A001 SEARCH ALL\r\n").await;
    assert_eq!(imap.line().await, "* OK [INPROGRESS (\"A001\" NIL NIL)] Still at it");
    held.rollback().await.unwrap();
    imap.wait_for("* SEARCH 1").await;
    imap.wait_for("A001 OK").await;
}
