//! The rules for every table, asked of the catalogue: a new table cannot be forgotten.

use tokio::sync::OnceCell;

use crate::support::postgres;
use crate::support::sql::strings;

/// The schema of an organisation that nothing is done to.
async fn schema(pool: &sqlx::PgPool) -> &'static str {
    static SCHEMA: OnceCell<String> = OnceCell::const_new();
    SCHEMA.get_or_init(|| async { postgres::organisation(pool).await.schema() }).await
}

/// Each query lists what breaks its rule. `tables` are those of public and of
/// one organisation, by oid and by name.
async fn nobody(rule: &str, query: &str) {
    let pool = postgres::pool().await;
    let schema = schema(&pool).await;
    let scope = format!(
        "WITH tables AS (
            SELECT c.oid, c.relname::text AS name, n.nspname::text AS schema, c.relrowsecurity, c.relforcerowsecurity
            FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE c.relkind IN ('r', 'p') AND n.nspname IN ('public', '{schema}'))"
    );
    let found = strings(&pool, &format!("{scope} {query}")).await;
    assert!(found.is_empty(), "{rule}: {found:#?}");
}

#[tokio::test]
async fn every_primary_key_is_one_random_uuid() {
    nobody(
        "primary keys are uuid DEFAULT gen_random_uuid()",
        "SELECT t.schema || '.' || t.name FROM tables t WHERE NOT EXISTS (
            SELECT 1 FROM pg_constraint k
            JOIN pg_attribute a ON a.attrelid = k.conrelid AND ARRAY[a.attnum] = k.conkey
            JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
            WHERE k.conrelid = t.oid AND k.contype = 'p' AND k.conname = t.name || '_pkey'
                AND a.attname = 'id' AND a.atttypid = 'uuid'::regtype
                AND pg_get_expr(d.adbin, d.adrelid) = 'gen_random_uuid()')",
    )
    .await;
}

#[tokio::test]
async fn nothing_counts_by_itself() {
    nobody(
        "no serial, identity or sequence",
        "SELECT c.relname::text FROM pg_class c JOIN tables t ON t.schema = c.relnamespace::regnamespace::text
            WHERE c.relkind = 'S'
         UNION SELECT t.name || '.' || a.attname FROM tables t JOIN pg_attribute a ON a.attrelid = t.oid
            WHERE a.attidentity <> ''
         UNION SELECT t.name || ' ' || pg_get_expr(d.adbin, d.adrelid) FROM tables t JOIN pg_attrdef d ON d.adrelid = t.oid
            WHERE pg_get_expr(d.adbin, d.adrelid) ~ 'nextval'",
    )
    .await;
}

#[tokio::test]
async fn every_token_is_checked() {
    nobody(
        "tokens are CHECKed to be 32 lower-case hex characters",
        "SELECT t.name || '.' || a.attname FROM tables t JOIN pg_attribute a ON a.attrelid = t.oid
         WHERE a.attname ~ '(^|_)token$' AND NOT a.attisdropped AND NOT EXISTS (
            SELECT 1 FROM pg_constraint k WHERE k.conrelid = t.oid AND k.contype = 'c' AND k.conkey = ARRAY[a.attnum]
                AND pg_get_constraintdef(k.oid) LIKE '%^[0-9a-f]{32}$%')",
    )
    .await;
}

#[tokio::test]
async fn every_business_table_belongs_to_an_organisation() {
    nobody(
        "tenant_id is a uuid, NOT NULL, references tenants with a stated ON DELETE, and is indexed",
        "SELECT t.name FROM tables t
         WHERE t.schema = 'public' AND t.name NOT IN ('tenants', 'tenant_migrations', 'tenant_references', 'schema_migrations',
            'report_counts', 'due_reports')
         AND NOT EXISTS (
            SELECT 1 FROM pg_attribute a
            JOIN pg_constraint k ON k.conrelid = a.attrelid AND k.contype = 'f' AND k.conkey = ARRAY[a.attnum]
                AND k.confrelid = 'public.tenants'::regclass AND k.confdeltype <> 'a'
            JOIN pg_index i ON i.indrelid = a.attrelid AND i.indkey[0] = a.attnum AND i.indpred IS NULL
            WHERE a.attrelid = t.oid AND a.attname = 'tenant_id' AND a.attnotnull AND a.atttypid = 'uuid'::regtype)",
    )
    .await;
}

#[tokio::test]
async fn every_business_table_stands_behind_the_wall() {
    nobody(
        "row-level security is forced, by the two policies of the wall and no other",
        "SELECT t.name FROM tables t
         WHERE t.schema = 'public' AND t.name NOT IN ('tenant_migrations', 'tenant_references', 'schema_migrations',
            'report_counts', 'due_reports') AND NOT (
            t.relrowsecurity AND t.relforcerowsecurity AND ARRAY(
                SELECT p.polname::text FROM pg_policy p WHERE p.polrelid = t.oid ORDER BY 1) = ARRAY['own_rows', 'server'])
         UNION SELECT t.name || ' is granted' FROM tables t
            WHERE t.name IN ('tenant_migrations', 'tenant_references', 'schema_migrations',
            'report_counts', 'due_reports')
            AND has_table_privilege('koltrix_tenant', t.oid, 'SELECT, INSERT, UPDATE, DELETE')
         UNION SELECT t.name || ' may be truncated or changed' FROM tables t
            WHERE has_table_privilege('koltrix_tenant', t.oid, 'TRUNCATE, REFERENCES, TRIGGER')",
    )
    .await;
}

#[tokio::test]
async fn every_time_knows_its_zone() {
    nobody(
        "timestamptz everywhere, and NOT NULL where there always is one",
        "SELECT t.name || '.' || a.attname FROM tables t JOIN pg_attribute a ON a.attrelid = t.oid
         WHERE a.atttypid IN ('timestamp'::regtype, 'time'::regtype, 'timetz'::regtype)
            OR (a.attname IN ('created_at', 'updated_at', 'occurred_at', 'applied_at') AND NOT a.attnotnull)",
    )
    .await;
}

#[tokio::test]
async fn text_is_checked_and_no_type_is_made() {
    nobody(
        "no enum and no domain types",
        "SELECT y.typname::text FROM pg_type y WHERE y.typtype IN ('e', 'd')
            AND y.typnamespace::regnamespace::text IN (SELECT t.schema FROM tables t)",
    )
    .await;
}

#[tokio::test]
async fn every_foreign_key_is_indexed() {
    nobody(
        "foreign keys are indexed, by an index that may leave out NULL",
        "SELECT k.conname::text FROM tables t JOIN pg_constraint k ON k.conrelid = t.oid AND k.contype = 'f'
         WHERE NOT EXISTS (
            SELECT 1 FROM pg_index i
            WHERE i.indrelid = t.oid AND (i.indkey::int2[])[0:cardinality(k.conkey) - 1] @> k.conkey
                AND (i.indpred IS NULL OR pg_get_expr(i.indpred, i.indrelid) ~ '^\\(\\w+ IS NOT NULL\\)$'))",
    )
    .await;
}

#[tokio::test]
async fn every_foreign_key_says_what_a_deletion_does() {
    nobody(
        "a stated ON DELETE",
        "SELECT k.conname::text FROM tables t JOIN pg_constraint k ON k.conrelid = t.oid
         WHERE k.contype = 'f' AND k.confdeltype = 'a'",
    )
    .await;
}

#[tokio::test]
async fn every_table_says_what_it_is_for() {
    nobody(
        "COMMENT ON TABLE",
        "SELECT t.name FROM tables t WHERE coalesce(obj_description(t.oid, 'pg_class'), '') = ''",
    )
    .await;
}

#[tokio::test]
async fn every_constraint_has_a_name_of_its_own() {
    // What Postgres makes up ends in a number where two would be called alike,
    // or is the name of a table and nothing else.
    nobody(
        "constraint names are spelled out",
        "SELECT k.conname::text FROM tables t JOIN pg_constraint k ON k.conrelid = t.oid
         WHERE k.contype IN ('p', 'u', 'f', 'c') AND (
            k.conname ~ '_(check|key|fkey|pkey|excl|not_null)[0-9]+$' OR NOT starts_with(k.conname, t.name || '_'))",
    )
    .await;
}

#[tokio::test]
async fn whoever_acts_for_the_server_looks_nowhere_else() {
    // CVE-2018-1058: such a function takes its names from a path that the caller sets.
    nobody(
        "SECURITY DEFINER functions pin their search_path, pg_temp last",
        "SELECT p.proname::text FROM pg_proc p WHERE p.prosecdef
            AND p.pronamespace::regnamespace::text IN (SELECT t.schema FROM tables t)
            AND NOT coalesce(p.proconfig @> ARRAY['search_path=pg_catalog, pg_temp'], false)",
    )
    .await;
    nobody(
        "an organisation's role may call none of them but these",
        "SELECT p.proname::text FROM pg_proc p WHERE p.prosecdef
            AND p.pronamespace::regnamespace::text IN (SELECT t.schema FROM tables t)
            AND p.proname NOT IN ('note_first_mail', 'note_first_sent') AND has_function_privilege('koltrix_tenant', p.oid, 'EXECUTE')",
    )
    .await;
}
