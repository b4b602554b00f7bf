//! Another program edits the tables: sessions hear of it as of anything else.

use super::condstore::highest;
use crate::support::imap::Imap;
use crate::support::server::server;
use crate::support::sql::{run, strings};

#[tokio::test]
async fn flags_and_messages_edited_by_sql() {
    let server = server().await;
    let tenant = server.tenant().await;
    let ann = tenant.mailbox("ann").await;
    let schema = &tenant.schema;
    let mut imap = Imap::of(&ann).await;
    for subject in ["one", "two", "three"] {
        imap.put("INBOX", "", subject).await;
    }
    let before = highest(&imap.brings("SELECT INBOX (CONDSTORE)").await);
    imap.idle().await;
    run(
        &server.pool,
        &format!("UPDATE {schema}.folder_entries SET flagged = true, seen = true WHERE uid = 2"),
    )
    .await;
    let told = imap.wait_for("* 2 FETCH (UID 2 FLAGS (").await;
    assert!(told.contains("\\Flagged") && told.contains("MODSEQ ("), "{told}");
    run(&server.pool, &format!("DELETE FROM {schema}.folder_entries WHERE uid = 1")).await;
    imap.wait_for("* 1 EXPUNGE").await;
    imap.done().await;
    let status = imap.brings("STATUS INBOX (MESSAGES UNSEEN HIGHESTMODSEQ)").await;
    assert!(status[0].starts_with("* STATUS INBOX (MESSAGES 2 UNSEEN 1 "), "{status:?}");
    assert_eq!(highest(&status), before + 2);
    let right = format!(
        "SELECT (f.size_bytes = sum(m.size_bytes))::text FROM {schema}.folders f
         JOIN {schema}.folder_entries e ON e.folder_id = f.id JOIN {schema}.emails m ON m.id = e.email_id
         WHERE f.name = 'INBOX' GROUP BY f.id"
    );
    assert_eq!(strings(&server.pool, &right).await, ["true"]);
    // Nothing changed, so nothing is told.
    run(&server.pool, &format!("UPDATE {schema}.folder_entries SET flagged = flagged")).await;
    assert_eq!(highest(&imap.brings("STATUS INBOX (HIGHESTMODSEQ)").await), before + 2);
}

#[tokio::test]
async fn a_first_seen_is_a_read() {
    let server = server().await;
    let tenant = server.tenant().await;
    let ann = tenant.mailbox("ann").await;
    let mut imap = Imap::of(&ann).await;
    imap.put("INBOX", "", "one").await;
    imap.brings("SELECT INBOX").await;
    let reads = format!("SELECT reader FROM {}.email_reads WHERE source = 'imap'", tenant.schema);
    imap.brings("FETCH 1 BODY.PEEK[]").await;
    assert!(strings(&server.pool, &reads).await.is_empty());
    imap.brings("FETCH 1 BODY[TEXT]").await;
    imap.brings("STORE 1 -FLAGS (\\Seen)").await;
    imap.brings("STORE 1 +FLAGS (\\Seen)").await;
    assert_eq!(strings(&server.pool, &reads).await, [ann]);
}
