//! The database for the duration of one command.

use koltrix_mail::store;
use koltrix_mail::store::db::Db;
use koltrix_mail::store::migrate::{self, MIGRATIONS};

use super::context::Context;

/// Connections of a command: it does one thing after the other.
const CONNECTIONS: u32 = 2;

/// Runs `work` on a database whose schema is this version's.
pub(crate) async fn with_database<T>(
    context: &Context,
    work: impl AsyncFnOnce(Db) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    with_any_database(context, async |db| {
        let missing = migrate::pending(&db, MIGRATIONS).await?;
        anyhow::ensure!(
            missing.is_empty(),
            "the database lacks {} of this version's migrations: run `koltrix-mail migrate`",
            missing.len()
        );
        work(db).await
    })
    .await
}

/// As [`with_database`], whatever the state of the schema.
pub(crate) async fn with_any_database<T>(
    context: &Context,
    work: impl AsyncFnOnce(Db) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    let db = Db::connect(context.config.database.url.expose(), CONNECTIONS)
        .await
        .map_err(|error| match error {
            store::Error::Unavailable(text) => text,
            other => other.to_string(),
        })
        .map_err(|text| {
            anyhow::anyhow!("no database: {text}; check database.url and its server")
        })?;
    let result = work(db.clone()).await;
    db.close().await;
    result
}
