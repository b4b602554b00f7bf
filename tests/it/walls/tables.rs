//! Every table of the catalogue, with one organisation's rows out of reach of another.

use sqlx::PgPool;

use crate::support::postgres::{self, Organisation};
use crate::support::sql::strings;
use crate::walls::{DENIED, attempt, neighbours};

/// The tables of public that hold rows of organisations, with the column that says whose.
async fn public_tables(pool: &PgPool) -> Vec<(String, &'static str)> {
    let query = "SELECT c.relname::text FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
        WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND a.attname = 'tenant_id'";
    let mut tables: Vec<(String, &str)> =
        strings(pool, query).await.into_iter().map(|name| (name, "tenant_id")).collect();
    tables.push(("tenants".to_owned(), "id"));
    tables
}

/// Whether a statement found nothing, or was not even allowed to look.
fn is_nothing(outcome: &Result<u64, String>) -> bool {
    outcome == &Ok(0) || outcome == &Err(DENIED.to_owned())
}

#[tokio::test]
async fn rows_of_public_are_out_of_reach() {
    let pool = postgres::pool().await;
    let (ours, theirs) = neighbours(&pool).await;
    for (table, whose) in public_tables(&pool).await {
        let count = format!("SELECT id::text FROM {table} WHERE {whose} = '{}'", theirs.id);
        assert!(!strings(&pool, &count).await.is_empty(), "{table} has no row in seed.sql");
        let reach = |verb: &str| format!("{verb} WHERE {whose} = '{}'", theirs.id);
        for statement in [
            reach(&format!("SELECT id FROM {table}")),
            reach(&format!("UPDATE {table} SET id = id")),
            reach(&format!("UPDATE {table} SET {whose} = '{}'", ours.id)),
            reach(&format!("DELETE FROM {table}")),
        ] {
            let outcome = attempt(&pool, ours, &statement).await;
            assert!(is_nothing(&outcome), "{statement}: {outcome:?}");
        }
        // Everything that can be read at all is one's own.
        let all = attempt(&pool, ours, &format!("SELECT id FROM {table}")).await;
        let own = format!("SELECT id FROM {table} WHERE {whose} = '{}'", ours.id);
        assert_eq!(all, attempt(&pool, ours, &own).await, "{table}");
        assert!(matches!(all, Ok(1..)), "{table}: {all:?}");
        no_row_can_be_given_away(&pool, ours, theirs, &table, whose).await;
    }
}

/// Neither a new row nor one's own can be made somebody else's.
async fn no_row_can_be_given_away(
    pool: &PgPool,
    ours: &Organisation,
    theirs: &Organisation,
    table: &str,
    whose: &str,
) {
    let columns = format!(
        "SELECT quote_ident(attname) FROM pg_attribute WHERE attrelid = 'public.{table}'::regclass
         AND attnum > 0 AND NOT attisdropped AND attgenerated = ''"
    );
    let columns = strings(pool, &columns).await.join(", ");
    let row =
        format!("SELECT to_jsonb(t)::text FROM {table} t WHERE {whose} = '{}' LIMIT 1", theirs.id);
    let row = strings(pool, &row).await.remove(0).replace('\'', "''");
    let insert = format!(
        "INSERT INTO {table} ({columns}) SELECT {columns} FROM jsonb_populate_record(
            NULL::{table}, '{row}'::jsonb || jsonb_build_object('id', gen_random_uuid(), '{whose}', '{}'))",
        theirs.id
    );
    assert_eq!(attempt(pool, ours, &insert).await, Err(DENIED.to_owned()), "INSERT INTO {table}");
    let give =
        format!("UPDATE {table} SET {whose} = '{}' WHERE {whose} = '{}'", theirs.id, ours.id);
    assert_eq!(attempt(pool, ours, &give).await, Err(DENIED.to_owned()), "{give}");
}

#[tokio::test]
async fn another_schema_is_out_of_reach() {
    let pool = postgres::pool().await;
    let (ours, theirs) = neighbours(&pool).await;
    let schema = theirs.schema();
    let tables = format!(
        "SELECT relname::text FROM pg_class WHERE relnamespace = '{schema}'::regnamespace AND relkind IN ('r', 'p')"
    );
    let tables = strings(&pool, &tables).await;
    assert!(tables.len() > 30);
    for table in tables {
        for statement in [
            format!("SELECT FROM {schema}.{table}"),
            format!("INSERT INTO {schema}.{table} DEFAULT VALUES"),
            format!("UPDATE {schema}.{table} SET id = id"),
            format!("DELETE FROM {schema}.{table}"),
            format!("TRUNCATE {schema}.{table}"),
            format!("DROP TABLE {schema}.{table}"),
        ] {
            assert_eq!(
                attempt(&pool, ours, &statement).await,
                Err(DENIED.to_owned()),
                "{statement}"
            );
        }
        // The same statements work in one's own, save those that change the table itself.
        let own = attempt(&pool, ours, &format!("DELETE FROM {table} WHERE false")).await;
        assert_eq!(own, Ok(0), "{table}");
        for statement in [
            format!("TRUNCATE {table}"),
            format!("DROP TABLE {table}"),
            format!("ALTER TABLE {table} ADD x text"),
        ] {
            assert_eq!(
                attempt(&pool, ours, &statement).await,
                Err(DENIED.to_owned()),
                "{statement}"
            );
        }
    }
    for function in strings(&pool, &format!("SELECT oid::regprocedure::text FROM pg_proc WHERE pronamespace = '{schema}'::regnamespace")).await {
        let call = format!("SELECT '{}'::regprocedure", function.replace('\'', "''"));
        assert_eq!(attempt(&pool, ours, &call).await, Err(DENIED.to_owned()), "{function}");
    }
}

#[tokio::test]
async fn no_setting_opens_the_wall() {
    let pool = postgres::pool().await;
    let (ours, theirs) = neighbours(&pool).await;
    let (schema, id) = (theirs.schema(), theirs.id);
    let missing = Err("42P01".to_owned());
    for setting in [
        format!("SET search_path TO {schema}"),
        format!("SET LOCAL search_path TO {schema}, public"),
        format!("SELECT set_config('search_path', '{schema}', false)"),
    ] {
        // Without USAGE on a schema its tables are not even found.
        let outcome = attempt(&pool, ours, &format!("{setting}; SELECT id FROM folders")).await;
        assert_eq!(outcome, missing, "{setting}");
    }
    for setting in [
        format!("SELECT set_config('koltrix.tenant', '{id}', false)"),
        format!("SELECT set_config('koltrix.actor', '{id}', false)"),
        "SET row_security = on".to_owned(),
    ] {
        let look = format!("{setting}; DELETE FROM suppression_list WHERE tenant_id = '{id}'");
        assert_eq!(
            attempt(&pool, ours, &look).await.ok(),
            Some(u64::from(setting.starts_with("SELECT")))
        );
    }
    // Asking for the rows without the policies is refused rather than answered.
    let off = "SET row_security = off; SELECT id FROM outbound_messages";
    assert_eq!(attempt(&pool, ours, off).await, Err(DENIED.to_owned()));
    // From inside one organisation there is no way into another.
    let enter = format!("SELECT public.enter_tenant('{id}')");
    assert_eq!(attempt(&pool, ours, &enter).await, Err("3F000".to_owned()));
}

#[tokio::test]
async fn nothing_that_acts_for_the_server_acts_for_an_organisation() {
    let pool = postgres::pool().await;
    let (ours, theirs) = neighbours(&pool).await;
    for statement in [
        format!("SELECT public.apply_tenant_migration('{}', 'SELECT 1')", theirs.slug),
        format!("SELECT public.advance_onboarding('{}')", theirs.id),
        "SELECT * FROM public.resolve_recipient('a@b.test')".to_owned(),
        "SELECT * FROM public.schema_migrations".to_owned(),
        "SELECT * FROM public.tenant_migrations".to_owned(),
        "SELECT * FROM public.tenant_references".to_owned(),
        "CREATE TABLE public.mine (id uuid)".to_owned(),
        "CREATE SCHEMA mine".to_owned(),
        "CREATE ROLE mine".to_owned(),
    ] {
        assert_eq!(attempt(&pool, ours, &statement).await, Err(DENIED.to_owned()), "{statement}");
    }
    // A trigger of one's own on a table of one's own, with a function of the server's.
    for function in ["unprovision_tenant", "provision_tenant", "audit_change", "onboarding_moved"] {
        let statement = format!(
            "CREATE TEMP TABLE mine (id uuid, slug text, tenant_id uuid);
             CREATE TRIGGER mine AFTER DELETE ON mine FOR EACH ROW EXECUTE FUNCTION public.{function}('x')"
        );
        assert_eq!(attempt(&pool, ours, &statement).await, Err(DENIED.to_owned()), "{function}");
    }
    // The two that an organisation may call do nothing for another one, which may have mail by now.
    sqlx::query("UPDATE tenants SET first_mail_at = NULL, first_sent_at = NULL WHERE id = $1")
        .bind(theirs.id)
        .execute(&pool)
        .await
        .unwrap();
    let mut tx = pool.begin().await.unwrap();
    sqlx::query("SELECT public.enter_tenant($1)").bind(ours.id).execute(&mut *tx).await.unwrap();
    let both = "SELECT public.note_first_mail($1), public.note_first_sent($1)";
    sqlx::query(both).bind(theirs.id).execute(&mut *tx).await.unwrap();
    tx.commit().await.unwrap();
    let noted = format!(
        "SELECT slug FROM tenants WHERE id = '{}' AND num_nonnulls(first_mail_at, first_sent_at) > 0",
        theirs.id
    );
    assert!(strings(&pool, &noted).await.is_empty());
}
