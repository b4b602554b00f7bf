//! Messages that arrive at the same moment are stored together, and each as if it came alone.

use std::sync::Arc;
use std::time::Duration;

use sqlx::{AssertSqlSafe, PgPool};
use tokio::sync::Barrier;
use tokio::task::JoinSet;

use crate::support::server::{Server, Tenant, server};
use crate::support::smtp::Smtp;
use crate::support::sql::{run, strings};
use crate::support::wait::until;

/// One message of a burst.
struct Sent {
    to: String,
    content: String,
}

fn message(to: &str, id: &str, fields: &str) -> Sent {
    let content = format!(
        "From: S <s@client.example>\r\nTo: {to}\r\nMessage-ID: <{id}@client.example>\r\n{fields}\r\nText of {id}.\r\n"
    );
    Sent { to: to.to_owned(), content }
}

/// Sends all of them, each over a connection of its own, while `folder` cannot be written; lets
/// them go when all of them are waiting. Returns the answers, sorted.
async fn burst(tenant: &Tenant, folder: &str, messages: Vec<Sent>) -> Vec<String> {
    let server = server().await;
    let mut lock = server.pool.begin().await.unwrap();
    let statement =
        format!("SELECT 1 FROM {}.folders WHERE id = '{folder}' FOR UPDATE", tenant.schema);
    sqlx::query(AssertSqlSafe(statement)).execute(&mut *lock).await.unwrap();
    let all_sent = Arc::new(Barrier::new(messages.len() + 1));
    let mut sessions = JoinSet::new();
    for Sent { to, content } in messages {
        let all_sent = Arc::clone(&all_sent);
        sessions.spawn(async move {
            let mut smtp = Smtp::greeted(server.at.smtp.unwrap()).await;
            smtp.ask("EHLO client.example", "250").await;
            smtp.ask("MAIL FROM:<s@client.example>", "250").await;
            smtp.ask(&format!("RCPT TO:<{to}>"), "250").await;
            smtp.ask("DATA", "354").await;
            smtp.send(format!("{content}.\r\n")).await;
            all_sent.wait().await;
            smtp.reply().await.chars().take(9).collect::<String>()
        });
    }
    all_sent.wait().await;
    until_blocked(&server.pool, &tenant.schema).await;
    come_after_them(server).await;
    lock.rollback().await.unwrap();
    let mut answers = sessions.join_all().await;
    answers.sort();
    answers
}

/// Until somebody waits to write what is locked.
async fn until_blocked(pool: &PgPool, schema: &str) {
    let waiting = format!(
        "SELECT w.pid::text FROM pg_locks w JOIN pg_locks h ON h.pid = ANY (pg_blocking_pids(w.pid))
         WHERE NOT w.granted AND h.relation = '{schema}.folders'::regclass LIMIT 1"
    );
    let blocked = async || !strings(pool, &waiting).await.is_empty();
    until("somebody waits", Duration::from_mins(1), blocked).await;
}

/// A message to another organisation, read after all of theirs: once it is stored, theirs have come
/// as far as the lock.
async fn come_after_them(server: &Server) {
    let somebody = server.tenant().await.mailbox("last").await;
    let Sent { to, content } = message(&somebody, "last", "");
    let mut smtp = Smtp::greeted(server.at.smtp.unwrap()).await;
    smtp.ask("EHLO client.example", "250").await;
    smtp.ask("MAIL FROM:<s@client.example>", "250").await;
    smtp.ask(&format!("RCPT TO:<{to}>"), "250").await;
    smtp.ask("DATA", "354").await;
    smtp.ask(&format!("{content}."), "250").await;
}

async fn inbox(tenant: &Tenant, address: &str) -> String {
    let query = format!(
        "SELECT f.id::text FROM {}.folders f JOIN email_addresses a ON a.id = f.address_id
         WHERE a.address = '{address}' AND f.name = 'INBOX'",
        tenant.schema
    );
    strings(&server().await.pool, &query).await.remove(0)
}

#[tokio::test]
async fn what_waits_together_is_stored_together_in_order() {
    let pool = &server().await.pool;
    let tenant = server().await.tenant().await;
    let bob = tenant.mailbox("bob").await;
    let folder = inbox(&tenant, &bob).await;
    let messages =
        (0..40).map(|n| message(&bob, &n.to_string(), "Subject: all the same\r\n")).collect();
    let answers = burst(&tenant, &folder, messages).await;
    assert!(answers.iter().all(|answer| answer == "250 2.0.0"), "{answers:?}");

    let schema = &tenant.schema;
    let transactions =
        strings(pool, &format!("SELECT DISTINCT xmin::text FROM {schema}.emails")).await;
    assert!(transactions.len() < 20, "{} transactions for 40 messages", transactions.len());
    let counters = format!(
        "SELECT concat_ws(' ', f.uidnext, f.message_count, f.unseen_count, f.size_bytes = sum(m.size_bytes),
             f.highestmodseq = max(e.modseq), count(DISTINCT e.uid), min(e.uid), max(e.uid), count(DISTINCT m.thread_id))
         FROM {schema}.folders f JOIN {schema}.folder_entries e ON e.folder_id = f.id
         JOIN {schema}.emails m ON m.id = e.email_id WHERE f.id = '{folder}' GROUP BY f.id"
    );
    assert_eq!(strings(pool, &counters).await, ["41 40 40 t t 40 1 40 40"]);
    let events = format!(
        "SELECT count(DISTINCT email_id)::text FROM analytics_events WHERE tenant_id = '{}' AND event = 'email.received'",
        tenant.id
    );
    assert_eq!(strings(pool, &events).await, ["40"]);
}

#[tokio::test]
async fn relatives_see_each_other_and_a_double_is_one() {
    let pool = &server().await.pool;
    let tenant = server().await.tenant().await;
    let bob = tenant.mailbox("bob").await;
    let folder = inbox(&tenant, &bob).await;
    let mut messages = Vec::new();
    for n in 0..8 {
        messages.push(message(&bob, &format!("q{n}"), &format!("Subject: question {n}\r\n")));
        // An answer that names it, one that names the answer, and the question once more.
        let fields = format!("Subject: Re: question {n}\r\nIn-Reply-To: <q{n}@client.example>\r\n");
        messages.push(message(&bob, &format!("a{n}"), &fields));
        let fields = format!("Subject: Re: question {n}\r\nReferences: <a{n}@client.example>\r\n");
        messages.push(message(&bob, &format!("b{n}"), &fields));
        messages.push(message(&bob, &format!("q{n}"), &format!("Subject: question {n}\r\n")));
    }
    let answers = burst(&tenant, &folder, messages).await;
    assert!(answers.iter().all(|answer| answer == "250 2.0.0"), "{answers:?}");
    let threads = format!(
        "SELECT string_agg(left(e.message_id, 2), ' ' ORDER BY e.message_id) || ' ' || t.message_count
         FROM {0}.threads t JOIN {0}.emails e ON e.thread_id = t.id GROUP BY t.id ORDER BY 1",
        tenant.schema
    );
    let expected: Vec<String> = (0..8).map(|n| format!("a{n} b{n} q{n} 3")).collect();
    assert_eq!(strings(pool, &threads).await, expected);
}

#[tokio::test]
async fn what_is_wrong_with_one_is_told_to_nobody_else() {
    let pool = &server().await.pool;
    let tenant = server().await.tenant().await;
    let (bob, full) = (tenant.mailbox("bob").await, tenant.mailbox("full").await);
    run(pool, &format!("UPDATE email_addresses SET quota_messages = 1 WHERE address = '{full}'"))
        .await;
    let folder = inbox(&tenant, &bob).await;
    let to = |n: usize| if n.is_multiple_of(5) { &full } else { &bob };
    let messages = (0..20).map(|n| message(to(n), &n.to_string(), "Subject: x\r\n")).collect();
    let answers = burst(&tenant, &folder, messages).await;
    let refused = answers.iter().filter(|answer| answer.starts_with("452 4.2.2")).count();
    let taken = answers.iter().filter(|answer| answer.starts_with("250 2.0.0")).count();
    assert_eq!((taken, refused), (17, 3), "{answers:?}");
    let counts = format!(
        "SELECT f.message_count::text FROM {}.folders f JOIN email_addresses a ON a.id = f.address_id
         WHERE f.name = 'INBOX' ORDER BY a.address",
        tenant.schema
    );
    assert_eq!(strings(pool, &counts).await, ["16", "1"]);
}
