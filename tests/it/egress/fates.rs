//! What a remote server does to a message, and what becomes of it.

use super::Row;
use crate::support::imap::Imap;
use crate::support::remote_mx::Step;
use crate::support::server::{PASSWORD, server};

#[tokio::test]
async fn a_row_by_sql_alone_leaves_signed_and_over_tls() {
    let server = server().await;
    let tenant = server.sender().await;
    let ann = tenant.mailbox("ann").await;
    let (mx, domain) = server.remote(true).await;
    let to = format!("bob@{domain}");
    let id = Row::new(&ann, &to).insert(&tenant).await;

    let received = mx.wait_for(1).await.remove(0);
    let standing = server.until(id, "delivered").await;
    assert_eq!((standing.attempts, standing.code), (1, Some(250)));
    let host = Some(format!("mx.{domain}"));
    assert_eq!(server.attempts(id).await, [("delivered".into(), 250, host, true)]);
    assert_eq!(server.events(id).await, ["email.delivered"]);

    assert!(received.tls);
    let return_path = format!("<bounces+{}-", id.simple());
    assert!(received.mail_from.starts_with(&return_path), "{}", received.mail_from);
    assert!(
        received.mail_from.contains(&format!("@{}> ", tenant.domain)),
        "{}",
        received.mail_from
    );
    assert!(received.mail_from.contains(" SIZE="), "{}", received.mail_from);
    assert!(received.rcpt_to[0].starts_with(&format!("<{to}> NOTIFY=")), "{:?}", received.rcpt_to);
    let text = String::from_utf8(received.data).unwrap();
    assert_eq!(text.matches("DKIM-Signature: ").count(), 2, "{text}");
    assert!(text.contains(&format!("d={}", tenant.domain)), "{text}");
    assert!(text.contains("\r\n.dot"), "{text}");
    let sent: bool =
        sqlx::query_scalar("SELECT first_sent_at IS NOT NULL FROM tenants WHERE id = $1")
            .bind(tenant.id)
            .fetch_one(&server.pool)
            .await
            .unwrap();
    assert!(sent);
}

#[tokio::test]
async fn a_dead_address_is_suppressed_and_the_sender_is_told() {
    let server = server().await;
    let tenant = server.sender().await;
    let ann = tenant.mailbox("ann").await;
    let mut waiting = Imap::login(server, &ann, PASSWORD).await;
    waiting.ok("SELECT INBOX").await;
    waiting.idle().await;
    let (mx, domain) = server.remote(false).await;
    mx.on("RCPT", Step::Reply("550 5.1.1 Nobody of that name, ask reception".into()));
    let to = format!("gone@{domain}");
    let id = Row::new(&ann, &to).insert(&tenant).await;

    let standing = server.until(id, "bounced").await;
    assert_eq!(standing.enhanced.as_deref(), Some("5.1.1"));
    assert_eq!(server.events(id).await, ["email.bounced"]);
    assert_eq!(server.suppressed(&tenant, &to).await, ["hard_bounce"]);
    waiting.wait_for("* 1 EXISTS").await;
    waiting.done().await;
    let report = waiting.literal("FETCH 1 BODY.PEEK[]").await;
    let report = String::from_utf8(report).unwrap();
    assert!(report.starts_with("Return-Path: <>\r\n"), "{report}");
    assert!(report.contains("Nobody of that name, ask reception"), "{report}");
    assert!(report.contains("Action: failed\r\nStatus: 5.1.1\r\n"), "{report}");
    assert!(mx.messages().is_empty());

    // Whoever is suppressed is not written to again.
    let again = Row::new(&ann, &to).insert(&tenant).await;
    assert_eq!(server.standing(again).await.state, "suppressed");
}

#[tokio::test]
async fn a_temporary_refusal_is_tried_again_with_the_same_octets() {
    let server = server().await;
    let tenant = server.sender().await;
    let ann = tenant.mailbox("ann").await;
    let (mx, domain) = server.remote(false).await;
    mx.times(1, "RCPT", Step::Reply("450 4.2.0 Greylisted".into()));
    // The reply to a whole message is lost: the one case of a possible double.
    mx.times(1, ".", Step::Drop);
    let to = format!("bob@{domain}");
    let row = Row {
        html: Some("<p><a href=\"https://target.example/\">x</a></p>"),
        tracked: true,
        ..Row::new(&ann, &to)
    };
    let id = row.insert(&tenant).await;

    mx.wait_for(1).await;
    let standing = server.until(id, "delivered").await;
    assert_eq!(standing.attempts, 3);
    let outcomes: Vec<_> = server.attempts(id).await.into_iter().map(|a| (a.0, a.1)).collect();
    let expected =
        [("deferred".to_owned(), 450), ("deferred".into(), 421), ("delivered".into(), 250)];
    assert_eq!(outcomes, expected);
    let messages = mx.messages();
    assert_eq!(messages.len(), 2);
    assert!(messages[0].data == messages[1].data, "another attempt sent other octets");
    let text = String::from_utf8_lossy(&messages[0].data);
    assert!(text.contains("track.koltrix.test/t/"), "{text}");
    assert!(!text.contains("target.example/\""), "{text}");
    assert!(server.suppressed(&tenant, &to).await.is_empty());
}

#[tokio::test]
async fn domains_without_a_way_in_are_told_apart() {
    let server = server().await;
    let tenant = server.sender().await;
    let ann = tenant.mailbox("ann").await;
    let name = |what: &str| format!("{what}-{}.test", uuid::Uuid::new_v4().simple());
    let (null, missing, ours) = (name("null"), name("missing"), name("ours"));
    server.dns.mx(&null, 0, ".").mx(&ours, 10, "mx.koltrix.test");
    for (domain, enhanced) in [(&null, "5.1.10"), (&missing, "5.1.2"), (&ours, "5.4.6")] {
        let id = Row::new(&ann, &format!("x@{domain}")).insert(&tenant).await;
        let standing = server.until(id, "bounced").await;
        assert_eq!(standing.enhanced.as_deref(), Some(enhanced), "{domain}");
    }
    let broken = name("broken");
    server.dns.broken(&broken, true);
    let id = Row::new(&ann, &format!("x@{broken}")).insert(&tenant).await;
    let (mx, other) = server.remote(false).await;
    server.dns.broken(&broken, false).mx(&broken, 5, &format!("mx.{other}"));
    mx.wait_for(1).await;
    server.until(id, "delivered").await;
}

#[tokio::test]
async fn a_host_with_broken_tls_or_none_at_all_is_passed_over() {
    let server = server().await;
    let tenant = server.sender().await;
    let ann = tenant.mailbox("ann").await;
    let (broken, domain) = server.remote(true).await;
    broken.on("TLS", Step::Drop);
    let id = Row::new(&ann, &format!("bob@{domain}")).insert(&tenant).await;
    assert!(!broken.wait_for(1).await[0].tls);
    server.until(id, "delivered").await;

    // The nearest host turns us away; the next one takes it.
    let (closed, domain) = server.remote(false).await;
    let (open, other) = server.remote(false).await;
    closed.on("CONNECT", Step::ReplyAndClose("554 5.3.2 Not today".into()));
    server.dns.mx(&domain, 20, &format!("mx.{other}"));
    let id = Row::new(&ann, &format!("bob@{domain}")).insert(&tenant).await;
    open.wait_for(1).await;
    let attempts = {
        server.until(id, "delivered").await;
        server.attempts(id).await
    };
    assert_eq!(attempts, [("delivered".into(), 250, Some(format!("mx.{other}")), false)]);
}

#[tokio::test]
async fn a_link_that_nothing_can_stand_for_goes_as_it_is() {
    let server = server().await;
    let tenant = server.sender().await;
    let ann = tenant.mailbox("ann").await;
    let (mx, domain) = server.remote(false).await;
    let html = format!(
        "<a href=\"http://long.example/{}\">a</a> <a href=\"https://\">b</a> <a href=\"https://c.example/\">c</a>",
        "x".repeat(9000)
    );
    let to = format!("bob@{domain}");
    let row = Row { html: Some(&html), tracked: true, ..Row::new(&ann, &to) };
    let id = row.insert(&tenant).await;
    let text = String::from_utf8(mx.wait_for(1).await.remove(0).data).unwrap();
    server.until(id, "delivered").await;
    let text = text.replace("=\r\n", "").replace("=3D", "=");
    assert!(text.contains("http://long.example/xxx"), "{text}");
    assert!(text.contains("track.koltrix.test/t/c/") && !text.contains("https://c.example/"));
}

#[tokio::test]
async fn a_domain_with_a_tracking_host_uses_it() {
    let server = server().await;
    let tenant = server.sender().await;
    let ann = tenant.mailbox("ann").await;
    let (mx, domain) = server.remote(false).await;
    sqlx::query("UPDATE tenant_domains SET tracking_host = 'links.' || domain WHERE domain = $1")
        .bind(&tenant.domain)
        .execute(&server.pool)
        .await
        .unwrap();
    let to = format!("bob@{domain}");
    let row = Row { html: Some("<p>x</p>"), tracked: true, ..Row::new(&ann, &to) };
    row.insert(&tenant).await;
    let text = String::from_utf8(mx.wait_for(1).await.remove(0).data).unwrap();
    let text = text.replace("=\r\n", "");
    assert!(text.contains(&format!("https://links.{}/t/o/", tenant.domain)), "{text}");
}
