//! How much the queue holds, and for how long.

use std::time::Duration;

use crate::store::db::Db;
use crate::store::error::Error;
use crate::store::outbound::lease::interval;

/// The messages of one state.
#[derive(Clone, PartialEq, Debug)]
pub struct QueueSize {
    /// `queued`, `held`, `sending`, or `due`: those of `queued` whose time has come.
    pub state: String,
    /// How many.
    pub messages: i64,
    /// Seconds since the oldest was queued, for `due` since its time came; 0 where there is none.
    pub oldest: f64,
}

// A state each, as every one has an index of its own; what has ended is not counted.
const SIZES: &str = "
    SELECT 'queued', count(*), coalesce(extract(epoch FROM now() - min(queued_at)), 0)::float8
    FROM public.outbound_messages WHERE state = 'queued'
    UNION ALL
    SELECT 'due', count(*), coalesce(extract(epoch FROM now() - min(next_attempt_at)), 0)::float8
    FROM public.outbound_messages WHERE state = 'queued' AND next_attempt_at <= now()
    UNION ALL
    SELECT 'sending', count(*), coalesce(extract(epoch FROM now() - min(queued_at)), 0)::float8
    FROM public.outbound_messages WHERE state = 'sending'
    UNION ALL
    SELECT 'held', count(*), coalesce(extract(epoch FROM now() - min(queued_at)), 0)::float8
    FROM public.outbound_messages WHERE state = 'held'";

impl Db {
    /// What the queue holds of all organisations, by state. Reads as many index entries as there
    /// are messages in it.
    pub async fn queue_sizes(&self) -> Result<Vec<QueueSize>, Error> {
        let rows: Vec<(String, i64, f64)> = sqlx::query_as(SIZES).fetch_all(self.pool()).await?;
        let size = |(state, messages, oldest)| QueueSize { state, messages, oldest };
        Ok(rows.into_iter().map(size).collect())
    }

    /// Whether mail of people or programs has been due for longer than `patience` and nobody took
    /// it. Bulk may wait, and so does all mail of an organisation that is suspended.
    pub async fn queue_stands_still(&self, patience: Duration) -> Result<bool, Error> {
        Ok(sqlx::query_scalar(
            "SELECT EXISTS (SELECT 1 FROM public.outbound_messages o
                JOIN public.tenants t ON t.id = o.tenant_id AND t.status = 'active'
                WHERE o.state = 'queued' AND o.next_attempt_at < now() - $1 AND o.class <> 'bulk')",
        )
        .bind(interval(patience)?)
        .fetch_one(self.pool())
        .await?)
    }
}
