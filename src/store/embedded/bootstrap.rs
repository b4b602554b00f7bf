//! The server's own role and database in a fresh cluster.

use std::fmt::Write as _;

use sqlx::{Connection, Executor, PgConnection};

/// Logs in, owns its database, makes the organisations' roles; no superuser.
pub(super) const ROLE: &str = "koltrix";
pub(super) const DATABASE: &str = "koltrix";

/// There is no TCP port; the number is part of the socket's name.
pub(super) const PORT: &str = "5432";

/// Who made the cluster.
const SUPERUSER: &str = "postgres";

/// Makes what is missing; a cluster that has it all is left alone.
pub(super) async fn run(host: &str) -> Result<(), sqlx::Error> {
    let mut connection = PgConnection::connect(&url(host, SUPERUSER, "postgres")).await?;
    let known: (bool, bool) = sqlx::query_as(
        "SELECT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = $1),
                EXISTS (SELECT FROM pg_catalog.pg_database WHERE datname = $2)",
    )
    .bind(ROLE)
    .bind(DATABASE)
    .fetch_one(&mut connection)
    .await?;
    if !known.0 {
        // NOINHERIT: what an organisation's role may do has to be taken on.
        connection.execute("CREATE ROLE koltrix LOGIN CREATEROLE NOINHERIT").await?;
    }
    if !known.1 {
        connection.execute("CREATE DATABASE koltrix OWNER koltrix").await?;
    }
    connection.close().await
}

/// A connection's address; `host` is the socket's folder. What goes before the question mark tells
/// role and database alone.
pub(super) fn url(host: &str, role: &str, database: &str) -> String {
    let mut encoded = String::with_capacity(host.len());
    for byte in host.bytes() {
        if byte.is_ascii_alphanumeric() || b"/-_.".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            // A String takes everything.
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    format!("postgres://{role}@localhost/{database}?host={encoded}&port={PORT}")
}
