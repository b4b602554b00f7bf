//! The migrator: an edited, unknown or failing file is named, and nothing of it remains.

use koltrix_mail::store::db::Db;
use koltrix_mail::store::migrate::{MIGRATIONS, MigrateError, Migration, migrate};

use crate::support::postgres;
use crate::support::sql::strings;

/// A migrated database of its own, with one organisation.
async fn migrated() -> (Db, sqlx::PgPool) {
    let url = postgres::empty_database().await;
    let db = Db::connect(&url, 2).await.unwrap();
    assert_eq!(migrate(&db, MIGRATIONS).await.unwrap().len(), MIGRATIONS.len());
    let pool = sqlx::PgPool::connect(&url).await.unwrap();
    (db, pool)
}

fn and(name: &'static str, body: &'static str) -> Vec<Migration> {
    [MIGRATIONS, &[Migration { name, body }]].concat()
}

#[tokio::test]
async fn a_second_run_does_nothing_and_two_at_once_do_not_collide() {
    let url = postgres::empty_database().await;
    let (one, two) = (Db::connect(&url, 1).await.unwrap(), Db::connect(&url, 1).await.unwrap());
    let (first, second) = tokio::join!(migrate(&one, MIGRATIONS), migrate(&two, MIGRATIONS));
    assert_eq!(first.unwrap().len() + second.unwrap().len(), MIGRATIONS.len());
    assert!(migrate(&one, MIGRATIONS).await.unwrap().is_empty());
}

#[tokio::test]
async fn an_edited_file_is_named() {
    let (db, _pool) = migrated().await;
    for edited in ["0002_directory", "0004_tenant_mail"] {
        let files: Vec<Migration> =
            MIGRATIONS
                .iter()
                .map(|m| {
                    if m.name == edited { Migration { name: m.name, body: "SELECT 1" } } else { *m }
                })
                .collect();
        let error = migrate(&db, &files).await.unwrap_err();
        assert!(matches!(&error, MigrateError::Edited(name) if name == edited), "{error}");
        assert!(error.to_string().contains(edited));
    }
}

#[tokio::test]
async fn a_file_of_a_newer_version_is_named() {
    let (db, _pool) = migrated().await;
    migrate(&db, &and("9000_newer", "SELECT 1")).await.unwrap();
    let error = migrate(&db, MIGRATIONS).await.unwrap_err();
    assert!(matches!(&error, MigrateError::Newer(name) if name == "9000_newer"), "{error}");
}

#[tokio::test]
async fn a_failing_file_is_named_and_leaves_nothing() {
    let (db, pool) = migrated().await;
    let error = migrate(&db, &and("9000_fails", "CREATE TABLE public.half (id uuid); SELECT 1/0"))
        .await
        .unwrap_err();
    assert!(error.to_string().contains("9000_fails"), "{error}");
    let left = "SELECT name FROM schema_migrations WHERE name = '9000_fails'
        UNION ALL SELECT relname::text FROM pg_class WHERE relname = 'half'";
    assert!(strings(&pool, left).await.is_empty());
}

#[tokio::test]
async fn a_tenant_file_reaches_every_organisation_there_is_and_those_to_come() {
    let (db, pool) = migrated().await;
    let before = postgres::organisation(&pool).await;
    let files = and("9000_tenant_extra", "CREATE TABLE extra (id uuid PRIMARY KEY)");
    migrate(&db, &files).await.unwrap();
    let after = postgres::organisation(&pool).await;
    for tenant in [&before, &after] {
        let table = format!("SELECT '{}.extra'::regclass::text", tenant.schema());
        assert_eq!(strings(&pool, &table).await.len(), 1);
        let granted = format!(
            "SELECT has_table_privilege(tenant_role('{}'), '{}.extra', 'SELECT')::text",
            tenant.id,
            tenant.schema()
        );
        assert_eq!(strings(&pool, &granted).await, ["true"]);
    }
}

#[tokio::test]
async fn a_tenant_file_that_fails_for_one_organisation_is_applied_to_none() {
    let (db, pool) = migrated().await;
    let (one, two) = (postgres::organisation(&pool).await, postgres::organisation(&pool).await);
    let spoil = format!("CREATE TABLE {}.extra (id uuid)", two.schema());
    crate::support::sql::run(&pool, &spoil).await;
    let files = and("9000_tenant_extra", "CREATE TABLE extra (id uuid PRIMARY KEY)");
    let error = migrate(&db, &files).await.unwrap_err();
    assert!(error.to_string().contains("9000_tenant_extra"), "{error}");
    let left = format!(
        "SELECT name FROM tenant_migrations WHERE name = '9000_tenant_extra'
         UNION ALL SELECT relname::text FROM pg_class WHERE relnamespace = '{}'::regnamespace AND relname = 'extra'",
        one.schema()
    );
    assert!(strings(&pool, &left).await.is_empty());
}
