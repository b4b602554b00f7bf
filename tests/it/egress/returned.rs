//! What comes back after a message has left: bounces that are late, and complaints.

use serde_json::Value;
use sqlx::AssertSqlSafe;
use uuid::Uuid;

use super::Row;
use crate::support::imap::Imap;
use crate::support::server::{PASSWORD, Server, Tenant, server};
use crate::support::smtp::Smtp;

/// A report of a server elsewhere, with these groups of fields and this of the message.
fn report(kind: &str, fields: &str, original: &str) -> String {
    let part = if kind == "delivery-status" { "delivery-status" } else { "feedback-report" };
    format!(
        "From: Mail Delivery System <MAILER-DAEMON@else.test>\r\nTo: x@y.test\r\nSubject: Report {}\r\n\
         Message-ID: <{}@else.test>\r\nMIME-Version: 1.0\r\n\
         Content-Type: multipart/report; report-type={kind}; boundary=b\r\n\r\n\
         --b\r\n\r\nRead this.\r\n--b\r\nContent-Type: message/{part}\r\n\r\n{fields}\r\n\
         --b\r\nContent-Type: text/rfc822-headers\r\n\r\n{original}\r\n--b--\r\n",
        Uuid::new_v4(),
        Uuid::new_v4(),
    )
}

fn delivery_status(recipient: &str, action: &str, status: &str, original: &str) -> String {
    let fields = format!(
        "Reporting-MTA: dns; else.test\r\n\r\nFinal-Recipient: rfc822; {recipient}\r\nAction: {action}\r\n\
         Status: {status}\r\nDiagnostic-Code: smtp; 550 {status} so it is\r\nRemote-MTA: dns; mx.else.test\r\n"
    );
    report("delivery-status", &fields, original)
}

/// As another server brings it; the reply to RCPT where that refuses.
async fn bring(from: &str, to: &str, content: &str) -> String {
    let mut smtp = Smtp::greeted(server().await.at.smtp.unwrap()).await;
    smtp.ask("EHLO else.test", "250").await;
    smtp.ask(&format!("MAIL FROM:<{from}>"), "250 ").await;
    smtp.send(format!("RCPT TO:<{to}>\r\n")).await;
    let reply = smtp.reply().await;
    if !reply.starts_with("250") {
        return reply;
    }
    smtp.ask("DATA", "354 ").await;
    smtp.send(format!("{content}.\r\n")).await;
    smtp.reply().await
}

/// A message that was delivered to somebody elsewhere.
struct Left {
    id: Uuid,
    to: String,
    /// The reverse-path that it left with.
    return_path: String,
    message_id: String,
}

impl Server {
    async fn left(&self, tenant: &Tenant, from: &str, class: &str) -> Left {
        let (mx, domain) = self.remote(false).await;
        let to = format!("bob@{domain}");
        let id: Uuid = sqlx::query_scalar(
            "INSERT INTO outbound_messages (tenant_id, from_address, recipient, subject, text_body, class, dsn_envid)
             VALUES ($1, $2, $3, 'Hello', 'x', $4, 'QQ314159') RETURNING id",
        )
        .bind(tenant.id)
        .bind(from)
        .bind(&to)
        .bind(class)
        .fetch_one(&self.pool)
        .await
        .unwrap();
        let received = mx.wait_for(1).await.remove(0);
        self.until(id, "delivered").await;
        let path = received.mail_from.trim_start_matches('<').split('>').next().unwrap();
        let message_id =
            sqlx::query_scalar("SELECT message_id FROM outbound_messages WHERE id = $1").bind(id);
        let message_id = message_id.fetch_one(&self.pool).await.unwrap();
        Left { id, to, return_path: path.to_owned(), message_id }
    }

    /// The properties of the last event of a message.
    async fn last_event(&self, id: Uuid) -> (String, Value) {
        sqlx::query_as(
            "SELECT event, properties FROM analytics_events WHERE outbound_message_id = $1
             ORDER BY occurred_at DESC LIMIT 1",
        )
        .bind(id)
        .fetch_one(&self.pool)
        .await
        .unwrap()
    }

    async fn messages_of(&self, tenant: &Tenant) -> i64 {
        let query = format!("SELECT count(*) FROM {}.folder_entries", tenant.schema);
        sqlx::query_scalar(AssertSqlSafe(query)).fetch_one(&self.pool).await.unwrap()
    }
}

#[tokio::test]
async fn a_late_bounce_finds_its_row_by_the_return_path() {
    let server = server().await;
    let tenant = server.sender().await;
    let ann = tenant.mailbox("ann").await;
    let left = server.left(&tenant, &ann, "transactional").await;
    // Nobody of that name: it was forwarded there.
    let bounce = delivery_status("bob@inner.test", "failed", "5.1.1", "Subject: Hello\r\n");

    let (local, domain) = left.return_path.split_once('@').unwrap();
    let last = if local.ends_with('a') { "b" } else { "a" };
    let forged = format!("{}{last}@{domain}", &local[..local.len() - 1]);
    assert!(bring("", &forged, &bounce).await.starts_with("550 5.1.1 "));
    assert!(bring("eve@else.test", &left.return_path, &bounce).await.starts_with("550 5.7.1 "));
    assert_eq!(server.events(left.id).await, ["email.delivered"]);

    // Faster than our own note that it was taken: it is to come again.
    let hand = "UPDATE outbound_messages SET state = 'sending', leased_by = gen_random_uuid(),
        leased_until = now() + interval '1 hour' WHERE id = $1";
    let settled =
        "UPDATE outbound_messages SET state = 'delivered', leased_until = NULL WHERE id = $1";
    sqlx::query(hand).bind(left.id).execute(&server.pool).await.unwrap();
    assert!(bring("", &left.return_path, &bounce).await.starts_with("451 "));
    sqlx::query(settled).bind(left.id).execute(&server.pool).await.unwrap();

    let mut imap = Imap::login(server, &ann, PASSWORD).await;
    imap.ok("SELECT INBOX").await;
    imap.idle().await;
    for _ in 0..2 {
        assert!(bring("", &left.return_path, &bounce).await.starts_with("250 "));
    }
    let standing = server.standing(left.id).await;
    assert_eq!((standing.state.as_str(), standing.code), ("bounced", Some(550)));
    assert_eq!(standing.enhanced.as_deref(), Some("5.1.1"));
    assert_eq!(server.events(left.id).await, ["email.delivered", "email.bounced"]);
    let (_, properties) = server.last_event(left.id).await;
    assert_eq!(properties["fault"], "address");
    assert_eq!(properties["host"], "mx.else.test");
    assert_eq!(server.suppressed(&tenant, &left.to).await, ["hard_bounce"]);
    let attempts = server.attempts(left.id).await;
    assert_eq!(attempts.last().unwrap().0, "failed");

    // The row asks for reports to its sender.
    imap.wait_for("* 1 EXISTS").await;
    imap.done().await;
    let text = String::from_utf8(imap.literal("FETCH 1 BODY.PEEK[]").await).unwrap();
    assert!(text.contains("550 5.1.1 so it is"), "{text}");
}

#[tokio::test]
async fn what_comes_to_a_return_path_without_a_report_is_told_apart() {
    let server = server().await;
    let tenant = server.sender().await;
    let ann = tenant.mailbox("ann").await;
    let left = server.left(&tenant, &ann, "bulk").await;
    sqlx::query("UPDATE outbound_messages SET dsn_notify = '{}' WHERE id = $1")
        .bind(left.id)
        .execute(&server.pool)
        .await
        .unwrap();
    let late = delivery_status(&left.to, "delayed", "4.4.1", "Subject: Hello\r\n");
    for _ in 0..2 {
        assert!(bring("", &left.return_path, &late).await.starts_with("250 "));
    }
    let away = format!(
        "From: {}\r\nSubject: Out of office\r\nAuto-Submitted: auto-replied\r\n\r\nx\r\n",
        left.to
    );
    assert!(bring("", &left.return_path, &away).await.starts_with("250 "));
    assert_eq!(server.standing(left.id).await.state, "delivered");
    assert_eq!(server.events(left.id).await, ["email.delivered", "email.report_delayed"]);

    let plain = "From: MAILER-DAEMON@else.test\r\nSubject: failure notice\r\n\r\nSorry it didn't work out.\r\n";
    assert!(bring("", &left.return_path, plain).await.starts_with("250 "));
    assert_eq!(server.standing(left.id).await.state, "bounced");
    let (event, properties) = server.last_event(left.id).await;
    assert_eq!((event.as_str(), &properties["fault"]), ("email.bounced", &"unknown".into()));
    assert!(server.suppressed(&tenant, &left.to).await.is_empty());
    assert_eq!(server.messages_of(&tenant).await, 0, "nobody asked for these");
}

#[tokio::test]
async fn bounces_of_peoples_mail_come_to_them_and_are_understood() {
    let server = server().await;
    let tenant = server.sender().await;
    let (ann, other) = (tenant.mailbox("ann").await, server.sender().await);
    let eve = other.mailbox("eve").await;
    let left = server.left(&tenant, &ann, "personal").await;
    assert_eq!(left.return_path, ann, "people stay the return path themselves");

    let header = format!("Message-ID: <{}>\r\n", left.message_id);
    let bounce = delivery_status(&left.to, "failed", "5.2.2", &header);
    assert!(bring("", &eve, &bounce).await.starts_with("250 "), "another organisation");
    let about_else = delivery_status("carl@else.test", "failed", "5.1.1", &header);
    assert!(bring("", &ann, &about_else).await.starts_with("250 "), "another recipient");
    assert!(bring("x@else.test", &ann, &bounce).await.starts_with("250 "), "no report");
    assert_eq!(server.standing(left.id).await.state, "delivered");
    assert!(bring("", &ann, &bounce).await.starts_with("250 "));
    assert_eq!(server.standing(left.id).await.state, "bounced");
    assert!(server.suppressed(&tenant, &left.to).await.is_empty(), "it was only full");
    assert_eq!(server.messages_of(&tenant).await, 3);

    // By the envelope identifier alone.
    let left = server.left(&tenant, &ann, "personal").await;
    let bounce = delivery_status(&left.to, "failed", "5.1.1", "Subject: Hello\r\n")
        .replace("Reporting-MTA", "Original-Envelope-Id: QQ314159\r\nReporting-MTA");
    assert!(bring("", &ann, &bounce).await.starts_with("250 "));
    assert_eq!(server.standing(left.id).await.state, "bounced");
    assert_eq!(server.suppressed(&tenant, &left.to).await, ["hard_bounce"]);
}

#[tokio::test]
async fn a_complaint_is_believed_about_mail_of_ours_only() {
    let server = server().await;
    let (tenant, other) = (server.sender().await, server.sender().await);
    let (ann, abuse) = (tenant.mailbox("ann").await, tenant.mailbox("abuse").await);
    let postmaster = other.mailbox("postmaster").await;
    sqlx::query(
        "INSERT INTO domain_warmup (tenant_id, domain_id) SELECT $1, d.id FROM tenant_domains d WHERE d.tenant_id = $1",
    )
    .bind(tenant.id)
    .execute(&server.pool)
    .await
    .unwrap();
    let arf = |kind: &str, original: &str| {
        let fields = format!("Feedback-Type: {kind}\r\nUser-Agent: Else/1.0\r\nVersion: 1\r\n");
        report("feedback-report", &fields, original)
    };
    let person = server.left(&tenant, &ann, "personal").await;
    let known = format!("Message-ID: <{}>\r\n", person.message_id);
    for (to, content) in [
        (&postmaster, arf("abuse", &known)),
        (&abuse, arf("abuse", "Message-ID: <nobody@knows.test>\r\n")),
        (&abuse, arf("not-spam", &known)),
    ] {
        assert!(bring("fbl@else.test", to, &content).await.starts_with("250 "));
    }
    assert_eq!(server.standing(person.id).await.state, "delivered");
    for _ in 0..2 {
        assert!(bring("fbl@else.test", &abuse, &arf("abuse", &known)).await.starts_with("250 "));
    }
    assert_eq!(server.standing(person.id).await.state, "complained");
    assert_eq!(server.events(person.id).await, ["email.delivered", "email.complained"]);
    assert_eq!(server.suppressed(&tenant, &person.to).await, ["complaint"]);

    // A return path of ours is proof enough, wherever the report comes.
    let bulk = server.left(&tenant, &ann, "bulk").await;
    let path = format!("Return-Path: <{}>\r\n", bulk.return_path);
    assert!(bring("fbl@else.test", &postmaster, &arf("abuse", &path)).await.starts_with("250 "));
    assert_eq!(server.standing(bulk.id).await.state, "complained");
    let counted: i32 =
        sqlx::query_scalar("SELECT complained_count FROM domain_warmup WHERE tenant_id = $1")
            .bind(tenant.id)
            .fetch_one(&server.pool)
            .await
            .unwrap();
    assert_eq!(counted, 2);

    // Whoever complained is not written to again.
    let again = Row::new(&ann, &bulk.to).insert(&tenant).await;
    assert_eq!(server.standing(again).await.state, "suppressed");
}
