//! Filters over mail that is there already, by the program beside the server.

use serde_json::{Value, json};

use super::Scene;
use crate::cli::Program;
use crate::support::imap::Imap;
use crate::support::postgres;
use crate::support::sql::strings;

/// The program on the database of the server.
async fn program() -> Program {
    Program::with(&format!("[database]\nurl = {:?}\n", postgres::url().await))
}

impl Scene {
    async fn texts(&self, query: &str) -> Vec<String> {
        strings(self.pool(), &self.filled(query)).await
    }
}

#[tokio::test]
async fn old_mail_is_moved_and_marked_once_and_whoever_waits_is_told() {
    let scene = Scene::new().await;
    let mut imap = Imap::of(&scene.bob).await;
    for subject in ["invoice-1", "news-1", "invoice-2", "other", "junk-1", "no"] {
        imap.put("INBOX", "", subject).await;
    }
    let subject =
        |begin: &str| json!({"field": "subject", "op": "begins", "value": begin}).to_string();
    for (position, begin, actions) in [
        (
            1,
            "invoice",
            json!([{"do": "folder", "name": "Money/In"}, {"do": "label", "keyword": "pay"}, {"do": "read"}]),
        ),
        (2, "news", json!([{"do": "flag"}, {"do": "forward", "address": "x@else.test"}])),
        (3, "junk", json!([{"do": "discard"}])),
        (4, "no", json!([{"do": "reject", "text": "No."}])),
    ] {
        scene.filter(position, &subject(begin), &actions.to_string()).await;
    }
    imap.brings("SELECT INBOX").await;
    let program = program().await;
    let line = format!("filter apply --mailbox {}", scene.bob);

    let planned = program.json(&format!("{line} --dry-run")).await;
    let expected = json!({"folder": "INBOX", "messages": 6, "examined": 6, "matched": 5, "moved": 2, "discarded": 1,
        "labelled": 2, "flagged": 1, "read": 2, "finished": true, "dry_run": true, "unreadable": [],
        "left_out": {"forward": 1, "reply": 0, "reject": 1, "webhook": 0},
        "filters": [{"name": "rule 1", "matched": 2}, {"name": "rule 2", "matched": 1},
            {"name": "rule 3", "matched": 1}, {"name": "rule 4", "matched": 1}]});
    assert_eq!(planned, expected);
    assert_eq!(imap.brings("NOOP").await, Vec::<String>::new(), "nothing was changed");

    imap.idle().await;
    let done = program.json(&line).await;
    for field in ["moved", "discarded", "labelled", "flagged", "read", "left_out"] {
        assert_eq!(done[field], expected[field], "{field}: {done}");
    }
    let mut told = Vec::new();
    while told.len() < 4 {
        told.push(imap.response().await);
    }
    let told_of = |what: &str| told.iter().filter(|line| line.contains(what)).count();
    assert_eq!((told_of(" EXPUNGE"), told_of("\\Flagged")), (3, 1), "{told:?}");
    imap.done().await;
    let kept = [
        "Money/In: invoice-1 seen pay",
        "INBOX: news-1 flagged",
        "Money/In: invoice-2 seen pay",
        "INBOX: other",
        "Trash: junk-1",
        "INBOX: no",
    ];
    assert_eq!(scene.kept(&scene.bob).await, kept);
    assert_eq!(scene.texts("SELECT reader FROM {s}.email_reads").await, Vec::<String>::new());
    let queued = "SELECT recipient FROM public.outbound_messages WHERE tenant_id = '{t}'";
    assert_eq!(scene.texts(queued).await, Vec::<String>::new(), "old mail is not forwarded");

    // Again: there is nothing left to do, and no MODSEQ moves.
    let modseqs = "SELECT name || ' ' || highestmodseq FROM {s}.folders ORDER BY 1";
    let before = scene.texts(modseqs).await;
    let again = program.json(&line).await;
    assert_eq!(
        (&again["matched"], &again["moved"], &again["flagged"]),
        (&json!(2), &json!(0), &json!(0))
    );
    assert_eq!(scene.texts(modseqs).await, before);
    let told = program.ok(&format!("{line} --folder Trash")).await;
    assert!(told.ends_with("rule 4: matches 0\n1 of 1 messages looked at\n"), "{told}");
}

#[tokio::test]
async fn one_filter_of_many_can_be_named_and_what_is_not_there_is_said() {
    let scene = Scene::new().await;
    Imap::of(&scene.bob).await.put("INBOX", "", "one").await;
    scene.filter(1, r#"{"all": []}"#, r#"[{"do": "flag"}, {"do": "stop"}]"#).await;
    scene.filter(2, r#"{"all": []}"#, r#"[{"do": "label", "keyword": "x"}]"#).await;
    let program = program().await;
    let id =
        scene.texts("SELECT id::text FROM {s}.email_filters WHERE position = 2").await.remove(0);
    let line = format!("filter apply --mailbox {}", scene.bob);
    program.ok(&format!("{line} --filter {id}")).await;
    assert_eq!(scene.kept(&scene.bob).await, ["INBOX: one x"]);
    for (more, says) in
        [("--folder None", "there is no folder None"), ("--filter None", "there is no filter None")]
    {
        let error = program.error(&format!("{line} {more}")).await;
        assert!(error.contains(says), "{error}");
    }
    let error = program.error("filter apply --mailbox nobody@else.test").await;
    assert!(error.contains("there is no mailbox nobody@else.test"), "{error}");
}

#[tokio::test]
async fn everything_that_can_be_asked_on_arrival_can_be_asked_later() {
    let scene = Scene::new().await;
    let message = "X-Tag: one\r\nSubject: =?utf-8?q?f=C3=BCr_Mai?=\r\nTo: x@y.test\r\nMIME-Version: 1.0\r\n\
        Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nPlease pay 5 Euro.\r\n\
        --b\r\nContent-Type: application/pdf; name=\"may.PDF\"\r\n\r\n%PDF\r\n--b--";
    for _ in 0..2 {
        assert!(scene.send(&[&scene.bob], message).await.starts_with("250 "));
    }
    scene.sql("UPDATE {s}.emails SET verdict = '{\"spf\": \"softfail\", \"spam\": {\"source\": \"x\", \"score\": 4.5, \"symbols\": []}}'").await;
    let is =
        |field: &str, op: &str, value: Value| json!({"field": field, "op": op, "value": value});
    for (n, condition) in (0..).zip([
        json!({"field": "header", "name": "x-tag", "op": "equals", "value": "one"}),
        is("from_domain", "equals", json!("shop.test")),
        is("to", "equals", json!("x@y.test")),
        is("subject", "contains", json!("FÜR")),
        is("body", "regex", json!("\\d+ Euro")),
        is("size", "over", json!(300)),
        is("attachment_name", "ends", json!(".pdf")),
        is("attachment_type", "equals", json!("application/pdf")),
        is("authenticity", "equals", json!("spf=softfail")),
        is("spam_score", "over", json!(4)),
        is("sender_known", "is", json!(true)),
    ]) {
        let label = json!([{"do": "label", "keyword": format!("k{n}")}]);
        scene.filter(n, &condition.to_string(), &label.to_string()).await;
    }
    program().await.ok(&format!("filter apply --mailbox {}", scene.bob)).await;
    assert_eq!(
        scene.kept(&scene.bob).await,
        [
            "INBOX: für Mai k0 k1 k2 k3 k4 k5 k6 k7 k8 k9",
            "INBOX: für Mai k0 k1 k2 k3 k4 k5 k6 k7 k8 k9 k10"
        ],
        "the first one's sender was not known when it came"
    );
}

#[tokio::test]
async fn sessions_that_move_the_same_mail_meanwhile_do_no_harm() {
    let scene = Scene::new().await;
    let mut imap = Imap::of(&scene.bob).await;
    imap.put("INBOX", "", "m").await;
    imap.brings("SELECT INBOX").await;
    // More than two batches.
    for _ in 0..8 {
        imap.brings("COPY 1:* INBOX").await;
    }
    scene
        .filter(1, r#"{"all": []}"#, r#"[{"do": "folder", "name": "Archive"}, {"do": "flag"}]"#)
        .await;
    let program = program().await;
    let line = format!("filter apply --mailbox {}", scene.bob);
    let meddle = async {
        let mut other = Imap::select(&scene.bob, "INBOX").await;
        for n in 0..60 {
            let uid = 250 - n * 4;
            other.brings(&format!("UID STORE {uid} +FLAGS (mine)")).await;
            other.brings(&format!("UID MOVE {uid} Junk")).await;
        }
    };
    let (done, ()) = tokio::join!(program.json(&line), meddle);
    assert_eq!(done["finished"], json!(true));
    assert_eq!(scene.kept(&scene.bob).await.len(), 256, "each is there once");
    let wrong = scene
        .texts(
            "SELECT f.name FROM {s}.folders f LEFT JOIN {s}.folder_entries e ON e.folder_id = f.id
             LEFT JOIN {s}.emails m ON m.id = e.email_id GROUP BY f.id
             HAVING (f.message_count, f.unseen_count, f.size_bytes)
                 <> (count(e.id), count(e.id) FILTER (WHERE NOT e.seen), coalesce(sum(m.size_bytes), 0))
                 OR f.uidnext <= coalesce(max(e.uid), 0) OR f.highestmodseq < coalesce(max(e.modseq), 0)",
        )
        .await;
    assert_eq!(wrong, Vec::<String>::new(), "counters that are not what is there");
    let gone = imap.brings("NOOP").await;
    assert_eq!(gone.iter().filter(|line| line.ends_with(" EXPUNGE")).count(), 256, "{gone:?}");
}

#[tokio::test]
async fn a_stored_message_is_explained_with_what_was_found_out_when_it_came() {
    let scene = Scene::new().await;
    let sender = format!("sender-{}.test", uuid::Uuid::new_v4().simple());
    scene.server.dns.txt(&sender, "v=spf1 ?all");
    let answer = scene.send_from(&format!("ann@{sender}"), &[&scene.bob], "Subject: who").await;
    assert!(answer.starts_with("250 "), "{answer}");
    let condition = r#"{"field": "authenticity", "op": "equals", "value": "spf=neutral"}"#;
    scene.filter(1, condition, r#"[{"do": "flag"}]"#).await;
    let email = scene.texts("SELECT id::text FROM {s}.emails").await.remove(0);
    let program = program().await;
    let told = program.ok(&format!("filter test {} --email {email}", scene.bob)).await;
    assert!(told.starts_with("rule 1: matches\n") && told.contains("spf=neutral"), "{told}");
    // Nobody else's, and nothing was changed by it.
    let stranger = Scene::new().await;
    let error = program.error(&format!("filter test {} --email {email}", stranger.bob)).await;
    assert!(error.contains(&format!("there is no email {email}")), "{error}");
    assert_eq!(scene.kept(&scene.bob).await, ["INBOX: who"]);
}
