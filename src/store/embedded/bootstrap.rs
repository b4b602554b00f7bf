//! The first connections: is it ready, and are our role and database there?

use std::time::{Duration, Instant};

use sqlx::{Connection as _, PgConnection};

use super::cluster::Cluster;
use super::error::EmbeddedError;
use super::process::Process;

/// Replaying the log of a long crash takes a while.
const LONGEST_START: Duration = Duration::from_mins(5);

/// Waits until the postmaster takes connections.
pub(super) async fn until_ready(cluster: &Cluster, process: &Process) -> Result<(), EmbeddedError> {
    let started = Instant::now();
    loop {
        let error = match connect(cluster).await {
            Ok(conn) => {
                let _ = conn.close().await;
                return Ok(());
            }
            Err(error) => error,
        };
        if process.has_ended() {
            return Err(cluster.failed(last_words(cluster)));
        }
        if started.elapsed() > LONGEST_START {
            process.stop().await;
            return Err(cluster.failed(error.to_string()));
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// A role that may make the roles of organisations and is no superuser: row
/// level security binds it.
pub(super) async fn role_and_database(cluster: &Cluster) -> Result<(), EmbeddedError> {
    let made = async {
        let mut conn = connect(cluster).await?;
        let (role, database): (bool, bool) = sqlx::query_as(
            "SELECT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = 'koltrix'),
                    EXISTS (SELECT 1 FROM pg_database WHERE datname = 'koltrix')",
        )
        .fetch_one(&mut conn)
        .await?;
        if !role {
            sqlx::query("CREATE ROLE koltrix LOGIN CREATEROLE NOINHERIT")
                .execute(&mut conn)
                .await?;
        }
        if !database {
            sqlx::query("CREATE DATABASE koltrix OWNER koltrix").execute(&mut conn).await?;
        }
        conn.close().await
    };
    made.await.map_err(|error: sqlx::Error| cluster.failed(error.to_string()))
}

async fn connect(cluster: &Cluster) -> Result<PgConnection, sqlx::Error> {
    PgConnection::connect(&cluster.url("postgres", "postgres")).await
}

/// The last line of the log that says something.
fn last_words(cluster: &Cluster) -> String {
    let log = std::fs::read_to_string(cluster.log()).unwrap_or_default();
    let telling = log.lines().rev().find(|line| line.contains("FATAL") || line.contains("ERROR"));
    telling.or_else(|| log.lines().last()).unwrap_or("it said nothing").to_owned()
}
