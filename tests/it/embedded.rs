//! The private Postgres: made once, kept, handed over, and never left behind.

use std::sync::Arc;

use koltrix_mail::config::Config;
use koltrix_mail::store::db::Db;
use koltrix_mail::store::embedded::{Durability, Embedded, EmbeddedError};

fn config(data_dir: &std::path::Path) -> Arc<Config> {
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
