//! Folders that mailboxes of one organisation share (RFC 4314), and that nobody else gets at.

use super::multi_append::literal;
use crate::support::imap::Imap;
use crate::support::server::server;
use crate::support::sql::run;

/// Ann, and Bob of the same organisation, with a folder `Work` of Ann's and its name in Bob's eyes.
async fn ann_and_bob() -> (Imap, Imap, String, String) {
    let tenant = server().await.tenant().await;
    let (ann, bob) = (tenant.mailbox("ann").await, tenant.mailbox("bob").await);
    let mut imap = Imap::of(&ann).await;
    imap.brings("CREATE Work").await;
    imap.put("Work", "", "one").await;
    let shared = format!("shared/{ann}/Work");
    (imap, Imap::of(&bob).await, shared, bob)
}

#[tokio::test]
async fn rights_are_given_told_and_taken() {
    let (mut ann, mut bob, shared, bobs) = ann_and_bob().await;
    let anns = shared.split('/').nth(1).unwrap().to_owned();
    assert_eq!(ann.brings("MYRIGHTS Work").await, ["* MYRIGHTS Work lrswipkxteacd"]);
    assert!(bob.fails(&format!("MYRIGHTS {shared}")).await.starts_with("NO [NONEXISTENT]"));
    ann.brings(&format!("SETACL Work {bobs} lrswd")).await;
    ann.brings(&format!("SETACL Work {bobs} -x")).await;
    ann.brings("SETACL Work anyone +l").await;
    assert_eq!(
        ann.brings("GETACL Work").await,
        [format!("* ACL Work {anns} lrswipkxteacd {bobs} lrswted anyone l")]
    );
    assert_eq!(
        ann.brings(&format!("LISTRIGHTS Work {bobs}")).await,
        [format!("* LISTRIGHTS Work {bobs} \"\" l r s w i p k x t e a")]
    );
    assert_eq!(
        bob.brings(&format!("MYRIGHTS {shared}")).await,
        [format!("* MYRIGHTS {shared} lrswted")]
    );
    // Who may not administer it learns nothing of others (RFC 4314 §4).
    assert!(bob.fails(&format!("GETACL {shared}")).await.starts_with("NO [NOPERM]"));
    let more = bob.fails(&format!("SETACL {shared} {bobs} lrswipkxtea")).await;
    assert!(more.starts_with("NO [NOPERM]"), "{more}");
    assert!(ann.fails(&format!("SETACL Work {anns} l")).await.starts_with("NO [CANNOT]"));
    assert!(ann.fails("SETACL Work nobody@else.test l").await.starts_with("NO"));
    assert!(ann.fails("SETACL Work anyone q").await.starts_with("BAD"));
    ann.brings(&format!("DELETEACL Work {bobs}")).await;
    assert!(bob.fails(&format!("SELECT {shared}")).await.starts_with("NO [NOPERM]"));
    ann.brings("DELETEACL Work anyone").await;
    assert!(bob.fails(&format!("SELECT {shared}")).await.starts_with("NO [NONEXISTENT]"));
}

#[tokio::test]
async fn what_may_not_be_read_is_not_catenated_and_what_may_not_go_is_not_replaced() {
    let (mut ann, mut bob, shared, bobs) = ann_and_bob().await;
    let copy = format!("APPEND INBOX CATENATE (URL \"/{shared}/;UID=1\")");
    for rights in ["\"\"", "lswi"] {
        ann.brings(&format!("SETACL Work {bobs} {rights}")).await;
        assert!(bob.fails(&copy).await.starts_with("NO [BADURL "), "{rights}");
    }
    ann.brings(&format!("SETACL Work {bobs} lrit")).await;
    bob.ok(&copy).await;
    bob.ok(&format!("SELECT {shared}")).await;
    let new = "{4+}\r\nA: b";
    assert!(bob.fails(&format!("REPLACE 1 INBOX {new}")).await.starts_with("NO [NOPERM]"));
    ann.brings(&format!("SETACL Work {bobs} lrte")).await;
    bob.ok(&format!("SELECT {shared}")).await;
    assert!(bob.fails(&format!("REPLACE 1 {shared} {new}")).await.starts_with("NO [NOPERM]"));
    let status = ann.brings("STATUS Work (MESSAGES UIDNEXT)").await;
    assert_eq!(status, ["* STATUS Work (MESSAGES 1 UIDNEXT 2)"]);
    bob.ok(&format!("REPLACE 1 INBOX {new}")).await;
    let status = ann.brings("STATUS Work (MESSAGES UIDNEXT)").await;
    assert_eq!(status, ["* STATUS Work (MESSAGES 0 UIDNEXT 2)"]);
}

#[tokio::test]
async fn a_shared_folder_is_seen_and_read() {
    let (mut ann, mut bob, shared, bobs) = ann_and_bob().await;
    assert_eq!(
        bob.brings("NAMESPACE").await,
        ["* NAMESPACE ((\"\" \"/\")) ((\"shared/\" \"/\")) NIL"]
    );
    assert!(bob.brings("LIST \"\" shared/*").await.is_empty());
    ann.brings(&format!("SETACL Work {bobs} lr")).await;
    assert_eq!(
        bob.brings("LIST \"\" shared/* RETURN (MYRIGHTS STATUS (MESSAGES))").await.split_off(1),
        [
            format!("* LIST () \"/\" {shared}"),
            format!("* MYRIGHTS {shared} lr"),
            format!("* STATUS {shared} (MESSAGES 1)"),
        ]
    );
    assert_eq!(bob.brings(&format!("LSUB \"\" {shared}")).await.len(), 1);
    let opened = bob.run(&format!("SELECT {shared}")).await;
    assert!(opened.done.starts_with("OK [READ-ONLY]"), "{opened:?}");
    let text = bob.brings("FETCH 1 (BODY[TEXT] FLAGS)").await;
    assert!(text[0].contains("The body of one.") && !text[0].contains("\\Seen"), "{text:?}");
    assert!(bob.fails("STORE 1 +FLAGS (\\Seen)").await.starts_with("NO [READ-ONLY]"));
    // Mail that comes to Ann is seen by Bob.
    ann.put("Work", "", "two").await;
    assert!(bob.brings("NOOP").await.contains(&"* 2 EXISTS".to_owned()));
    // What Bob notes for himself, Ann does not see.
    bob.brings(&format!("SETMETADATA {shared} (/private/comment \"b\" /shared/comment \"all\")"))
        .await;
    assert_eq!(
        ann.brings("GETMETADATA Work (/private/comment /shared/comment)").await,
        ["* METADATA Work (/private/comment NIL /shared/comment \"all\")"]
    );
}

#[tokio::test]
async fn what_one_changes_the_other_hears() {
    let (mut ann, mut bob, shared, bobs) = ann_and_bob().await;
    // Who may see and not read hears nothing of what is in it.
    ann.brings(&format!("SETACL Work {bobs} l")).await;
    let all = "(personal (MessageNew MessageExpunge))";
    let mut told = bob
        .brings(&format!("NOTIFY SET STATUS {all} (subtree shared (MessageNew MessageExpunge))"))
        .await;
    assert!(!told.iter().any(|line| line.contains("Work")), "{told:?}");
    told = bob.brings("ESEARCH IN (subtree shared) ALL").await;
    assert!(told.is_empty(), "{told:?}");
    ann.brings(&format!("SETACL Work {bobs} lrswite")).await;
    told = bob.brings("ESEARCH IN (subtree shared) ALL").await;
    // That there is a mailbox to hear of is told as well.
    told.retain(|line| line.starts_with("* ESEARCH"));
    assert_eq!(told.len(), 1, "{told:?}");
    bob.brings("NOTIFY NONE").await;
    // Each in IDLE in turn.
    bob.brings(&format!("SELECT {shared}")).await;
    ann.brings("SELECT Work").await;
    bob.idle().await;
    ann.brings("STORE 1 +FLAGS (\\Flagged)").await;
    assert!(bob.wait_for("* 1 FETCH").await.contains("\\Flagged"));
    bob.done().await;
    ann.idle().await;
    bob.brings("STORE 1 +FLAGS (\\Deleted)").await;
    assert!(ann.wait_for("* 1 FETCH").await.contains("\\Deleted"));
    bob.brings("EXPUNGE").await;
    ann.wait_for("* 1 EXPUNGE").await;
    ann.done().await;
    // Not before the other may (RFC 7162 §3.1.3), whatever the rights.
    ann.put("Work", "", "two").await;
    ann.brings(&format!("SETACL Work {bobs} lrs")).await;
    bob.brings(&format!("SELECT {shared} (CONDSTORE)")).await;
    let refused = bob.run("STORE 1 (UNCHANGEDSINCE 1) +FLAGS (\\Seen)").await.done;
    assert!(refused.starts_with("OK [MODIFIED 1]"), "{refused}");
    assert!(bob.fails("STORE 1 (UNCHANGEDSINCE 999) +FLAGS ($x)").await.starts_with("NO [NOPERM]"));
}

#[tokio::test]
async fn rights_that_are_taken_away_end_what_is_open() {
    let (mut ann, mut bob, shared, bobs) = ann_and_bob().await;
    ann.brings(&format!("SETACL Work {bobs} lrswite")).await;
    bob.brings(&format!("SELECT {shared}")).await;
    bob.brings("STORE 1 +FLAGS (\\Deleted)").await;
    // Less than all: what is left may be done, and nothing else, by the very next command.
    ann.brings(&format!("SETACL Work {bobs} lrs")).await;
    assert!(bob.fails("EXPUNGE").await.starts_with("NO [NOPERM]"));
    assert!(bob.fails("STORE 1 -FLAGS (\\Deleted)").await.starts_with("NO [NOPERM]"));
    bob.brings("STORE 1 +FLAGS (\\Seen)").await;
    // All: what was open is gone, also for who waits.
    bob.idle().await;
    ann.brings(&format!("DELETEACL Work {bobs}")).await;
    bob.wait_for("* 1 EXPUNGE").await;
    bob.done().await;
    assert!(bob.run("FETCH 1 (BODY[])").await.untagged.is_empty());
    assert!(bob.fails("EXPUNGE").await.starts_with("NO"));
    assert_eq!(bob.run("CLOSE").await.done.split(' ').next(), Some("OK"));
    ann.brings("SELECT Work").await;
    let kept = ann.brings("FETCH 1 (FLAGS)").await;
    assert!(kept[0].contains("\\Deleted"), "{kept:?}");
}

#[tokio::test]
async fn each_right_is_asked_for() {
    let (mut ann, mut bob, shared, bobs) = ann_and_bob().await;
    let refused = |done: String| assert!(done.starts_with("NO [NOPERM]"), "{done}");
    let give = |rights: &str| format!("SETACL Work {bobs} {rights}");
    // s: \Seen and nothing else.
    ann.brings(&give("lrs")).await;
    bob.brings(&format!("SELECT {shared}")).await;
    refused(bob.fails("STORE 1 +FLAGS (\\Deleted)").await);
    refused(bob.fails("STORE 1 +FLAGS ($Work)").await);
    let flags = bob.brings("STORE 1 +FLAGS (\\Seen \\Flagged)").await;
    assert_eq!(flags.last().unwrap(), "* 1 FETCH (FLAGS (\\Seen \\Recent))");
    let flags = bob.brings("STORE 1 FLAGS (\\Answered)").await;
    assert_eq!(flags.last().unwrap(), "* 1 FETCH (FLAGS (\\Recent))");
    refused(bob.fails("EXPUNGE").await);
    refused(bob.fails("MOVE 1 INBOX").await);
    refused(bob.fails(&format!("COPY 1 {shared}")).await);
    refused(bob.append(&shared, "", b"A: b\r\n\r\n").await);
    refused(bob.fails(&format!("CREATE {shared}/sub")).await);
    refused(bob.fails(&format!("DELETE {shared}")).await);
    refused(bob.fails(&format!("RENAME {shared} {shared}2")).await);
    // i: in, but flags only as far as they may be set.
    ann.brings(&give("lrsi")).await;
    assert!(
        bob.append(&shared, "(\\Seen \\Flagged $Work)", b"A: b\r\n\r\n").await.starts_with("OK")
    );
    bob.put("INBOX", "(\\Flagged \\Seen)", "mine").await;
    bob.brings("SELECT INBOX").await;
    bob.brings(&format!("COPY 1 {shared}")).await;
    let there = ann.brings("SELECT Work").await;
    assert!(there.contains(&"* 3 EXISTS".to_owned()), "{there:?}");
    assert_eq!(
        ann.brings("FETCH 2:3 FLAGS").await,
        ["* 2 FETCH (FLAGS (\\Seen))", "* 3 FETCH (FLAGS (\\Seen \\Recent))"]
    );
    // t and e: away with it; k and x: the folder itself.
    ann.brings(&give("lrtekx")).await;
    bob.brings(&format!("SELECT {shared}")).await;
    bob.brings("STORE 3 +FLAGS (\\Deleted)").await;
    bob.brings("EXPUNGE").await;
    bob.brings("MOVE 2 INBOX").await;
    assert_eq!(
        bob.brings(&format!("STATUS {shared} (MESSAGES)")).await,
        [format!("* STATUS {shared} (MESSAGES 1)")]
    );
    bob.brings(&format!("CREATE {shared}/sub")).await;
    assert_eq!(
        bob.brings(&format!("MYRIGHTS {shared}/sub")).await,
        [format!("* MYRIGHTS {shared}/sub lrkxtecd")]
    );
    bob.brings(&format!("RENAME {shared}/sub {shared}/new")).await;
    bob.brings(&format!("DELETE {shared}/new")).await;
    refused(bob.fails(&format!("RENAME {shared} mine")).await);
    let mut left = ann.brings("LIST \"\" Work*").await;
    left.retain(|line| line.starts_with("* LIST"));
    assert_eq!(left.len(), 1, "{left:?}");
}

#[tokio::test]
async fn what_is_put_in_counts_against_the_owner() {
    let (mut ann, mut bob, shared, bobs) = ann_and_bob().await;
    let anns = shared.split('/').nth(1).unwrap();
    ann.brings(&format!("SETACL Work {bobs} lrswipte")).await;
    let limit = format!("UPDATE email_addresses SET quota_messages = 1 WHERE address = '{anns}'");
    run(&server().await.pool, &limit).await;
    assert!(bob.append(&shared, "", b"A: b\r\n\r\n").await.starts_with("NO [OVERQUOTA]"));
    bob.put("INBOX", "", "mine").await;
    bob.brings("SELECT INBOX").await;
    for command in ["COPY", "MOVE"] {
        let done = bob.fails(&format!("{command} 1 {shared}")).await;
        assert!(done.starts_with("NO [OVERQUOTA]"), "{command}: {done}");
    }
    assert_eq!(
        bob.brings(&format!("GETQUOTAROOT {shared}")).await,
        [format!("* QUOTAROOT {shared}")]
    );
}

#[tokio::test]
async fn never_across_organisations() {
    let (mut ann, _, shared, _) = ann_and_bob().await;
    let elsewhere = server().await.tenant().await;
    let eve = elsewhere.mailbox("eve").await;
    assert!(ann.fails(&format!("SETACL Work {eve} lr")).await.starts_with("NO [CANNOT]"));
    ann.brings("SETACL Work anyone lrswipkxtea").await;
    let mut eve = Imap::of(&eve).await;
    assert!(eve.brings("LIST \"\" shared/*").await.is_empty());
    for command in ["SELECT", "MYRIGHTS", "GETACL", "DELETE"] {
        let done = eve.fails(&format!("{command} {shared}")).await;
        assert!(done.starts_with("NO [NONEXISTENT]"), "{command}: {done}");
    }
    for bad in ["../INBOX", "a@b.test/../INBOX", "&AAA-@b.test/x", "a@b.test/&bad"] {
        let done = eve.fails(&format!("SELECT \"shared/{bad}\"")).await;
        assert!(done.starts_with("NO [CANNOT]"), "{bad}: {done}");
    }
    let long = format!("SELECT shared/a@b.test/{}", "x".repeat(1000));
    assert!(eve.fails(&long).await.starts_with("NO [CANNOT]"));
}

#[tokio::test]
async fn pieces_and_replacements_ask_as_well() {
    let (mut ann, mut bob, shared, bobs) = ann_and_bob().await;
    let give = |rights: &str| format!("SETACL Work {bobs} {rights}");
    let new = literal("Subject: new\r\n\r\nnew\r\n");
    let piece = format!("APPEND INBOX CATENATE (URL \"/{shared}/;UID=1\")");
    // CATENATE: what cannot be read is not there (RFC 4469 §3).
    let unseen = bob.fails(&piece).await;
    assert!(unseen.starts_with("NO [BADURL "), "{unseen}");
    ann.brings(&give("l")).await;
    assert_eq!(bob.fails(&piece).await.split(']').next(), unseen.split(']').next());
    ann.brings(&give("lr")).await;
    bob.ok(&piece).await;
    // REPLACE: i where the new one comes, t and e where the old one goes (RFC 8508 §3.6).
    for rights in ["lrit", "lrie", "lrte"] {
        ann.brings(&give(rights)).await;
        bob.ok(&format!("SELECT {shared}")).await;
        let done = bob.fails(&format!("REPLACE 1 {shared} {new}")).await;
        assert!(done.starts_with("NO [NOPERM]"), "{rights}: {done}");
    }
    ann.brings(&give("lrite")).await;
    bob.ok(&format!("SELECT {shared}")).await;
    bob.ok(&format!("REPLACE 1 {shared} (\\Flagged) {new}")).await;
    assert!(ann.brings("SELECT Work").await.contains(&"* 1 EXISTS".to_owned()));
    let flags = ann.brings("FETCH 1 FLAGS").await;
    assert!(flags[0].starts_with("* 1 FETCH") && !flags[0].contains("\\Flagged"), "{flags:?}");
}
