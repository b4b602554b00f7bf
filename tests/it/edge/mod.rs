//! The HTTP edge, asked over TCP, and what it leaves in the database.

mod discovery;
mod hits;
mod instrument;
mod pages;
mod tracking;

use koltrix_mail::domain::ids::{OutboundId, TenantId};
use koltrix_mail::store::db::Db;
use koltrix_mail::store::tracking::Tokens;
use sqlx::PgPool;
use uuid::Uuid;

use crate::support::postgres;

/// A message that was delivered an hour ago.
async fn delivered(pool: &PgPool) -> (TenantId, OutboundId) {
    let tenant = postgres::organisation(pool).await;
    let id: Uuid = sqlx::query_scalar(
        "INSERT INTO outbound_messages (tenant_id, recipient, from_address, text_body, state, finished_at)
         VALUES ($1, 'reader@elsewhere.test', 'writer@here.test', 'x', 'delivered', now() - interval '1 hour')
         RETURNING id",
    )
    .bind(tenant.id)
    .fetch_one(pool)
    .await
    .unwrap();
    (TenantId(tenant.id), OutboundId(id))
}

/// A store of its own, with its own connections.
async fn store() -> Db {
    Db::connect(&postgres::url().await, 4).await.unwrap()
}

/// A pixel and these links for a message.
async fn tokens(message: (TenantId, OutboundId), links: &[&str]) -> Tokens {
    let links: Vec<String> = links.iter().map(|&link| link.to_owned()).collect();
    store().await.ensure_tracking_tokens(message.0, message.1, true, &links).await.unwrap()
}

/// Opens and clicks of a message as each of the three places tells them.
#[derive(Debug, PartialEq, Eq)]
struct Counts {
    /// `outbound_messages`: by people.
    message: (i32, i32),
    /// `analytics_events`: by people.
    people: (i64, i64),
    /// `analytics_events`: by anybody.
    events: (i64, i64),
    /// `email_tracking_events`.
    legacy: (i64, i64),
}

async fn counts(pool: &PgPool, message: OutboundId) -> Counts {
    let (opens, clicks): (i32, i32) =
        sqlx::query_as("SELECT open_count, click_count FROM outbound_messages WHERE id = $1")
            .bind(message.0)
            .fetch_one(pool)
            .await
            .unwrap();
    let events: (i64, i64, i64, i64) = sqlx::query_as(
        "SELECT count(*) FILTER (WHERE event = 'email.opened'), count(*) FILTER (WHERE event = 'email.clicked'),
            count(*) FILTER (WHERE event = 'email.opened' AND class = 'human'),
            count(*) FILTER (WHERE event = 'email.clicked' AND class = 'human')
         FROM analytics_events WHERE outbound_message_id = $1",
    )
    .bind(message.0)
    .fetch_one(pool)
    .await
    .unwrap();
    let legacy: (i64, i64) = sqlx::query_as(
        "SELECT count(*) FILTER (WHERE event_type = 'open'), count(*) FILTER (WHERE event_type = 'click')
         FROM email_tracking_events WHERE outbound_message_id = $1",
    )
    .bind(message.0)
    .fetch_one(pool)
    .await
    .unwrap();
    Counts {
        message: (opens, clicks),
        people: (events.2, events.3),
        events: (events.0, events.1),
        legacy,
    }
}
