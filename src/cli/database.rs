//! The database for the duration of one command.

use anyhow::Context as _;
use koltrix_mail::store;
use koltrix_mail::store::db::Db;
use koltrix_mail::store::embedded::Embedded;
use koltrix_mail::store::migrate::{self, MIGRATIONS};

use super::context::Context;

/// Connections of a command: it does one thing after the other.
const CONNECTIONS: u32 = 2;

/// Runs `work` on a database whose schema is this version's.
pub(crate) async fn with_database<T>(
    context: &Context,
    work: impl AsyncFnOnce(Db) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    let data_dir = &context.config.server.data_dir;
    anyhow::ensure!(
        !context.config.database.url.is_empty() || data_dir.is_dir(),
        "there is no server in {} yet: start one with `koltrix-mail serve`, or say where it is \
         with --config",
        data_dir.display()
    );
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

/// As [`with_database`], whatever the state of the schema. Without
/// `database.url` it is the private one: that of the server that runs here,
/// else started for as long as `work` takes.
pub(crate) async fn with_any_database<T>(
    context: &Context,
    work: impl AsyncFnOnce(Db) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    let config = &context.config;
    if !config.database.url.is_empty() {
        return with_connection(config.database.url.expose(), work).await;
    }
    let data_dir = &config.server.data_dir;
    std::fs::create_dir_all(data_dir)
        .with_context(|| format!("the directory {} cannot be used", data_dir.display()))?;
    let embedded = Embedded::borrow(config).await?;
    let result = with_connection(embedded.url(), work).await;
    embedded.stop().await;
    result
}

async fn with_connection<T>(
    url: &str,
    work: impl AsyncFnOnce(Db) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    let db = Db::connect(url, CONNECTIONS).await.map_err(|error| match error {
        store::Error::Unavailable(text) => anyhow::anyhow!("no database: {text}; {ADVICE}"),
        other => anyhow::anyhow!("no database: {other}; {ADVICE}"),
    })?;
    let result = work(db.clone()).await;
    db.close().await;
    result
}

const ADVICE: &str = "check database.url and the server it names";
