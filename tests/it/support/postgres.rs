//! One Postgres for all tests of a run, thrown away with it; a fresh
//! organisation per test is the isolation.

use std::path::PathBuf;
use std::sync::{Arc, LazyLock};

use koltrix_mail::config::Config;
use koltrix_mail::store::db::Db;
use koltrix_mail::store::embedded::{Durability, Embedded};
use koltrix_mail::store::migrate::{MIGRATIONS, migrate};
use sqlx::postgres::PgPoolOptions;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, PgPool};
use tokio::runtime::Runtime;
use tokio::sync::OnceCell;

/// Outlives every test's own runtime: the cluster and the server live here.
pub static RUNTIME: LazyLock<Runtime> =
    LazyLock::new(|| tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap());

/// Where this run keeps its files. Those of runs that have ended are removed.
pub fn folder() -> PathBuf {
    static FOLDER: LazyLock<PathBuf> = LazyLock::new(|| {
        use std::os::unix::fs::PermissionsExt as _;
        let prefix = "koltrix-mail-it-";
        for entry in std::fs::read_dir(std::env::temp_dir()).unwrap().flatten() {
            let name = entry.file_name().into_string().unwrap_or_default();
            let ended = |pid: &str| !std::path::Path::new("/proc").join(pid).exists();
            if name.strip_prefix(prefix).is_some_and(ended) {
                let _ = std::fs::remove_dir_all(entry.path());
            }
        }
        let folder = std::env::temp_dir().join(format!("{prefix}{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        // Postgres does not run as root and must be able to get there.
        std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o755)).unwrap();
        folder
    });
    FOLDER.clone()
}

/// The cluster's own URL, for its database `koltrix`.
async fn cluster() -> String {
    static CLUSTER: OnceCell<String> = OnceCell::const_new();
    let start = async {
        // Room for several nodes at once, beside everything that looks at rows.
        let text = format!(
            "[server]\ndata_dir = {:?}\n[database]\nmax_connections = 280",
            folder().display().to_string()
        );
        let config = Arc::new(Config::parse(&text, |name| std::env::var(name).ok()).unwrap());
        let started = async move { Embedded::start(&config, Durability::None).await.unwrap() };
        let embedded = RUNTIME.spawn(started).await.unwrap();
        let url = embedded.url().to_owned();
        // It ends with this process, as every child of it does.
        std::mem::forget(embedded);
        url
    };
    CLUSTER.get_or_init(|| start).await.clone()
}

/// The URL of `database` as `role`.
async fn url_of(role: &str, database: &str) -> String {
    let own = "postgres://koltrix@localhost/koltrix";
    cluster().await.replacen(own, &format!("postgres://{role}@localhost/{database}"), 1)
}

/// An empty database of its own, owned by the server's role.
pub async fn empty_database() -> String {
    let name = format!("it_{}", uuid::Uuid::new_v4().simple());
    let mut admin = PgConnection::connect(&url_of("postgres", "postgres").await).await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(format!("CREATE DATABASE {name} OWNER koltrix")))
        .execute(&mut admin)
        .await
        .unwrap();
    url_of("koltrix", &name).await
}

/// Runs a statement of the cluster as whoever may do everything.
pub async fn as_superuser(sql: &str) {
    let mut admin = PgConnection::connect(&url_of("postgres", "postgres").await).await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(&mut admin).await.unwrap();
}

/// The database of this run, migrated.
pub async fn url() -> String {
    static SHARED: OnceCell<String> = OnceCell::const_new();
    let make = async {
        let url = empty_database().await;
        let db = Db::connect(&url, 1).await.unwrap();
        migrate(&db, MIGRATIONS).await.unwrap();
        db.close().await;
        url
    };
    SHARED.get_or_init(|| make).await.clone()
}

/// A pool of the server's own role, for looking at rows and for what other
/// programs do by plain SQL. Tests may share it: a connection belongs to the
/// runtime of the test that opened it, so none is handed on.
pub async fn pool() -> PgPool {
    let options = PgPoolOptions::new().after_release(|_, _| Box::pin(async { Ok(false) }));
    options.connect(&url().await).await.unwrap()
}

/// A fresh organisation.
pub struct Organisation {
    /// Its id.
    pub id: uuid::Uuid,
    /// Its slug.
    pub slug: String,
}

impl Organisation {
    /// The name of its schema.
    pub fn schema(&self) -> String {
        format!("org_{}", self.slug)
    }
}

/// Makes one by plain SQL, as koltrix-api does.
pub async fn organisation(pool: &PgPool) -> Organisation {
    let slug = format!("t{}", uuid::Uuid::new_v4().simple());
    let id = sqlx::query_scalar("INSERT INTO tenants (slug, name) VALUES ($1, $1) RETURNING id")
        .bind(&slug)
        .fetch_one(pool)
        .await
        .unwrap();
    Organisation { id, slug }
}
