//! The page of numbers.

use std::time::Duration;

use crate::mail::metrics::Metrics;
use crate::store::db::Db;
use crate::wire::prometheus::{Exposition, Kind};

/// An answer of the database that takes longer is left out.
const PATIENCE: Duration = Duration::from_secs(5);

/// The numbers of this process, and those of the database. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Page {
    metrics: Metrics,
    db: Db,
}

impl Page {
    /// Of these two.
    pub fn new(metrics: Metrics, db: Db) -> Self {
        Self { metrics, db }
    }

    /// Every number, as Prometheus reads it. While the database does not answer the queue is not
    /// on it, and `koltrix_database_up` is 0.
    pub async fn text(&self) -> String {
        let mut page = Exposition::default();
        self.metrics.mail(&mut page);
        self.metrics.connections(&mut page);
        queue(&mut page, &self.db).await;
        let pool = self.db.pool_size();
        page.family(
            "koltrix_database_connections",
            Kind::Gauge,
            "Connections of this node's pool.",
        )
        .sample(&[("state", "idle")], pool.idle)
        .sample(&[("state", "used")], pool.open.saturating_sub(pool.idle));
        page.family("koltrix_database_connections_limit", Kind::Gauge, "The most it may have.")
            .sample(&[], pool.most);
        page.into_text()
    }
}

impl Metrics {
    fn mail(&self, page: &mut Exposition) {
        let help = "What became of messages that leave, by receiver; \"other\" is the rest.";
        page.family("koltrix_outbound_total", Kind::Counter, help);
        for (destination, outcome, count) in self.0.destinations.all() {
            page.sample(&[("destination", &destination), ("outcome", outcome)], count);
        }
        let help = "What became of messages that leave, by organisation.";
        page.family("koltrix_outbound_tenant_total", Kind::Counter, help);
        for (tenant, outcome, count) in self.0.tenants.all() {
            page.sample(&[("tenant", &tenant), ("outcome", outcome)], count);
        }
        let help = "Messages that came whole by SMTP, by the answer.";
        page.family("koltrix_received_total", Kind::Counter, help);
        for (listener, outcome, count) in self.0.received.all() {
            page.sample(&[("listener", &listener), ("outcome", outcome)], count);
        }
    }

    fn connections(&self, page: &mut Exposition) {
        let listeners: Vec<_> = match self.0.listeners.lock() {
            Ok(listeners) => listeners.iter().map(|(name, meter)| (*name, meter.read())).collect(),
            Err(_) => Vec::new(),
        };
        page.family("koltrix_connections", Kind::Gauge, "Connections that are open.");
        for (name, read) in &listeners {
            page.sample(&[("listener", name)], read.open);
        }
        page.family("koltrix_connections_total", Kind::Counter, "Connections that were let in.");
        for (name, read) in &listeners {
            page.sample(&[("listener", name)], read.admitted);
        }
        let help = "Connections that were over a limit.";
        page.family("koltrix_connections_refused_total", Kind::Counter, help);
        for (name, read) in &listeners {
            page.sample(&[("listener", name)], read.refused);
        }
    }
}

async fn queue(page: &mut Exposition, db: &Db) {
    let asked = tokio::time::timeout(PATIENCE, db.queue_sizes()).await;
    let sizes = match asked {
        Ok(Ok(sizes)) => Some(sizes),
        Ok(Err(error)) => {
            tracing::warn!(%error, "the size of the queue is not known");
            None
        }
        Err(_) => None,
    };
    page.family("koltrix_database_up", Kind::Gauge, "Whether the database answered just now.")
        .sample(&[], u8::from(sizes.is_some()));
    let sizes = sizes.unwrap_or_default();
    let help = "Messages in the queue; \"due\" are those of \"queued\" whose time has come.";
    page.family("koltrix_queue_messages", Kind::Gauge, help);
    for size in &sizes {
        page.sample(&[("state", &size.state)], size.messages);
    }
    let help = "Age of the oldest; for \"due\" how long its time has been there.";
    page.family("koltrix_queue_oldest_seconds", Kind::Gauge, help);
    for size in &sizes {
        page.sample(&[("state", &size.state)], format!("{:.3}", size.oldest));
    }
}
