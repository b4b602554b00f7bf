//! The private Postgres: made once, kept, handed over, and never left behind.

use std::path::Path;
use std::process::{Child, Command};
use std::sync::Arc;
use std::time::Duration;

use koltrix_mail::config::Config;
use koltrix_mail::store::db::Db;
use koltrix_mail::store::embedded::{Durability, Embedded, EmbeddedError};
use koltrix_mail::store::migrate::{MIGRATIONS, migrate};
use sqlx::{Connection as _, PgConnection};

use crate::support::wait::until;

fn config(data_dir: &Path) -> Arc<Config> {
    let text = format!("[server]\ndata_dir = {:?}\n", data_dir.display().to_string());
    Arc::new(Config::parse(&text, |name| std::env::var(name).ok()).unwrap())
}

#[tokio::test]
async fn it_starts_keeps_its_data_and_belongs_to_one() {
    let folder = crate::support::open_folder();
    let config = config(folder.path());
    let first = Embedded::start(&config, Durability::None).await.unwrap();
    let db = Db::connect(first.url(), 2).await.unwrap();
    db.ping().await.unwrap();

    // Another server is told; a command uses the one that runs.
    let second = Embedded::start(&config, Durability::None).await.err().unwrap();
    assert!(matches!(second, EmbeddedError::Taken { .. }), "{second}");
    let borrowed = Embedded::borrow(&config).await.unwrap();
    assert_eq!(borrowed.url(), first.url());
    borrowed.stop().await;
    db.ping().await.unwrap();

    db.close().await;
    first.stop().await;
    let again = Embedded::start(&config, Durability::None).await.unwrap();
    let db = Db::connect(again.url(), 2).await.unwrap();
    db.ping().await.unwrap();
    db.close().await;
    again.stop().await;
}

/// A connection as the cluster's superuser.
async fn superuser(url: &str) -> PgConnection {
    let url = url.replacen("postgres://koltrix@", "postgres://postgres@", 1);
    PgConnection::connect(&url).await.unwrap()
}

/// Holds up whoever changes the schema, for longer than any test.
const OBSTACLE: &str = "
    CREATE FUNCTION obstacle() RETURNS event_trigger LANGUAGE plpgsql
        AS $$ BEGIN PERFORM pg_catalog.pg_sleep(3600); END $$;
    CREATE EVENT TRIGGER obstacle ON ddl_command_start EXECUTE FUNCTION obstacle();";

/// Waits until a command has its cluster up and is at work on it.
async fn at_work(config: &Config, command: &mut Child) {
    let ready = config.server.data_dir.join("postgres/postmaster.pid");
    until("at work", Duration::from_mins(1), async || {
        assert!(command.try_wait().unwrap().is_none(), "it ended by itself");
        if std::fs::read_to_string(&ready).is_ok_and(|text| text.contains("ready"))
            && let Ok(borrowed) = Embedded::borrow(config).await
        {
            let mut conn = superuser(borrowed.url()).await;
            let sql = "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE wait_event = 'PgSleep')";
            let held: bool = sqlx::query_scalar(sql).fetch_one(&mut conn).await.unwrap();
            conn.close().await.unwrap();
            return held;
        }
        false
    })
    .await;
}

#[tokio::test]
async fn after_a_kill_the_next_start_comes_up_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let config = config(folder.path());
    let first = Embedded::start(&config, Durability::Full).await.unwrap();
    let mut conn = superuser(first.url()).await;
    sqlx::raw_sql(OBSTACLE).execute(&mut conn).await.unwrap();
    conn.close().await.unwrap();
    first.stop().await;

    let file = folder.path().join("config.toml");
    std::fs::write(&file, format!("[server]\ndata_dir = {:?}\n", folder.path())).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_koltrix-mail"))
        .args([Path::new("migrate"), Path::new("--config"), &file])
        .env_remove("KOLTRIX_DATABASE_URL")
        .spawn()
        .unwrap();
    let working = at_work(&config, &mut command);
    tokio::time::timeout(Duration::from_mins(1), working).await.unwrap();
    command.kill().unwrap();
    command.wait().unwrap();

    // The killed one's Postgres is gone, its lock is ours, and the data is there.
    let again = Embedded::start(&config, Durability::Full).await.unwrap();
    let mut conn = superuser(again.url()).await;
    let sql = "DROP EVENT TRIGGER obstacle; DROP FUNCTION obstacle()";
    sqlx::raw_sql(sql).execute(&mut conn).await.unwrap();
    conn.close().await.unwrap();
    let db = Db::connect(again.url(), 1).await.unwrap();
    migrate(&db, MIGRATIONS).await.unwrap();
    db.close().await;
    again.stop().await;
}
