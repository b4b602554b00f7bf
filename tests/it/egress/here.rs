//! Mail between mailboxes here, and senders that may not send.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use sqlx::AssertSqlSafe;

use super::Row;
use crate::support::imap::Imap;
use crate::support::server::{PASSWORD, Server, server};
use crate::support::smtp::Smtp;
use crate::support::wait;

/// As a mail program does it, after login.
pub(super) async fn submit(server: &Server, from: &str, to: &str, content: &str) {
    let mut smtp = Smtp::greeted(server.at.submission_starttls.unwrap()).await.starttls().await;
    let secret = BASE64.encode(format!("\0{from}\0{PASSWORD}"));
    smtp.ask(&format!("AUTH PLAIN {secret}"), "235 ").await;
    smtp.deliver(from, &[to], content.as_bytes()).await;
}

#[tokio::test]
async fn what_a_client_submits_to_a_mailbox_here_never_leaves() {
    let server = server().await;
    let (sender, receiver) = (server.sender().await, server.tenant().await);
    let (ann, bob) = (sender.mailbox("ann").await, receiver.mailbox("bob").await);
    let mut waiting = Imap::login(server, &bob, PASSWORD).await;
    waiting.ok("SELECT INBOX").await;
    waiting.idle().await;

    let content = format!(
        "From: Ann <{ann}>\r\nTo: {bob}\r\nBcc: secret@x.test\r\nSubject: inside\r\n\r\nHello Bob.\r\n"
    );
    submit(server, &ann, &bob, &content).await;

    waiting.wait_for("* 1 EXISTS").await;
    waiting.done().await;
    let text = String::from_utf8(waiting.literal("FETCH 1 BODY.PEEK[]").await).unwrap();
    assert!(
        text.starts_with(&format!("Return-Path: <{ann}>\r\nDelivered-To: {bob}\r\n")),
        "{text}"
    );
    assert_eq!(text.matches("DKIM-Signature: ").count(), 2, "{text}");
    assert!(!text.contains("secret@x.test"), "{text}");
    assert_eq!(server.dns.asked(&receiver.domain), 0);
    // The row is settled right after.
    let settled = "SELECT EXISTS (SELECT 1 FROM outbound_messages
                   WHERE recipient = $1 AND state = 'delivered' AND last_host = 'local')";
    let settled =
        async || sqlx::query_scalar(settled).bind(&bob).fetch_one(&server.pool).await.unwrap();
    wait::until("settled", Duration::from_secs(30), settled).await;
}

#[tokio::test]
async fn a_claim_that_is_not_proven_catches_no_mail() {
    let server = server().await;
    let (sender, squatter) = (server.sender().await, server.tenant().await);
    let ann = sender.mailbox("ann").await;
    let (mx, domain) = server.remote(false).await;
    let victim = format!("victim@{domain}");
    sqlx::query("INSERT INTO email_addresses (tenant_id, address) VALUES ($1, $2)")
        .bind(squatter.id)
        .bind(&victim)
        .execute(&server.pool)
        .await
        .unwrap();
    let id = Row::new(&ann, &victim).insert(&sender).await;
    mx.wait_for(1).await;
    server.until(id, "delivered").await;
    let query = format!("SELECT count(*) FROM {}.emails", squatter.schema);
    let caught: i64 =
        sqlx::query_scalar(AssertSqlSafe(query)).fetch_one(&server.pool).await.unwrap();
    assert_eq!(caught, 0);
}

#[tokio::test]
async fn a_domain_that_is_not_proven_sends_nothing() {
    let server = server().await;
    let tenant = server.tenant().await;
    let (mx, domain) = server.remote(false).await;
    let id = Row::new("boss@bank.example", &format!("bob@{domain}")).insert(&tenant).await;
    let standing = server.until(id, "bounced").await;
    assert_eq!(standing.enhanced.as_deref(), Some("5.7.1"));
    assert_eq!(mx.connections(), 0);
}

#[tokio::test]
async fn nobody_of_that_name_here_is_said_without_asking_around() {
    let server = server().await;
    let tenant = server.sender().await;
    let ann = tenant.mailbox("ann").await;
    server.dns.mx(&tenant.domain, 10, "mx.koltrix.test");
    let id = Row::new(&ann, &format!("nobody@{}", tenant.domain)).insert(&tenant).await;
    let standing = server.until(id, "bounced").await;
    assert_eq!(standing.enhanced.as_deref(), Some("5.1.1"));
}

#[tokio::test]
async fn whoever_writes_to_a_suppressed_address_is_told() {
    let server = server().await;
    let tenant = server.sender().await;
    let ann = tenant.mailbox("ann").await;
    let mut waiting = Imap::login(server, &ann, PASSWORD).await;
    waiting.ok("SELECT INBOX").await;
    waiting.idle().await;
    let (mx, domain) = server.remote(false).await;
    let to = format!("bob@{domain}");
    sqlx::query("INSERT INTO suppression_list (tenant_id, address) VALUES ($1, $2)")
        .bind(tenant.id)
        .bind(&to)
        .execute(&server.pool)
        .await
        .unwrap();
    let content = format!("From: {ann}\r\nSubject: hi\r\n\r\nHi.\r\n");
    submit(server, &ann, &to, &content).await;
    waiting.wait_for("* 1 EXISTS").await;
    waiting.done().await;
    let text = String::from_utf8(waiting.literal("FETCH 1 BODY.PEEK[TEXT]").await).unwrap();
    assert!(text.contains("suppression list"), "{text}");
    assert_eq!(mx.connections(), 0);
}
