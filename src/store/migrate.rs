//! The migrator: `migrations/NNNN_what.sql`, forward only.

use sqlx::{Connection as _, PgConnection};

use crate::domain::hex::hex;
use crate::store::db::Db;
use crate::store::error::Error;

/// One file of `migrations/`, embedded.
#[derive(Clone, Copy, Debug)]
pub struct Migration {
    /// The file's name without `.sql`.
    pub name: &'static str,
    /// Its text.
    pub body: &'static str,
}

macro_rules! migrations {
    ($($name:literal,)*) => {
        /// All migrations, in order. A test holds this list against the folder.
        pub const MIGRATIONS: &[Migration] = &[$(Migration {
            name: $name,
            body: include_str!(concat!("../../migrations/", $name, ".sql")),
        },)*];
    };
}

migrations! {
    "0001_walls",
    "0002_directory",
    "0003_outbound",
    "0004_tenant_mail",
    "0005_mail_functions",
    "0006_tenant_functions",
    "0010_business",
    "0011_tenant_business",
    "0012_queue",
    "0013_tenant_reputation",
    "0014_gate",
    "0015_tenant_rules",
    "0016_rules",
    "0017_what_happens",
    "0018_scram",
    "0019_reports",
    "0020_login",
    "0021_tenant_rules_later",
    "0022_tenant_receipts",
    "0023_tenant_search",
    "0025_tenant_resync",
    "0026_tenant_folder_names",
    "0027_tenant_annotations",
    "0031_tenant_batch",
    "0032_batch",
    "0033_deliver_by",
    "0034_tenant_require_tls",
    "0037_plans",
    "0038_tenant_store",
    "0039_tenant_flags",
    "0040_tenant_folder_rights",
    "0042_tenant_labels",
    "0044_flags",
    "0048_recipient_troubles",
    "0049_envelope_ids",
    "0050_unsubscribed",
    "0051_held",
    "0052_opt_in",
    "0052_tenant_opt_in",
    "0055_key_states",
    "0057_delivery_routes",
}

/// Why the schema could not be brought up to date.
#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    /// A file that was applied reads otherwise now.
    #[error(
        "migration {0} was applied and has been edited since; undo the edit and write a new migration"
    )]
    Edited(String),
    /// The database knows a migration that this binary does not.
    #[error(
        "the database has migration {0}, which this version does not know; run a newer version"
    )]
    Newer(String),
    /// A file's text failed.
    #[error("migration {name}: {source}")]
    Failed {
        /// Which.
        name: String,
        /// What the database said.
        source: Error,
    },
    /// The database itself.
    #[error(transparent)]
    Store(#[from] Error),
}

impl From<sqlx::Error> for MigrateError {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(error.into())
    }
}

/// One lock for all nodes that start at once. The number means nothing.
const LOCK: i64 = 0x6b6f_6c74_7269_7801;

impl Migration {
    /// Whether it is run in every org schema rather than once in public.
    fn is_tenant(&self) -> bool {
        self.name.get(5..).is_some_and(|rest| rest.starts_with("tenant_"))
    }
}

/// Applies what is missing, each file in a transaction of its own, under an
/// advisory lock. Returns the names applied.
///
/// # Errors
/// Names the file that was edited, unknown or failed; nothing of it remains.
pub async fn migrate(db: &Db, migrations: &[Migration]) -> Result<Vec<String>, MigrateError> {
    let mut conn = db.pool().acquire().await?.detach();
    // A change of every org schema takes its time, and so may the node that is at it already.
    sqlx::query("SET statement_timeout = 0").execute(&mut conn).await?;
    sqlx::query("SELECT pg_advisory_lock($1)").bind(LOCK).execute(&mut conn).await?;
    let result = migrate_locked(&mut conn, migrations).await;
    // Closing the session gives the lock back, also where the above failed.
    let _ = conn.close().await;
    result
}

async fn migrate_locked(
    conn: &mut PgConnection,
    migrations: &[Migration],
) -> Result<Vec<String>, MigrateError> {
    sqlx::raw_sql(
        "CREATE TABLE IF NOT EXISTS public.schema_migrations (
            id uuid CONSTRAINT schema_migrations_pkey PRIMARY KEY DEFAULT gen_random_uuid(),
            name text NOT NULL CONSTRAINT schema_migrations_name_key UNIQUE,
            checksum text NOT NULL,
            applied_at timestamptz NOT NULL DEFAULT now());
         COMMENT ON TABLE public.schema_migrations IS 'Which migrations were applied, with the SHA-256 of their text.'",
    )
    .execute(&mut *conn)
    .await?;
    let applied = applied(conn).await?;
    let mut done = Vec::new();
    for migration in missing(&applied, migrations)? {
        apply(conn, &migration)
            .await
            .map_err(|source| MigrateError::Failed { name: migration.name.to_owned(), source })?;
        done.push(migration.name.to_owned());
    }
    Ok(done)
}

/// What [`migrate`] would apply now; changes nothing.
///
/// # Errors
/// As [`migrate`] for a file that was edited or is not known here.
pub async fn pending(db: &Db, migrations: &[Migration]) -> Result<Vec<&'static str>, MigrateError> {
    let mut conn = db.pool().acquire().await?;
    let begun: bool =
        sqlx::query_scalar("SELECT to_regclass('public.schema_migrations') IS NOT NULL")
            .fetch_one(&mut *conn)
            .await?;
    let applied = if begun { applied(&mut conn).await? } else { Vec::new() };
    Ok(missing(&applied, migrations)?.iter().map(|migration| migration.name).collect())
}

/// Name and checksum of each.
async fn applied(conn: &mut PgConnection) -> Result<Vec<(String, String)>, Error> {
    Ok(sqlx::query_as("SELECT name, checksum FROM public.schema_migrations ORDER BY name")
        .fetch_all(conn)
        .await?)
}

fn missing(
    applied: &[(String, String)],
    migrations: &[Migration],
) -> Result<Vec<Migration>, MigrateError> {
    if let Some((name, _)) = applied.iter().find(|(n, _)| migrations.iter().all(|m| m.name != n)) {
        return Err(MigrateError::Newer(name.clone()));
    }
    let mut missing = Vec::new();
    for migration in migrations {
        match applied.iter().find(|(name, _)| name == migration.name) {
            Some((_, known)) if *known == checksum(migration.body) => {}
            Some((name, _)) => return Err(MigrateError::Edited(name.clone())),
            None => missing.push(*migration),
        }
    }
    Ok(missing)
}

async fn apply(conn: &mut PgConnection, migration: &Migration) -> Result<(), Error> {
    let mut tx = conn.begin().await?;
    if migration.is_tenant() {
        sqlx::query("INSERT INTO public.tenant_migrations (name, body) VALUES ($1, $2)")
            .bind(migration.name)
            .bind(migration.body)
            .execute(&mut *tx)
            .await?;
        sqlx::query(
            "SELECT public.apply_tenant_migration(slug, $1) FROM public.tenants ORDER BY id",
        )
        .bind(migration.body)
        .execute(&mut *tx)
        .await?;
    } else {
        sqlx::raw_sql(migration.body).execute(&mut *tx).await?;
    }
    sqlx::query("INSERT INTO public.schema_migrations (name, checksum) VALUES ($1, $2)")
        .bind(migration.name)
        .bind(checksum(migration.body))
        .execute(&mut *tx)
        .await?;
    Ok(tx.commit().await?)
}

/// SHA-256 in hex.
fn checksum(body: &str) -> String {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, body.as_bytes());
    hex(digest.as_ref())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_ones_are_those_not_applied_and_doubt_is_an_error() {
        let known =
            [Migration { name: "0001_a", body: "a" }, Migration { name: "0002_b", body: "b" }];
        let row = |name: &str, body| (name.to_owned(), checksum(body));
        let names = |applied: &[_]| {
            missing(applied, &known).map(|all| all.iter().map(|m| m.name).collect::<Vec<_>>())
        };
        assert_eq!(names(&[]).unwrap(), ["0001_a", "0002_b"]);
        assert_eq!(names(&[row("0001_a", "a")]).unwrap(), ["0002_b"]);
        let edited = names(&[row("0001_a", "A")]).unwrap_err();
        assert!(matches!(edited, MigrateError::Edited(name) if name == "0001_a"));
        let newer = names(&[row("0003_c", "c")]).unwrap_err();
        assert!(matches!(newer, MigrateError::Newer(name) if name == "0003_c"));
    }

    #[test]
    fn the_list_is_the_folder() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/migrations");
        let mut files: Vec<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        files.sort();
        let listed: Vec<String> = MIGRATIONS.iter().map(|m| format!("{}.sql", m.name)).collect();
        assert_eq!(listed, files);
    }
}
