//! The pool of connections, and what is not any one organisation's.

use std::time::Duration;

use sqlx::Connection as _;
use sqlx::postgres::{PgConnectOptions, PgConnection, PgPool, PgPoolOptions};

use crate::domain::ids::TenantId;
use crate::store::error::Error;
use crate::store::tenant::Tenant;
use crate::store::tx::Tx;

/// The database. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Db {
    pool: PgPool,
}

/// The connections of a pool.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PoolSize {
    /// Those that are open.
    pub open: usize,
    /// Those of them that nobody uses.
    pub idle: usize,
    /// As many as there may be.
    pub most: u32,
}

/// The oldest Postgres that carries the schema, as `server_version_num`.
const OLDEST: i32 = 160_000;
/// How long a connection is waited for.
const PATIENCE: Duration = Duration::from_secs(5);

impl Db {
    /// Connects and checks the server's version.
    ///
    /// `max_connections` bounds the pool; whoever finds it empty waits five
    /// seconds and then gets [`Error::Unavailable`].
    pub async fn connect(url: &str, max_connections: u32) -> Result<Self, Error> {
        Self::connect_bounded(url, max_connections, Duration::ZERO).await
    }

    /// As [`Db::connect`], for connections on which Postgres itself gives up a statement after
    /// `statement`: one whose caller has left, because it took too long, does not stay behind.
    /// Zero is no bound.
    pub async fn connect_bounded(
        url: &str,
        max_connections: u32,
        statement: Duration,
    ) -> Result<Self, Error> {
        let options: PgConnectOptions = url
            .parse::<PgConnectOptions>()
            .map_err(|e| Error::Unavailable(format!("database.url cannot be read: {e}")))?
            .application_name("koltrix-mail")
            // Triggers that tell nodes about foreign changes stay silent for ours.
            .options([("koltrix.quiet", "on")])
            .options([("statement_timeout", statement.as_millis().to_string())]);
        check_version(&options).await?;
        let pool = PgPoolOptions::new()
            .max_connections(max_connections)
            .acquire_timeout(PATIENCE)
            // A dead connection fails its first query and is dropped; asking
            // first would cost every query a round trip.
            .test_before_acquire(false)
            .connect_with(options)
            .await?;
        Ok(Self { pool })
    }

    /// The handle to one organisation's tables.
    pub fn tenant(&self, id: TenantId) -> Tenant {
        Tenant::new(self.clone(), id)
    }

    /// A transaction as the server itself, on the tables of `public`.
    pub async fn begin(&self) -> Result<Tx, Error> {
        Tx::begin(&self.pool, "BEGIN".to_owned()).await
    }

    /// The pool, for single statements on the tables of `public`.
    pub(in crate::store) fn pool(&self) -> &PgPool {
        &self.pool
    }

    /// Whether the database answers.
    pub async fn ping(&self) -> Result<(), Error> {
        sqlx::query("SELECT 1").execute(&self.pool).await?;
        Ok(())
    }

    /// How much of the pool is in use.
    pub fn pool_size(&self) -> PoolSize {
        PoolSize {
            open: usize::try_from(self.pool.size()).unwrap_or(usize::MAX),
            idle: self.pool.num_idle(),
            most: self.pool.options().get_max_connections(),
        }
    }

    /// Closes the pool, waiting for what is in hand.
    pub async fn close(&self) {
        self.pool.close().await;
    }
}

/// Connects once without the pool: the pool tries again until its time is up,
/// and then cannot say what was wrong.
async fn check_version(options: &PgConnectOptions) -> Result<(), Error> {
    let connecting = tokio::time::timeout(PATIENCE, PgConnection::connect_with(options));
    let mut connection =
        connecting.await.map_err(|_| Error::Unavailable("it does not answer".to_owned()))??;
    let version: i32 = sqlx::query_scalar("SELECT current_setting('server_version_num')::int")
        .fetch_one(&mut connection)
        .await?;
    connection.close().await?;
    if version < OLDEST {
        return Err(Error::Unavailable(format!(
            "it is PostgreSQL {}; 16 or newer is needed",
            version / 10_000
        )));
    }
    Ok(())
}
