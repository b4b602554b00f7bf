//! QRESYNC (RFC 7162 §3.2): who was away hears what it missed, and nothing else.

use koltrix_mail::domain::ids::TenantId;
use koltrix_mail::mail::housekeeping::sweep;
use koltrix_mail::store::db::Db;

use super::condstore::highest;
use crate::support::imap::Imap;
use crate::support::postgres;
use crate::support::server::{Tenant, server};
use crate::support::sql::{run, strings};

async fn enabled(ann: &str) -> Imap {
    let mut imap = Imap::of(ann).await;
    assert_eq!(imap.brings("ENABLE QRESYNC X-UNKNOWN").await, ["* ENABLED QRESYNC"]);
    imap
}

/// A mailbox with messages 1 to 6, and the UIDVALIDITY and HIGHESTMODSEQ a client remembers.
async fn remembered() -> (Tenant, String, u32, u64) {
    let tenant = server().await.tenant().await;
    let ann = tenant.mailbox("ann").await;
    let mut imap = enabled(&ann).await;
    for n in 1..=6 {
        imap.put("INBOX", "", &format!("m{n}")).await;
    }
    let opened = imap.brings("SELECT INBOX").await;
    let (_, rest) = opened.iter().find_map(|line| line.split_once("[UIDVALIDITY ")).unwrap();
    let validity = rest.split(']').next().unwrap().parse().unwrap();
    (tenant, ann, validity, highest(&opened))
}

/// Flags message 2, takes out 3 and 5, brings a 7.
async fn change(ann: &str) {
    let mut imap = Imap::select(ann, "INBOX").await;
    imap.brings("UID STORE 2 +FLAGS (\\Flagged)").await;
    imap.brings("UID STORE 3,5 +FLAGS (\\Deleted)").await;
    imap.brings("EXPUNGE").await;
    imap.put("INBOX", "", "m7").await;
}

fn of(lines: &[String], start: &str) -> Vec<String> {
    lines.iter().filter(|line| line.starts_with(start)).cloned().collect()
}

/// The UIDs of FETCH answers.
fn fetched(lines: &[String]) -> Vec<u32> {
    let uid = |line: &String| {
        let (_, rest) = line.split_once(" FETCH (UID ")?;
        rest.split(' ').next()?.parse().ok()
    };
    lines.iter().filter_map(uid).collect()
}

#[tokio::test]
async fn who_comes_back_hears_what_was_missed() {
    let (_tenant, ann, validity, mod_seq) = remembered().await;
    change(&ann).await;
    let mut imap = enabled(&ann).await;
    let opened = imap.brings(&format!("SELECT INBOX (QRESYNC ({validity} {mod_seq}))")).await;
    assert_eq!(of(&opened, "* VANISHED"), ["* VANISHED (EARLIER) 3,5"]);
    assert_eq!(fetched(&opened), [2, 7], "{opened:?}");
    assert!(opened.iter().filter(|line| line.contains(" FETCH ")).all(|l| l.contains("MODSEQ (")));
    // Of what it says it knows only, and again in the same session, which closes the mailbox.
    let some = format!("SELECT INBOX (QRESYNC ({validity} {mod_seq} 1:2,5:6))");
    let opened = imap.brings(&some).await;
    assert!(opened[0].starts_with("* OK [CLOSED] "), "{opened:?}");
    assert_eq!(of(&opened, "* VANISHED"), ["* VANISHED (EARLIER) 5"]);
    assert_eq!(fetched(&opened), [2]);
    // Nothing that is remembered holds under another UIDVALIDITY.
    let other = format!("SELECT INBOX (QRESYNC ({} {mod_seq}))", validity + 1);
    let opened = imap.brings(&other).await;
    assert!(of(&opened, "* VANISHED").is_empty() && fetched(&opened).is_empty());
    let asked = format!("UID FETCH 1:* (FLAGS) (CHANGEDSINCE {mod_seq} VANISHED)");
    let told = imap.brings(&asked).await;
    assert_eq!(told[0], "* VANISHED (EARLIER) 3,5");
    assert_eq!(fetched(&told), [2, 7]);
}

#[tokio::test]
async fn what_the_server_forgot_is_told_all_the_same() {
    let (tenant, ann, validity, mod_seq) = remembered().await;
    change(&ann).await;
    // Thirty days go by.
    let schema = &tenant.schema;
    let age =
        format!("UPDATE {schema}.expunged_entries SET expunged_at = now() - interval '31 days'");
    run(&server().await.pool, &age).await;
    let db = Db::connect(&postgres::url().await, 1).await.unwrap();
    sweep(&db, TenantId(tenant.id)).await.unwrap();
    db.close().await;
    let left = format!("SELECT uid::text FROM {schema}.expunged_entries");
    assert!(strings(&server().await.pool, &left).await.is_empty());
    let mut imap = enabled(&ann).await;
    let opened = imap.brings(&format!("SELECT INBOX (QRESYNC ({validity} {mod_seq}))")).await;
    assert_eq!(of(&opened, "* VANISHED"), ["* VANISHED (EARLIER) 3,5"]);
    let known = format!("SELECT INBOX (QRESYNC ({validity} {mod_seq} 4:6 (1 1)))");
    assert_eq!(of(&imap.brings(&known).await, "* VANISHED"), ["* VANISHED (EARLIER) 5"]);
}

#[tokio::test]
async fn messages_vanish_by_uid_and_the_mod_sequence_is_told() {
    let (_tenant, ann, _, _) = remembered().await;
    let mut imap = enabled(&ann).await;
    imap.brings("SELECT INBOX").await;
    imap.brings("STORE 1:2,4 +FLAGS.SILENT (\\Deleted)").await;
    let reply = imap.run("EXPUNGE").await;
    assert_eq!(reply.untagged, ["* VANISHED 1:2,4"]);
    let told = highest(std::slice::from_ref(&reply.done));
    assert_eq!(highest(&imap.brings("STATUS INBOX (HIGHESTMODSEQ)").await), told);
    let moved = imap.run("UID MOVE 3 Trash").await;
    assert!(moved.untagged.contains(&"* VANISHED 3".to_owned()), "{moved:?}");
    imap.brings("STORE 1 +FLAGS (\\Deleted)").await;
    let closed = imap.run("CLOSE").await.done;
    assert!(closed.starts_with("OK [HIGHESTMODSEQ "), "{closed}");
}

#[tokio::test]
async fn it_has_to_be_enabled() {
    let (_tenant, ann, validity, mod_seq) = remembered().await;
    let mut imap = Imap::of(&ann).await;
    let select = format!("SELECT INBOX (QRESYNC ({validity} {mod_seq}))");
    assert!(imap.fails(&select).await.starts_with("BAD"));
}
