//! Leases, transactions and what survives a crash.

use std::collections::BTreeSet;

use koltrix_mail::domain::ids::NodeId;
use koltrix_mail::domain::queue::State;
use koltrix_mail::store::db::Db;
use koltrix_mail::store::outbound::{LeaseRequest, Selection};
use sqlx::PgPool;
use uuid::Uuid;

use super::Row;
use crate::support::postgres;
use crate::support::server::server;

#[tokio::test]
async fn recipients_of_one_message_share_a_connection_and_tracked_ones_nothing_else() {
    let server = server().await;
    let tenant = server.sender().await;
    let ann = tenant.mailbox("ann").await;
    let (mx, domain) = server.remote(false).await;
    let email = stored_email(&tenant, &ann).await;
    for tracked in [false, true] {
        sqlx::query(
            "INSERT INTO outbound_messages (tenant_id, queue_id, email_id, from_address, recipient, track_opens, class)
             SELECT $1, $2, $3, $4, 'r' || n || '@' || $5, $6, 'personal' FROM generate_series(1, 5) n",
        )
        .bind(tenant.id)
        .bind(Uuid::new_v4())
        .bind(email)
        .bind(&ann)
        .bind(&domain)
        .bind(tracked)
        .execute(&server.pool)
        .await
        .unwrap();
        let expected = if tracked { 6 } else { 1 };
        let received = mx.wait_for(expected).await;
        let new = received.iter().skip(usize::from(tracked));
        let connections: BTreeSet<_> = new.map(|m| m.connection).collect();
        assert_eq!(connections.len(), 1);
        if tracked {
            assert!(received[1..].iter().all(|m| m.rcpt_to.len() == 1));
        } else {
            assert_eq!(received[0].rcpt_to.len(), 5);
        }
    }
}

/// A message that the server has composed and delivered to nobody's surprise.
async fn stored_email(tenant: &crate::support::server::Tenant, ann: &str) -> Uuid {
    let server = server().await;
    let (mx, domain) = server.remote(false).await;
    let to = format!("first@{domain}");
    let row = Row { html: Some("<p>x</p>"), ..Row::new(ann, &to) };
    let id = row.insert(tenant).await;
    mx.wait_for(1).await;
    server.until(id, "delivered").await;
    sqlx::query_scalar("SELECT email_id FROM outbound_messages WHERE id = $1")
        .bind(id)
        .fetch_one(&server.pool)
        .await
        .unwrap()
}

#[tokio::test]
async fn what_a_dead_node_was_sending_is_sent() {
    let server = server().await;
    let tenant = server.sender().await;
    let ann = tenant.mailbox("ann").await;
    let (mx, domain) = server.remote(false).await;
    let id: Uuid = sqlx::query_scalar(
        "INSERT INTO outbound_messages (tenant_id, from_address, recipient, text_body, state, attempts,
            leased_by, leased_until)
         VALUES ($1, $2, $3, 'x', 'sending', 1, gen_random_uuid(), now() - interval '1 second') RETURNING id",
    )
    .bind(tenant.id)
    .bind(&ann)
    .bind(format!("bob@{domain}"))
    .fetch_one(&server.pool)
    .await
    .unwrap();
    mx.wait_for(1).await;
    assert_eq!(server.until(id, "delivered").await.attempts, 2);
    let outcomes: Vec<_> = server.attempts(id).await.into_iter().map(|a| (a.0, a.1)).collect();
    assert_eq!(outcomes, [("deferred".to_owned(), 451), ("delivered".into(), 250)]);
}

/// A database without a server, and two organisations in it.
async fn alone() -> (Db, PgPool, [Uuid; 2]) {
    let url = postgres::empty_database().await;
    let db = Db::connect(&url, 8).await.unwrap();
    koltrix_mail::store::migrate::migrate(&db, koltrix_mail::store::migrate::MIGRATIONS)
        .await
        .unwrap();
    let pool = PgPool::connect(&url).await.unwrap();
    let first = postgres::organisation(&pool).await.id;
    let second = postgres::organisation(&pool).await.id;
    (db, pool, [first, second])
}

async fn queue(pool: &PgPool, tenant: Uuid, class: &str, domain: &str, rows: i32) {
    sqlx::query(
        "INSERT INTO outbound_messages (tenant_id, from_address, recipient, text_body, class, next_attempt_at)
         SELECT $1, 'a@x.test', 'r' || n || '@' || $2, 'x', $3, now() - n * interval '1 second'
         FROM generate_series(1, $4) n",
    )
    .bind(tenant)
    .bind(domain)
    .bind(class)
    .bind(rows)
    .execute(pool)
    .await
    .unwrap();
}

fn request(limit: usize, per_domain: usize, domains: &[String]) -> LeaseRequest<'_> {
    let time = std::time::Duration::from_mins(1);
    LeaseRequest { node: NodeId::random(), limit, per_domain, time, domains, tenants: &[] }
}

#[tokio::test]
async fn leases_are_fair_bounded_and_put_people_before_bulk() {
    let (db, pool, [big, small]) = alone().await;
    queue(&pool, big, "bulk", "news.test", 50).await;
    queue(&pool, big, "personal", "a.test", 50).await;
    queue(&pool, big, "personal", "b.test", 2).await;
    queue(&pool, small, "personal", "c.test", 3).await;

    let rows = db.lease(request(10, 100, &[])).await.unwrap();
    let count = |domain: &str| rows.iter().filter(|row| row.recipient_domain == domain).count();
    assert_eq!(
        (count("a.test"), count("b.test"), count("c.test"), count("news.test")),
        (5, 2, 3, 0)
    );
    assert!(rows.iter().all(|row| row.attempts == 1));

    // What is leased is nobody else's; busy domains and the bound are obeyed.
    let busy = ["a.test".to_owned()];
    let rows = db.lease(request(100, 7, &busy)).await.unwrap();
    assert_eq!(rows.len(), 7);
    assert!(rows.iter().all(|row| row.recipient_domain == "news.test"));

    // A suspended organisation sends nothing and loses nothing.
    sqlx::query("UPDATE tenants SET status = 'suspended' WHERE id = $1")
        .bind(big)
        .execute(&pool)
        .await
        .unwrap();
    assert!(db.lease(request(100, 100, &[])).await.unwrap().is_empty());
}

#[tokio::test]
async fn leases_at_the_same_time_share_the_rows_out() {
    let (db, pool, [tenant, _]) = alone().await;
    queue(&pool, tenant, "personal", "a.test", 200).await;
    let take = || async { db.lease(request(50, 1000, &[])).await.unwrap() };
    let (a, b, c, d) = tokio::join!(take(), take(), take(), take());
    let all: Vec<_> = [a, b, c, d].into_iter().flatten().map(|row| row.id).collect();
    let distinct: std::collections::HashSet<_> = all.iter().collect();
    assert_eq!(distinct.len(), all.len());
    assert!(all.len() > 100, "{}", all.len());
}

#[tokio::test]
async fn an_operator_holds_releases_retries_and_cancels() {
    let (db, pool, [tenant, other]) = alone().await;
    queue(&pool, tenant, "personal", "a.test", 3).await;
    queue(&pool, other, "personal", "b.test", 1).await;
    let to_a = Selection { domain: Some("a.test".to_owned()), ..Selection::default() };
    assert_eq!(db.hold_outbound(&to_a, "provider is down").await.unwrap().len(), 3);
    let held = Selection { state: Some(State::Held), ..Selection::default() };
    let listed = db.list_outbound(&held, 10).await.unwrap();
    assert_eq!(listed.len(), 3);
    assert_eq!(listed[0].held_reason.as_deref(), Some("provider is down"));
    assert!(db.retry_outbound(&to_a).await.unwrap().is_empty());
    let one = Selection { ids: Some(vec![listed[0].id.0]), ..Selection::default() };
    assert_eq!(db.release_outbound(&one).await.unwrap(), [listed[0].id]);
    assert_eq!(db.retry_outbound(&to_a).await.unwrap(), [listed[0].id]);
    assert_eq!(db.cancel_outbound(&to_a).await.unwrap().len(), 3);
    let rest = db.lease(request(10, 10, &[])).await.unwrap();
    assert_eq!(rest.len(), 1);
    assert!(db.cancel_outbound(&Selection::default()).await.unwrap().is_empty(), "one is leased");
    assert_eq!(db.attempts(rest[0].id).await.unwrap().len(), 0);
}
