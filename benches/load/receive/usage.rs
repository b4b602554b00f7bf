//! What receiving costs.

use std::ops::Sub;

use crate::process;
use crate::server::Server;

/// What was used up to a moment.
#[derive(Clone, Copy, Debug)]
pub struct Usage {
    /// CPU of the server, in milliseconds.
    pub server_ms: f64,
    /// CPU of all Postgres processes, in milliseconds.
    pub database_ms: f64,
    /// Transactions of the database.
    pub commits: f64,
    /// Times the log was made durable.
    pub wal_syncs: f64,
}

impl Sub for Usage {
    type Output = Self;
    fn sub(self, before: Self) -> Self {
        Self {
            server_ms: self.server_ms - before.server_ms,
            database_ms: self.database_ms - before.database_ms,
            commits: self.commits - before.commits,
            wal_syncs: self.wal_syncs - before.wal_syncs,
        }
    }
}

/// What the server and its database have used so far.
pub async fn of(server: &Server) -> Usage {
    let (commits, wal_syncs): (i64, i64) = sqlx::query_as(
        "SELECT pg_stat_get_db_xact_commit(d.oid), (SELECT wal_sync FROM pg_stat_wal)
         FROM pg_database d WHERE d.datname = current_database()",
    )
    .fetch_one(&server.pool)
    .await
    .unwrap();
    let (server_ms, database_ms) = process::cpu_ms(server.pid());
    Usage { server_ms, database_ms, commits: commits as f64, wal_syncs: wal_syncs as f64 }
}
