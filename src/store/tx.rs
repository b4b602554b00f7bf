//! A transaction that leaves nothing on its connection, however it ends.
//!
//! sqlx's own does not take back a BEGIN that failed or whose future was
//! dropped: the connection returns to the pool inside a transaction, as
//! whoever it was begun for, and what others write there is never committed.

use std::ops::{Deref, DerefMut};

use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgConnection, PgPool, Postgres};
use sqlx::{AssertSqlSafe, raw_sql};

use crate::store::error::Error;

/// So many connections are closed for being [outdated](Error::Outdated) before that is an error.
pub(in crate::store) const MAX_OUTDATED: usize = 64;

/// An open transaction. Dropped, it rolls back.
pub struct Tx {
    /// Taken by whoever ends the transaction, and so there until then.
    connection: Option<PoolConnection<Postgres>>,
}

impl Tx {
    /// Runs `begin`, which begins a transaction and may do more: one round trip, unless connections
    /// are found that do not know the organisation.
    pub(in crate::store) async fn begin(pool: &PgPool, begin: String) -> Result<Self, Error> {
        for _ in 0..MAX_OUTDATED {
            // From here on, whatever stops this drops the transaction.
            let mut tx = Self { connection: Some(pool.acquire().await?) };
            let begun = raw_sql(AssertSqlSafe(begin.clone())).execute(&mut *tx).await;
            match begun.map_err(Error::from) {
                Ok(_) => return Ok(tx),
                Err(Error::Outdated) => tx.retire(),
                Err(error) => return Err(error),
            }
        }
        Err(Error::Outdated)
    }

    /// Nobody is to get this connection again.
    fn retire(mut self) {
        if let Some(mut connection) = self.connection.take() {
            connection.close_on_drop();
        }
    }

    /// Makes it durable.
    ///
    /// # Errors
    /// [`Error::Unavailable`] leaves open whether it was committed; whoever
    /// must know asks for a unique key that the transaction wrote.
    pub async fn commit(mut self) -> Result<(), Error> {
        raw_sql("COMMIT").execute(&mut *self).await?;
        self.connection = None;
        Ok(())
    }

    /// Takes it back, and waits until that is done.
    pub async fn rollback(mut self) -> Result<(), Error> {
        raw_sql("ROLLBACK").execute(&mut *self).await?;
        self.connection = None;
        Ok(())
    }
}

impl Deref for Tx {
    type Target = PgConnection;

    #[expect(clippy::expect_used, reason = "only what consumes or drops the value takes it")]
    fn deref(&self) -> &PgConnection {
        self.connection.as_ref().expect("an open transaction has its connection")
    }
}

impl DerefMut for Tx {
    #[expect(clippy::expect_used, reason = "only what consumes or drops the value takes it")]
    fn deref_mut(&mut self) -> &mut PgConnection {
        self.connection.as_mut().expect("an open transaction has its connection")
    }
}

impl Drop for Tx {
    fn drop(&mut self) {
        let Some(mut connection) = self.connection.take() else { return };
        let Ok(runtime) = tokio::runtime::Handle::try_current() else {
            // Nobody is left to roll back; without its connection Postgres does.
            drop(connection.detach());
            return;
        };
        runtime.spawn(async move {
            if raw_sql("ROLLBACK").execute(&mut *connection).await.is_err() {
                connection.close_on_drop();
            }
        });
    }
}
