//! What an operator wants to know of the database before it matters.

use sqlx::types::time::OffsetDateTime;

use crate::store::db::Db;
use crate::store::error::Error;

/// The database's facts.
#[derive(Clone, Debug)]
pub struct Facts {
    /// Its version, as `server_version` has it.
    pub version: String,
    /// Whether the server's role may make the organisations' roles.
    pub makes_roles: bool,
    /// Whether the server's role may make schemas in this database.
    pub makes_schemas: bool,
    /// Locks that one transaction may take, about: its connections times this.
    pub max_locks_per_transaction: i32,
    /// Connections that all nodes and programs share.
    pub max_connections: i32,
    /// Whether commits wait for the disk and pages survive a crash.
    pub durable: bool,
    /// Its clock.
    pub now: OffsetDateTime,
}

impl Db {
    /// Asks for all of it; one round trip.
    pub async fn inspect(&self) -> Result<Facts, Error> {
        type Row = (String, bool, bool, i32, i32, bool, OffsetDateTime);
        let row: Row = sqlx::query_as(
            "SELECT current_setting('server_version'), r.rolsuper OR r.rolcreaterole,
                has_database_privilege(current_database(), 'CREATE'),
                current_setting('max_locks_per_transaction')::int, current_setting('max_connections')::int,
                current_setting('fsync')::bool AND current_setting('full_page_writes')::bool
                    AND current_setting('synchronous_commit') <> 'off',
                clock_timestamp()
             FROM pg_catalog.pg_roles r WHERE r.rolname = current_user",
        )
        .fetch_one(self.pool())
        .await?;
        Ok(Facts {
            version: row.0,
            makes_roles: row.1,
            makes_schemas: row.2,
            max_locks_per_transaction: row.3,
            max_connections: row.4,
            durable: row.5,
            now: row.6,
        })
    }
}
