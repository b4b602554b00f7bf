//! A domain that warms up: what waits, what never does, and what the next day brings.

use koltrix_mail::domain::ids::TenantId;
use koltrix_mail::mail::warmup;
use koltrix_mail::store::db::Db;
use koltrix_mail::store::outbound::Selection;
use uuid::Uuid;

use crate::support::postgres;
use crate::support::remote_mx::Step;
use crate::support::server::{Server, Tenant, server};

async fn begin(server: &Server, tenant: &Tenant, first: i32) {
    sqlx::query(
        "INSERT INTO domain_warmup (tenant_id, domain_id, schedule, daily_budget)
         SELECT tenant_id, id, ARRAY[$2, 100], $2 FROM tenant_domains WHERE tenant_id = $1",
    )
    .bind(tenant.id)
    .bind(first)
    .execute(&server.pool)
    .await
    .unwrap();
}

async fn send(server: &Server, tenant: &Tenant, from: &str, to: &str, class: &str) -> Uuid {
    sqlx::query_scalar(
        "INSERT INTO outbound_messages (tenant_id, from_address, recipient, text_body, class)
         VALUES ($1, $2, $3, 'x', $4) RETURNING id",
    )
    .bind(tenant.id)
    .bind(from)
    .bind(to)
    .bind(class)
    .fetch_one(&server.pool)
    .await
    .unwrap()
}

/// Budget, sent, put off, and why.
async fn standing(server: &Server, tenant: &Tenant) -> (i32, i32, i32, String) {
    sqlx::query_as(
        "SELECT daily_budget, sent_count, deferred_count, reason FROM domain_warmup WHERE tenant_id = $1",
    )
    .bind(tenant.id)
    .fetch_one(&server.pool)
    .await
    .unwrap()
}

async fn a_day_passes(server: &Server, tenant: &Tenant) {
    sqlx::query("UPDATE domain_warmup SET budget_day = budget_day - 1 WHERE tenant_id = $1")
        .bind(tenant.id)
        .execute(&server.pool)
        .await
        .unwrap();
}

#[tokio::test]
async fn bulk_waits_for_the_next_day_and_people_never() {
    let server = server().await;
    let tenant = server.sender().await;
    let ann = tenant.mailbox("ann").await;
    let (_mx, domain) = server.remote(false).await;
    begin(server, &tenant, 4).await;
    let mut bulk = Vec::new();
    for n in 0..5 {
        let id = send(server, &tenant, &ann, &format!("b{n}@{domain}"), "bulk").await;
        // A tenth of the budget, here one message, is not for bulk.
        server.until(id, if n < 3 { "delivered" } else { "held" }).await;
        bulk.push(id);
    }
    let reason: String =
        sqlx::query_scalar("SELECT held_reason FROM outbound_messages WHERE id = $1")
            .bind(bulk[3])
            .fetch_one(&server.pool)
            .await
            .unwrap();
    assert!(reason.starts_with("warm-up: *: 3 of today's 4 messages"), "{reason}");
    assert_eq!(server.standing(bulk[3]).await.attempts, 0);
    let first = send(server, &tenant, &ann, &format!("t1@{domain}"), "transactional").await;
    server.until(first, "delivered").await;
    let second = send(server, &tenant, &ann, &format!("t2@{domain}"), "transactional").await;
    server.until(second, "held").await;
    let own = send(server, &tenant, &ann, &format!("p@{domain}"), "personal").await;
    server.until(own, "delivered").await;

    // An operator's word is worth more than the budget.
    let db = Db::connect(&postgres::url().await, 2).await.unwrap();
    let selection = Selection { ids: Some(vec![bulk[3]]), ..Selection::default() };
    db.release_outbound(&selection).await.unwrap();
    server.until(bulk[3], "delivered").await;
    assert_eq!(warmup::release(&db, TenantId(tenant.id)).await.unwrap(), 0);
    assert_eq!(standing(server, &tenant).await.1, 6);

    a_day_passes(server, &tenant).await;
    assert_eq!(warmup::release(&db, TenantId(tenant.id)).await.unwrap(), 2);
    server.until(bulk[4], "delivered").await;
    server.until(second, "delivered").await;
    let (budget, sent, _, reason) = standing(server, &tenant).await;
    assert_eq!((budget, sent), (100, 2));
    assert_eq!(reason, "a good day with 6 messages: on to 100");

    // Ended, it holds nothing any more.
    sqlx::query("UPDATE domain_warmup SET daily_budget = 1, sent_count = 9 WHERE tenant_id = $1")
        .bind(tenant.id)
        .execute(&server.pool)
        .await
        .unwrap();
    let last = send(server, &tenant, &ann, &format!("last@{domain}"), "bulk").await;
    server.until(last, "held").await;
    sqlx::query("DELETE FROM domain_warmup WHERE tenant_id = $1")
        .bind(tenant.id)
        .execute(&server.pool)
        .await
        .unwrap();
    assert_eq!(warmup::release(&db, TenantId(tenant.id)).await.unwrap(), 1);
    server.until(last, "delivered").await;
}

#[tokio::test]
async fn a_budget_shrinks_when_receivers_put_mail_off() {
    let server = server().await;
    let tenant = server.sender().await;
    let ann = tenant.mailbox("ann").await;
    let (mx, domain) = server.remote(false).await;
    begin(server, &tenant, 40).await;
    mx.times(2, "RCPT", Step::Reply("451 4.7.1 Too many messages from your address".into()));
    let id = send(server, &tenant, &ann, &format!("slow@{domain}"), "bulk").await;
    server.until(id, "delivered").await;
    let (_, sent, deferred, _) = standing(server, &tenant).await;
    assert_eq!((sent, deferred), (3, 2));
    a_day_passes(server, &tenant).await;
    let db = Db::connect(&postgres::url().await, 2).await.unwrap();
    warmup::release(&db, TenantId(tenant.id)).await.unwrap();
    let (budget, _, _, reason) = standing(server, &tenant).await;
    assert_eq!(budget, 20);
    assert_eq!(reason, "2 of 3 attempts were put off: from 40 a day back to 20");
}
