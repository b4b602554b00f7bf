//! Domains that say how their servers prove themselves (RFC 8461), and are obeyed.

use std::time::Duration;

use hickory_server::proto::rr::RecordType;
use koltrix_mail::net::dns::Resolver;
use uuid::Uuid;

use super::Row;
use crate::support::policy_server::PolicyServer;
use crate::support::remote_mx::{RemoteMx, Step};
use crate::support::server::{Server, server};
use crate::support::wait;

/// What one message to a domain came to: its row, and what the last attempt says of TLS.
pub(super) struct Sent {
    id: Uuid,
    pub(super) state: String,
    pub(super) enhanced: Option<String>,
    pub(super) reply: String,
    pub(super) tls: Option<String>,
}

/// Sends a message to `domain` and waits for what becomes of the first attempt.
pub(super) async fn send(server: &Server, domain: &str) -> Sent {
    let tenant = server.sender().await;
    let ann = tenant.mailbox("ann").await;
    let id = Row::new(&ann, &format!("bob@{domain}")).insert(&tenant).await;
    let attempt = async || {
        sqlx::query_as::<_, (String, Option<String>, String, Option<String>)>(
            "SELECT outcome, enhanced, reply, tls FROM delivery_attempts
             WHERE outbound_message_id = $1 ORDER BY attempt LIMIT 1",
        )
        .bind(id)
        .fetch_optional(&server.pool)
        .await
        .unwrap()
    };
    let (state, enhanced, reply, tls) =
        wait::within(Duration::from_secs(30), attempt).await.expect("an attempt");
    Sent { id, state, enhanced, reply, tls }
}

/// It waits, for `reason`, and none of it was said to the server.
fn held_back(sent: &Sent, mx: &RemoteMx, reason: &str) {
    assert_eq!((sent.state.as_str(), sent.enhanced.as_deref()), ("deferred", Some("4.7.5")));
    assert!(sent.reply.contains("(MTA-STS)"), "{}", sent.reply);
    assert!(sent.reply.contains(reason), "{}", sent.reply);
    assert!(mx.commands().iter().all(|line| !line.starts_with("MAIL")), "{:?}", mx.commands());
}

#[tokio::test]
async fn a_server_that_does_as_the_policy_says_gets_its_mail() {
    let server = server().await;
    let (mx, domain) = server.proven_remote().await;
    let policy = PolicyServer::start(&server.dns, &domain, "enforce", &format!("*.{domain}")).await;
    let sent = send(server, &domain).await;
    assert_eq!(sent.state, "delivered", "{}", sent.reply);
    let tls = sent.tls.unwrap();
    assert!(tls.starts_with("TLSv1.3 TLS_"), "{tls}");
    assert!(tls.ends_with(", verified (MTA-STS)"), "{tls}");
    assert!(mx.accepted()[0].tls);
    // It is kept: nobody asks for it again.
    assert_eq!(send(server, &domain).await.state, "delivered");
    assert_eq!(policy.asked(), 1);
}

#[tokio::test]
async fn a_server_that_does_not_waits_for_its_mail() {
    let server = server().await;
    let enforce = |domain: &str| {
        let (domain, mx) = (domain.to_owned(), format!("mx.{domain}"));
        async move { PolicyServer::start(&server.dns, &domain, "enforce", &mx).await }
    };
    let (plain, domain) = server.remote(false).await;
    let _policy = enforce(&domain).await;
    held_back(&send(server, &domain).await, &plain, "does not offer STARTTLS");

    let (refusing, domain) = server.proven_remote().await;
    refusing.on("STARTTLS", Step::Reply("454 4.7.0 Not today".into()));
    let _policy = enforce(&domain).await;
    held_back(&send(server, &domain).await, &refusing, "refuses STARTTLS");

    let (broken, domain) = server.proven_remote().await;
    broken.on("TLS", Step::Drop);
    let _policy = enforce(&domain).await;
    held_back(&send(server, &domain).await, &broken, "the handshake failed");

    let (unknown, domain) = server.remote(true).await;
    let _policy = enforce(&domain).await;
    held_back(&send(server, &domain).await, &unknown, "the certificate");

    // The certificate is good, for the name that the host has elsewhere.
    let (other, elsewhere) = server.proven_remote().await;
    let domain = format!("alias-{elsewhere}");
    let host = format!("mx.{domain}");
    server.dns.mx(&domain, 10, &host).ip(&host, other.addr().ip());
    let _policy = enforce(&domain).await;
    held_back(&send(server, &domain).await, &other, "for another host");
}

#[tokio::test]
async fn a_server_that_the_policy_does_not_name_is_passed_over() {
    let server = server().await;
    let (stranger, domain) = server.proven_remote().await;
    let _policy =
        PolicyServer::start(&server.dns, &domain, "enforce", &format!("good.{domain}")).await;
    held_back(&send(server, &domain).await, &stranger, "no mail server is named in the policy");
    assert_eq!(stranger.connections(), 0);

    // The one that is named comes after it, and has the mail.
    let (stranger, domain) = server.proven_remote().await;
    let (named, other) = server.proven_remote().await;
    server.dns.mx(&domain, 20, &format!("mx.{other}"));
    let _policy =
        PolicyServer::start(&server.dns, &domain, "enforce", &format!("mx.{other}")).await;
    let sent = send(server, &domain).await;
    assert_eq!(sent.state, "delivered", "{}", sent.reply);
    assert_eq!((stranger.connections(), named.accepted().len()), (0, 1));
}

#[tokio::test]
async fn a_policy_that_is_tested_hinders_nobody() {
    let server = server().await;
    let (mx, domain) = server.remote(true).await;
    let _policy =
        PolicyServer::start(&server.dns, &domain, "testing", &format!("mx.{domain}")).await;
    let sent = send(server, &domain).await;
    assert_eq!(sent.state, "delivered", "{}", sent.reply);
    let tls = sent.tls.unwrap();
    assert!(tls.contains("not verified: the certificate"), "{tls}");
    assert!(tls.ends_with("(MTA-STS, testing)"), "{tls}");
    assert_eq!(mx.accepted().len(), 1);
    server.until(sent.id, "delivered").await;

    let (_plain, domain) = server.remote(false).await;
    let _policy =
        PolicyServer::start(&server.dns, &domain, "testing", &format!("mx.{domain}")).await;
    let sent = send(server, &domain).await;
    let tls = sent.tls.unwrap();
    assert_eq!(tls, "none: the server does not offer STARTTLS");
}

#[tokio::test]
async fn a_policy_holds_when_its_server_and_its_record_are_gone() {
    let server = server().await;
    let (mx, domain) = server.proven_remote().await;
    // No connection stays open for the next message.
    mx.on(".", Step::ReplyAndClose("250 2.0.0 Taken".into()));
    let policy =
        PolicyServer::start(&server.dns, &domain, "enforce", &format!("mx.{domain}")).await;
    assert_eq!(send(server, &domain).await.state, "delivered");

    let at = mx.addr();
    drop((mx, policy));
    // The listener closes when its task has ended.
    let free = async || tokio::net::TcpListener::bind(at).await.is_ok();
    wait::until("the port is free", Duration::from_secs(30), free).await;
    let plain = RemoteMx::start(at, false).await;
    let record = format!("_mta-sts.{domain}");
    server.dns.remove(&record, RecordType::TXT).txt(&record, "v=STSv1; id=2;");
    answered(server, &record, Some("v=STSv1; id=2;")).await;
    held_back(&send(server, &domain).await, &plain, "does not offer STARTTLS");
    server.dns.remove(&record, RecordType::TXT);
    answered(server, &record, None).await;
    // The first of these may have been decided upon before.
    let before = plain.connections();
    plain.wait_until("two more connections", |mx| mx.connections() >= before + 2).await;
    held_back(&send(server, &domain).await, &plain, "does not offer STARTTLS");
}

/// Whoever asks now hears this.
async fn answered(server: &Server, name: &str, expected: Option<&str>) {
    let text = format!("[dns]\nservers = [\"{}\"]", server.dns.addr());
    let config = koltrix_mail::config::Config::parse(&text, |_| None).unwrap();
    let found = Resolver::new(&config.dns).unwrap().txt(name).await;
    assert_eq!(found.ok().and_then(|all| all.first().cloned()).as_deref(), expected);
}

#[tokio::test]
async fn a_policy_that_cannot_be_had_is_none() {
    let server = server().await;
    let text = "version: STSv1\nmode: enforce\nmx: nobody.test\nmax_age: 86400\n";
    let head = |status: &str, kind: &str, length: usize| {
        format!("HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n\r\n")
    };
    let good = head("200 OK", "text/plain", text.len()) + text;
    let html = head("200 OK", "text/html", text.len()) + text;
    let moved = head("301 Moved\r\nLocation: https://elsewhere.test/", "text/plain", 4) + "gone";
    let large = head("200 OK", "text/plain", 70_000) + text + &"\n".repeat(70_000 - text.len());
    let rubbish = head("200 OK", "text/plain", 7) + "rubbish";
    for (what, proven, answer) in [
        ("another host", "www", good),
        ("a page", "mta-sts", html),
        ("a redirect", "mta-sts", moved),
        ("too much", "mta-sts", large),
        ("rubbish", "mta-sts", rubbish),
    ] {
        let (_mx, domain) = server.remote(true).await;
        let proven = format!("{proven}.{domain}");
        let _policy = PolicyServer::saying(&server.dns, &domain, &proven, answer).await;
        let sent = send(server, &domain).await;
        assert_eq!(sent.state, "delivered", "{what}: {}", sent.reply);
        let tls = sent.tls.unwrap();
        assert!(tls.ends_with("(the policy (MTA-STS) is not available)"), "{what}: {tls}");
    }
}
