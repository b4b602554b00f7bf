//! Step 3 of the main job: what leaves.

mod bounces;
mod bulk;
mod dane;
mod dkimpy;
mod fates;
mod fleet;
mod here;
mod metrics;
mod mta_sts;
mod opt_in;
mod queue;
mod returned;
mod routes;
mod warmup;

use std::time::Duration;

use sqlx::Row as _;
use uuid::Uuid;

use crate::support::server::{Server, Tenant, server};
use crate::support::wait;

/// A row of the queue as another program writes one.
struct Row<'a> {
    from: &'a str,
    to: &'a str,
    html: Option<&'a str>,
    tracked: bool,
    require_tls: bool,
    queue_id: Uuid,
}

impl<'a> Row<'a> {
    fn new(from: &'a str, to: &'a str) -> Self {
        Self { from, to, html: None, tracked: false, require_tls: false, queue_id: Uuid::new_v4() }
    }

    async fn insert(&self, tenant: &Tenant) -> Uuid {
        sqlx::query_scalar(
            "INSERT INTO outbound_messages (tenant_id, queue_id, from_address, from_name, recipient, subject,
                text_body, html_body, track_opens, track_clicks, require_tls)
             VALUES ($1, $2, $3, 'Ann Grün', $4, 'Grüße', 'Hello' || chr(10) || '.dot', $5, $6, $6, $7) RETURNING id",
        )
        .bind(tenant.id)
        .bind(self.queue_id)
        .bind(self.from)
        .bind(self.to)
        .bind(self.html)
        .bind(self.tracked)
        .bind(self.require_tls)
        .fetch_one(&server().await.pool)
        .await
        .unwrap()
    }
}

/// What the queue says of a row.
#[derive(Debug, PartialEq)]
struct Standing {
    state: String,
    attempts: i32,
    code: Option<i32>,
    enhanced: Option<String>,
}

impl Server {
    /// An organisation whose domain has its DKIM keys: mail waits for them.
    async fn sender(&self) -> Tenant {
        let tenant = self.tenant().await;
        wait::for_keys(&self.pool, &tenant.domain).await;
        tenant
    }

    async fn standing(&self, id: Uuid) -> Standing {
        let row = sqlx::query(
            "SELECT state, attempts, last_code, last_enhanced FROM outbound_messages WHERE id = $1",
        )
        .bind(id)
        .fetch_one(&self.pool)
        .await
        .unwrap();
        Standing { state: row.get(0), attempts: row.get(1), code: row.get(2), enhanced: row.get(3) }
    }

    /// Waits until a row is in `state`; 30 seconds at most.
    async fn until(&self, id: Uuid, state: &str) -> Standing {
        let reached = async || Some(self.standing(id).await).filter(|s| s.state == state);
        match wait::within(Duration::from_secs(30), reached).await {
            Some(standing) => standing,
            None => panic!("not {state}: {:?}", self.standing(id).await),
        }
    }

    /// `outcome code host tls?` of each attempt.
    async fn attempts(&self, id: Uuid) -> Vec<(String, i32, Option<String>, bool)> {
        sqlx::query_as(
            "SELECT outcome, code, host, coalesce(tls LIKE 'TLS%', false) FROM delivery_attempts
             WHERE outbound_message_id = $1 ORDER BY attempt, finished_at",
        )
        .bind(id)
        .fetch_all(&self.pool)
        .await
        .unwrap()
    }

    /// The names of a message's events.
    async fn events(&self, id: Uuid) -> Vec<String> {
        sqlx::query_scalar(
            "SELECT event FROM analytics_events WHERE outbound_message_id = $1 ORDER BY occurred_at",
        )
        .bind(id)
        .fetch_all(&self.pool)
        .await
        .unwrap()
    }

    /// The reasons for which an address is suppressed.
    async fn suppressed(&self, tenant: &Tenant, address: &str) -> Vec<String> {
        sqlx::query_scalar(
            "SELECT reason FROM suppression_list WHERE tenant_id = $1 AND address = $2",
        )
        .bind(tenant.id)
        .bind(address)
        .fetch_all(&self.pool)
        .await
        .unwrap()
    }
}
