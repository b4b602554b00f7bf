//! On a real PostgreSQL, as `scripts/setup` provides it.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

use rustix::process::{Pid, Signal, geteuid, kill_process};
use sqlx::{Connection, PgConnection};

use super::*;

fn settings(data_dir: &Path) -> Settings {
    Settings {
        data_dir: data_dir.to_owned(),
        bin_dir: PathBuf::new(),
        max_connections: 20,
        durability: Durability::None,
    }
}

async fn one<T>(url: &str, sql: &'static str) -> T
where
    T: for<'r> sqlx::Decode<'r, sqlx::Postgres> + sqlx::Type<sqlx::Postgres> + Send + Unpin,
{
    let mut connection = PgConnection::connect(url).await.unwrap();
    let (value,) = sqlx::query_as::<_, (T,)>(sql).fetch_one(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    value
}

fn postmaster(data_dir: &Path) -> Pid {
    let text = fs::read_to_string(data_dir.join("postgres/postmaster.pid")).unwrap();
    Pid::from_raw(text.lines().next().unwrap().parse().unwrap()).unwrap()
}

fn is_running(pid: Pid) -> bool {
    // A zombie that nobody waits for has no command line.
    fs::read(format!("/proc/{}/cmdline", pid.as_raw_nonzero())).is_ok_and(|line| !line.is_empty())
}

/// One at a time: a child that another test spawns at the wrong moment inherits the lock.
static ALONE: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

#[tokio::test]
async fn a_cluster_is_made_once_and_comes_back_with_its_data() {
    let _alone = ALONE.lock().await;
    let dir = tempfile::tempdir().unwrap();
    let first = Embedded::start_with(settings(dir.path())).await.unwrap();
    let url = first.url().to_owned();
    let who: String = one(&url, "SELECT current_user || ' ' || rolsuper || rolcreaterole || rolinherit FROM pg_roles WHERE rolname = current_user").await;
    assert_eq!(who, "koltrix falsetruefalse");
    let settings_now: String = one(&url, "SELECT current_setting('listen_addresses') || '|' || current_setting('max_locks_per_transaction') || '|' || current_setting('TimeZone')").await;
    assert_eq!(settings_now, "|1024|UTC");
    let mut connection = PgConnection::connect(&url).await.unwrap();
    sqlx::query("CREATE TABLE kept AS SELECT 42 AS value").execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    first.stop().await;
    assert!(PgConnection::connect(&url).await.is_err());

    let second = Embedded::start_with(settings(dir.path())).await.unwrap();
    assert_eq!(one::<i32>(second.url(), "SELECT value FROM kept").await, 42);
    second.stop().await;
}

#[tokio::test]
async fn the_cluster_is_closed_to_others_and_never_roots() {
    let _alone = ALONE.lock().await;
    let dir = tempfile::tempdir().unwrap();
    let cluster = Embedded::start_with(settings(dir.path())).await.unwrap();
    let metadata = fs::metadata(dir.path().join("postgres")).unwrap();
    assert_eq!(metadata.permissions().mode() & 0o777, 0o700);
    assert_ne!(metadata.uid(), 0);
    assert_eq!(fs::metadata(dir.path()).unwrap().uid(), geteuid().as_raw());
    let process = format!("/proc/{}", postmaster(dir.path()).as_raw_nonzero());
    assert_eq!(fs::metadata(&process).unwrap().uid(), metadata.uid());
    assert!(fs::metadata(dir.path().join("postgres/.s.PGSQL.5432")).is_ok());
    cluster.stop().await;
}

#[tokio::test]
async fn a_second_server_is_refused_and_a_command_borrows() {
    let _alone = ALONE.lock().await;
    let dir = tempfile::tempdir().unwrap();
    let cluster = Embedded::start_with(settings(dir.path())).await.unwrap();
    let error = Embedded::start_with(settings(dir.path())).await.err().unwrap();
    assert!(matches!(error, EmbeddedError::Taken { .. }), "{error}");
    let borrowed = Embedded::borrow_with(settings(dir.path())).await.unwrap();
    assert_eq!(borrowed.url(), cluster.url());
    borrowed.stop().await;
    assert_eq!(one::<i32>(cluster.url(), "SELECT 1").await, 1);
    cluster.stop().await;
    let own = Embedded::borrow_with(settings(dir.path())).await.unwrap();
    assert_eq!(one::<i32>(own.url(), "SELECT 1").await, 1);
    own.stop().await;
}

#[tokio::test]
async fn the_log_holds_no_data() {
    let _alone = ALONE.lock().await;
    let dir = tempfile::tempdir().unwrap();
    let cluster = Embedded::start_with(settings(dir.path())).await.unwrap();
    let mut connection = PgConnection::connect(cluster.url()).await.unwrap();
    let wrong = sqlx::query("SELECT 'word-of-a-statement', $1::text::int").bind("word-of-a-value");
    wrong.execute(&mut connection).await.unwrap_err();
    let same =
        "CREATE TABLE t (k text UNIQUE); INSERT INTO t VALUES ('word-of-a-key'), ('word-of-a-key')";
    sqlx::raw_sql(same).execute(&mut connection).await.unwrap_err();
    sqlx::raw_sql("SET log_statement = 'all'").execute(&mut connection).await.unwrap_err();
    connection.close().await.unwrap();
    cluster.stop().await;
    let log = fs::read_to_string(dir.path().join("postgres.log")).unwrap();
    assert!(log.contains("shut down") && !log.contains("word-of-a"), "{log}");
}

#[tokio::test]
async fn a_postgres_that_dies_is_started_again() {
    let _alone = ALONE.lock().await;
    let dir = tempfile::tempdir().unwrap();
    let cluster = Embedded::start_with(settings(dir.path())).await.unwrap();
    let killed = postmaster(dir.path());
    kill_process(killed, Signal::KILL).unwrap();
    let back = async {
        loop {
            if !is_running(killed) && PgConnection::connect(cluster.url()).await.is_ok() {
                return;
            }
            tokio::time::sleep(POLL).await;
        }
    };
    tokio::time::timeout(Duration::from_mins(1), back).await.unwrap();
    assert_ne!(postmaster(dir.path()), killed);
    cluster.stop().await;
}

/// What a killed server leaves: PostgreSQL at work without a supervisor and without the lock.
#[tokio::test]
async fn a_leftover_is_stopped_before_a_new_start() {
    let _alone = ALONE.lock().await;
    let dir = tempfile::tempdir().unwrap();
    Embedded::start_with(settings(dir.path())).await.unwrap().stop().await;
    let (cluster, lock, launch) = prepare(&settings(dir.path())).unwrap();
    let mut left = launch.postgres().unwrap();
    while !cluster.is_ready() {
        tokio::time::sleep(POLL).await;
    }
    drop(lock);
    // Somebody has to wait for our child, or it stays as a zombie.
    let waiter = std::thread::spawn(move || left.wait());
    let before = postmaster(dir.path());
    let again = Embedded::start_with(settings(dir.path())).await.unwrap();
    assert_ne!(postmaster(dir.path()), before);
    assert!(!is_running(before));
    assert_eq!(one::<i32>(again.url(), "SELECT 1").await, 1);
    again.stop().await;
    waiter.join().unwrap().unwrap();
}

#[tokio::test]
async fn a_stale_lock_file_blocks_nothing_even_if_its_number_lives() {
    let _alone = ALONE.lock().await;
    let dir = tempfile::tempdir().unwrap();
    Embedded::start_with(settings(dir.path())).await.unwrap().stop().await;
    let path = dir.path().join("postgres/postmaster.pid");
    let stale = format!("{}\n/elsewhere\n1\n5432\n.\n\n 1 2\nready   \n", std::process::id());
    fs::write(path, stale).unwrap();
    let again = Embedded::start_with(settings(dir.path())).await.unwrap();
    assert_eq!(one::<i32>(again.url(), "SELECT 1").await, 1);
    again.stop().await;
}

#[tokio::test]
async fn a_deep_closed_folder_is_no_obstacle() {
    let _alone = ALONE.lock().await;
    let dir = tempfile::tempdir().unwrap();
    let deep = dir.path().join("x".repeat(60)).join("a folder, closed").join("y".repeat(60));
    fs::create_dir_all(&deep).unwrap();
    fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o700)).unwrap();
    let cluster = Embedded::start_with(settings(&deep)).await.unwrap();
    assert_eq!(one::<i32>(cluster.url(), "SELECT 1").await, 1);
    cluster.stop().await;
}

#[tokio::test]
async fn a_broken_cluster_says_why_it_does_not_start() {
    let _alone = ALONE.lock().await;
    let dir = tempfile::tempdir().unwrap();
    Embedded::start_with(settings(dir.path())).await.unwrap().stop().await;
    fs::write(dir.path().join("postgres/postgresql.conf"), "no_such_option = 1\n").unwrap();
    let text = Embedded::start_with(settings(dir.path())).await.err().unwrap().to_string();
    assert!(text.starts_with("PostgreSQL did not start: ") && text.contains("FATAL:"), "{text}");
    assert!(text.contains("postgres.log"), "{text}");
}

#[test]
fn addresses_are_encoded() {
    assert_eq!(
        bootstrap::url("/tmp/a b/ü&x", "r", "d"),
        "postgres://r@localhost/d?host=/tmp/a%20b/%C3%BC%26x&port=5432"
    );
}
