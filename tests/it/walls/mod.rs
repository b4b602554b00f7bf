//! The walls between organisations: table by table, as the catalogue lists
//! them, and handle by handle.
//!
//! What stands against what: the tenant's role and row-level security against
//! a statement that forgets whose rows it wants or names somebody else's
//! schema; the transaction-local role and path against a connection that goes
//! from one organisation to the next. A statement that itself says SET ROLE is
//! out of reach for both, so a test holds that no statement of ours does.

mod handles;
mod interleaving;
mod sources;
mod tables;

use sqlx::{AssertSqlSafe, PgPool};
use tokio::sync::OnceCell;

use crate::support::postgres::{self, Organisation};
use crate::support::sql::run;

/// An organisation with a row in every table of public that rows of it can be in.
async fn furnished(pool: &PgPool) -> Organisation {
    let tenant = postgres::organisation(pool).await;
    let seed = include_str!("seed.sql").replace(":tenant", &format!("'{}'", tenant.id));
    run(pool, &seed.replace(":domain", &format!("{}.test", tenant.slug))).await;
    tenant
}

/// Two furnished organisations, ours and theirs, shared by the tests that
/// take everything back.
async fn neighbours(pool: &PgPool) -> &'static (Organisation, Organisation) {
    static NEIGHBOURS: OnceCell<(Organisation, Organisation)> = OnceCell::const_new();
    NEIGHBOURS.get_or_init(|| async { (furnished(pool).await, furnished(pool).await) }).await
}

/// Runs one statement inside the wall of `tenant` and takes it back: the rows
/// it touched, or the SQLSTATE that refused it.
async fn attempt(pool: &PgPool, tenant: &Organisation, statement: &str) -> Result<u64, String> {
    let mut tx = pool.begin().await.unwrap();
    sqlx::query("SELECT public.enter_tenant($1)").bind(tenant.id).execute(&mut *tx).await.unwrap();
    let outcome = sqlx::raw_sql(AssertSqlSafe(statement.to_owned())).execute(&mut *tx).await;
    tx.rollback().await.unwrap();
    outcome.map(|done| done.rows_affected()).map_err(|error| {
        let error = error.into_database_error().expect(statement);
        error.code().expect(statement).into_owned()
    })
}

/// The SQLSTATE of "permission denied" and of a row that a policy refuses.
const DENIED: &str = "42501";
