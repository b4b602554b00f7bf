//! What refusals are taken for, who is told of them, and who is written to no more.

use std::time::Duration;

use uuid::Uuid;

use super::Row;
use crate::support::imap::Imap;
use crate::support::remote_mx::Step;
use crate::support::server::{PASSWORD, Server, Tenant, server};
use crate::support::wait;

/// How long something may take to come about.
const LIMIT: Duration = Duration::from_secs(30);

impl Server {
    /// A message of a person that has been in the queue for so long already, and failed.
    async fn aged(
        &self,
        tenant: &Tenant,
        (from, to): (&str, &str),
        (age, failures): (&str, i32),
    ) -> Uuid {
        sqlx::query_scalar(
            "WITH o AS (
                INSERT INTO outbound_messages (tenant_id, from_address, recipient, subject, text_body, class, queued_at)
                VALUES ($1, $2, $3, 'Old', 'x', 'personal', now() - $4::text::interval) RETURNING id, tenant_id
             ), a AS (
                INSERT INTO delivery_attempts (tenant_id, outbound_message_id, attempt, started_at, outcome, code, reply)
                SELECT o.tenant_id, o.id, n, now(), 'deferred', 451, 'Not now' FROM o, generate_series(1, $5) n)
             SELECT id FROM o",
        )
        .bind(tenant.id)
        .bind(from)
        .bind(to)
        .bind(age)
        .bind(failures)
        .fetch_one(&self.pool)
        .await
        .unwrap()
    }

    /// The `fault` of each event of a message.
    async fn faults(&self, id: Uuid) -> Vec<Option<String>> {
        sqlx::query_scalar(
            "SELECT properties ->> 'fault' FROM analytics_events WHERE outbound_message_id = $1 ORDER BY occurred_at",
        )
        .bind(id)
        .fetch_all(&self.pool)
        .await
        .unwrap()
    }
}

#[tokio::test]
async fn words_of_a_server_count_where_its_code_misleads() {
    let server = server().await;
    let tenant = server.sender().await;
    let ann = tenant.mailbox("ann").await;
    let (mx, domain) = server.remote(false).await;
    mx.times(1, "RCPT", Step::Reply("550 Mailbox full".into()));
    let to = format!("bob@{domain}");
    let id = Row::new(&ann, &to).insert(&tenant).await;
    server.until(id, "delivered").await;
    assert_eq!(server.events(id).await, ["email.deferred", "email.delivered"]);
    assert_eq!(server.faults(id).await, [Some("full".to_owned()), None]);

    mx.on("RCPT", Step::Reply("554 5.7.1 Recipient rejected: user unknown".into()));
    let gone = format!("gone@{domain}");
    let id = Row::new(&ann, &gone).insert(&tenant).await;
    server.until(id, "bounced").await;
    assert_eq!(server.faults(id).await, [Some("address".to_owned())]);
    assert!(server.suppressed(&tenant, &gone).await.is_empty(), "never on 5.7.x");
}

#[tokio::test]
async fn people_hear_once_that_their_message_is_late() {
    let server = server().await;
    let tenant = server.sender().await;
    let ann = tenant.mailbox("ann").await;
    let mut imap = Imap::login(server, &ann, PASSWORD).await;
    imap.ok("SELECT INBOX").await;
    imap.idle().await;
    let (mx, domain) = server.remote(false).await;
    mx.times(3, "RCPT", Step::Reply("451 4.3.2 Down for maintenance".into()));
    let to = format!("bob@{domain}");
    let id = server.aged(&tenant, (&ann, &to), ("4 hours", 0)).await;
    server.until(id, "delivered").await;
    assert_eq!(server.attempts(id).await.len(), 4);

    imap.wait_for("* 1 EXISTS").await;
    imap.done().await;
    let report = String::from_utf8(imap.literal("FETCH 1 BODY.PEEK[]").await).unwrap();
    assert!(report.contains("Subject: Your message is delayed\r\n"), "{report}");
    assert!(report.contains("Action: delayed\r\nStatus: 4.3.2\r\n"), "{report}");
    assert!(report.contains("Down for maintenance"), "{report}");
    assert!(report.contains("\r\nWill-Retry-Until: "), "{report}");
    let told: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM outbound_messages WHERE tenant_id = $1 AND source = 'bounce'",
    )
    .bind(tenant.id)
    .fetch_one(&server.pool)
    .await
    .unwrap();
    assert_eq!(told, 1);
}

#[tokio::test]
async fn five_failures_over_three_days_are_enough() {
    let server = server().await;
    let tenant = server.sender().await;
    let ann = tenant.mailbox("ann").await;
    let (mx, domain) = server.remote(false).await;
    let to = format!("bob@{domain}");
    mx.times(1, "RCPT", Step::Reply("451 4.2.0 Not now".into()));
    let first = server.aged(&tenant, (&ann, &to), ("73 hours", 3)).await;
    server.until(first, "expired").await;
    let troubles = "SELECT failures FROM recipient_troubles WHERE tenant_id = $1 AND address = $2";
    let count = || async {
        sqlx::query_scalar::<_, i32>(troubles)
            .bind(tenant.id)
            .bind(&to)
            .fetch_optional(&server.pool)
            .await
            .unwrap()
    };
    assert_eq!(wait::within(LIMIT, count).await, Some(4));
    assert!(server.suppressed(&tenant, &to).await.is_empty());

    // What gets there in between ends the count.
    let fine = Row::new(&ann, &to).insert(&tenant).await;
    server.until(fine, "delivered").await;
    assert_eq!(count().await, None);

    mx.on("RCPT", Step::Reply("451 4.2.0 Not now".into()));
    let last = server.aged(&tenant, (&ann, &to), ("73 hours", 4)).await;
    server.until(last, "expired").await;
    let suppressed = async || !server.suppressed(&tenant, &to).await.is_empty();
    wait::until("suppressed", LIMIT, suppressed).await;
    assert_eq!(server.suppressed(&tenant, &to).await, ["soft_bounce"]);
    let audited: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM audit_logs WHERE tenant_id = $1 AND action = 'suppression.added'",
    )
    .bind(tenant.id)
    .fetch_one(&server.pool)
    .await
    .unwrap();
    assert_eq!(audited, 1);
}
