//! The quota holds exactly, however many bring messages at once.

use tokio::task::JoinSet;

use crate::support::imap::Imap;
use crate::support::server::server;
use crate::support::sql::{run, strings};

#[tokio::test]
async fn parallel_appends_and_copies_end_at_the_quota() {
    let server = server().await;
    let tenant = server.tenant().await;
    let ann = tenant.mailbox("ann").await;
    let mut imap = Imap::of(&ann).await;
    imap.put("INBOX", "", "first").await;
    let quota = format!("UPDATE email_addresses SET quota_messages = 8 WHERE address = '{ann}'");
    run(&server.pool, &quota).await;
    let mut sessions = JoinSet::new();
    for n in 0..6 {
        let ann = ann.clone();
        sessions.spawn(async move {
            let mut imap = Imap::select(&ann, "INBOX").await;
            let target = if n % 2 == 0 { "INBOX" } else { "Archive" };
            let mut taken = 0;
            for i in 0..3 {
                let message = format!("Subject: {n} {i}\r\n\r\nText {n} {i}.\r\n");
                let done = imap.append(target, "", message.as_bytes()).await;
                let copied = imap.run("COPY 1 Sent").await.done;
                for done in [done, copied] {
                    assert!(done.starts_with("OK") || done.starts_with("NO [OVERQUOTA]"), "{done}");
                    taken += usize::from(done.starts_with("OK"));
                }
            }
            taken
        });
    }
    let taken: usize = sessions.join_all().await.into_iter().sum();
    assert_eq!(taken, 7, "as many as there was room for");
    let counted = format!("SELECT count(*)::text FROM {}.folder_entries", tenant.schema);
    assert_eq!(strings(&server.pool, &counted).await, ["8"]);
}
