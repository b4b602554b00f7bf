//! CONDSTORE (RFC 7162 §3.1): mod-sequences told, asked for, and stored under a condition.

use tokio::task::JoinSet;

use crate::support::imap::Imap;
use crate::support::server::server;

/// The number behind `MODSEQ (`.
pub(super) fn mod_seq(line: &str) -> u64 {
    let (_, rest) = line.split_once("MODSEQ (").unwrap_or_else(|| panic!("{line}"));
    rest.split_once(')').unwrap().0.parse().unwrap()
}

/// The number of `HIGHESTMODSEQ` in these lines.
pub(super) fn highest(lines: &[String]) -> u64 {
    let number = |line: &String| {
        let (_, rest) = line.split_once("HIGHESTMODSEQ ")?;
        rest.split([']', ')']).next()?.parse().ok()
    };
    lines.iter().find_map(number).unwrap_or_else(|| panic!("{lines:?}"))
}

async fn mailbox_of_three() -> (String, Imap) {
    let ann = server().await.tenant().await.mailbox("ann").await;
    let mut imap = Imap::of(&ann).await;
    for subject in ["one", "two", "three"] {
        imap.put("INBOX", "", subject).await;
    }
    (ann, imap)
}

#[tokio::test]
async fn only_who_asks_hears_of_mod_sequences() {
    let (ann, mut imap) = mailbox_of_three().await;
    let opened = highest(&imap.brings("SELECT INBOX").await);
    let told = imap.brings("STORE 1 +FLAGS (\\Flagged)").await;
    assert_eq!(told, ["* 1 FETCH (FLAGS (\\Flagged \\Recent))"], "nobody has asked");
    let status = imap.brings("STATUS INBOX (HIGHESTMODSEQ)").await;
    assert!(highest(&status) > opened, "{status:?}");
    // That was a command that turns it on (RFC 7162 §3.1).
    let told = imap.brings("STORE 1 -FLAGS (\\Flagged)").await;
    let changed = mod_seq(&told[0]);
    assert!(changed > highest(&status) && told[0].starts_with("* 1 FETCH (FLAGS (\\Recent) "));
    let mut other = Imap::select(&ann, "INBOX").await;
    other.brings("STORE 2 +FLAGS.SILENT (\\Seen)").await;
    let news = imap.brings("NOOP").await;
    assert!(news.iter().any(|line| line.contains("UID 2") && mod_seq(line) > changed), "{news:?}");
}

#[tokio::test]
async fn what_changed_since() {
    let (_, mut imap) = mailbox_of_three().await;
    let before = highest(&imap.brings("SELECT INBOX (CONDSTORE)").await);
    let silent = imap.brings("UID STORE 2 +FLAGS.SILENT (\\Flagged)").await;
    let now = mod_seq(&silent[0]);
    assert_eq!(silent, [format!("* 2 FETCH (UID 2 MODSEQ ({now}))")]);
    let changed = imap.brings(&format!("FETCH 1:* (FLAGS) (CHANGEDSINCE {before})")).await;
    assert_eq!(changed, [format!("* 2 FETCH (FLAGS (\\Flagged \\Recent) MODSEQ ({now}))")]);
    assert!(imap.brings(&format!("UID FETCH 1:* UID (CHANGEDSINCE {now})")).await.is_empty());
    let found = imap.brings(&format!("SEARCH MODSEQ {now}")).await;
    assert_eq!(found, [format!("* SEARCH 2 (MODSEQ {now})")]);
    let found = imap.brings(&format!("SEARCH MODSEQ \"/flags/\\\\Draft\" all {}", now + 1)).await;
    assert_eq!(found, ["* SEARCH"]);
    let found = imap.brings(&format!("SEARCH RETURN (COUNT) NOT MODSEQ {now}")).await;
    assert!(found[0].contains(" COUNT 2 MODSEQ "), "{found:?}");
    let vanished = format!("UID FETCH 1:* FLAGS (CHANGEDSINCE {now} VANISHED)");
    assert!(imap.fails(&vanished).await.starts_with("BAD"), "QRESYNC is off");
}

#[tokio::test]
async fn a_conditional_store_leaves_what_somebody_else_changed() {
    let (ann, mut imap) = mailbox_of_three().await;
    let seen = highest(&imap.brings("SELECT INBOX").await);
    Imap::select(&ann, "INBOX").await.brings("STORE 2 +FLAGS ($Later)").await;
    let store = format!("STORE 1:3 (UNCHANGEDSINCE {seen}) +FLAGS.SILENT (\\Deleted)");
    let reply = imap.run(&store).await;
    assert!(reply.done.starts_with("OK [MODIFIED 2] "), "{reply:?}");
    let stored: Vec<_> = reply.untagged.iter().filter(|line| !line.contains("FLAGS")).collect();
    assert_eq!(stored.len(), 2, "{reply:?}");
    let flags = imap.brings("FETCH 1:3 FLAGS").await;
    assert_eq!(flags.iter().filter(|line| line.contains("\\Deleted")).count(), 2, "{flags:?}");
    let reply = imap.run("UID STORE 2:3 (UNCHANGEDSINCE 0) +FLAGS (\\Seen)").await;
    assert!(reply.done.starts_with("OK [MODIFIED 2:3] "), "{reply:?}");
}

#[tokio::test]
async fn one_of_many_who_store_at_once_wins() {
    let (ann, mut imap) = mailbox_of_three().await;
    let seen = highest(&imap.brings("SELECT INBOX").await);
    let mut claims = JoinSet::new();
    for n in 0..6 {
        let ann = ann.clone();
        claims.spawn(async move {
            let mut claimant = Imap::select(&ann, "INBOX").await;
            let store = format!("UID STORE 1 (UNCHANGEDSINCE {seen}) +FLAGS (Claim{n})");
            claimant.run(&store).await.done
        });
    }
    let ends = claims.join_all().await;
    let won = ends.iter().filter(|done| !done.contains("[MODIFIED 1]")).count();
    assert_eq!(won, 1, "{ends:?}");
    let flags = imap.brings("UID FETCH 1 FLAGS").await;
    assert_eq!(flags[0].matches("Claim").count(), 1, "{flags:?}");
}
