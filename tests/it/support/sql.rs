//! Small helpers for tests that speak SQL.

use sqlx::{AssertSqlSafe, PgPool};

/// The rows of a query with one text column.
pub async fn strings(pool: &PgPool, query: &str) -> Vec<String> {
    sqlx::query_scalar(AssertSqlSafe(query.to_owned())).fetch_all(pool).await.unwrap()
}

/// The name of the constraint that refuses a statement. It has to refuse.
pub async fn refusal(pool: &PgPool, statement: &str) -> String {
    let error = sqlx::raw_sql(AssertSqlSafe(statement.to_owned()))
        .execute(pool)
        .await
        .expect_err(statement);
    let error = error.into_database_error().expect(statement);
    error.constraint().unwrap_or_else(|| panic!("{statement}: {error}")).to_owned()
}

/// Runs statements that have to succeed.
pub async fn run(pool: &PgPool, statements: &str) {
    let done = sqlx::raw_sql(AssertSqlSafe(statements.to_owned())).execute(pool).await;
    done.unwrap_or_else(|error| panic!("{statements}: {error}"));
}
