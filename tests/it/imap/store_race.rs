//! Flags that many sessions change at the same moment: each gets what it asked for.

use tokio::task::JoinSet;

use crate::support::imap::Imap;
use crate::support::server::server;
use crate::support::sql::strings;

/// Messages in each folder.
const MESSAGES: usize = 6;

/// Gives each message of a folder `keyword` and \Seen, and takes \Seen off every second one again.
async fn flag(ann: String, folder: String, keyword: String) {
    let mut imap = Imap::select(&ann, &folder).await;
    for n in 1..=MESSAGES {
        let told = imap.brings(&format!("STORE {n} +FLAGS (\\Seen {keyword})")).await.join(" ");
        assert!(told.contains(&keyword) && told.contains("\\Seen"), "{told}");
        if n % 2 == 0 {
            let told = imap.brings(&format!("STORE {n} -FLAGS (\\Seen)")).await.join(" ");
            assert!(told.contains(&keyword), "{told}");
        }
    }
}

#[tokio::test]
async fn what_is_stored_together_comes_to_what_each_alone_asks() {
    let server = server().await;
    let tenant = server.tenant().await;
    let ann = tenant.mailbox("ann").await;
    let mut imap = Imap::of(&ann).await;
    let folders: Vec<String> = (0..5).map(|n| format!("Box{n}")).collect();
    for folder in folders.iter().chain([&"Gone".to_owned()]) {
        imap.brings(&format!("CREATE {folder}")).await;
        for n in 0..MESSAGES {
            imap.put(folder, "", &format!("{folder} {n}")).await;
        }
    }
    let mut gone = Imap::select(&ann, "Gone").await;
    imap.brings("DELETE Gone").await;
    let mut sessions = JoinSet::new();
    // Two for each folder: their keywords do not get into each other's way.
    for folder in &folders {
        for keyword in ["one", "two"] {
            sessions.spawn(flag(ann.clone(), folder.clone(), keyword.to_owned()));
        }
    }
    // What cannot be done for one is told to nobody else.
    for _ in 0..MESSAGES {
        let refused = gone.run("UID STORE 1:* +FLAGS (\\Flagged)").await.done;
        assert!(!refused.starts_with("BAD"), "{refused}");
    }
    while let Some(done) = sessions.join_next().await {
        done.unwrap();
    }
    let entries = format!(
        "SELECT f.name || ' ' || count(*) FILTER (WHERE e.keywords @> '{{one,two}}') || ' '
            || (f.unseen_count = count(*) FILTER (WHERE NOT e.seen)) || ' '
            || (f.highestmodseq >= max(e.modseq))
         FROM {0}.folders f JOIN {0}.folder_entries e ON e.folder_id = f.id
         GROUP BY f.id ORDER BY f.name",
        tenant.schema
    );
    let right = folders.iter().map(|folder| format!("{folder} {MESSAGES} true true"));
    assert_eq!(strings(&server.pool, &entries).await, right.collect::<Vec<_>>());
    let reads = format!(
        "SELECT count(*)::text FROM {0}.email_reads WHERE reader = '{ann}' AND source = 'imap'",
        tenant.schema
    );
    let read = strings(&server.pool, &reads).await;
    assert_eq!(read, [(folders.len() * MESSAGES).to_string()]);
}
