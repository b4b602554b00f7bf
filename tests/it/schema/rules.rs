//! What the database refuses, and what it does by itself.

use crate::support::postgres;
use crate::support::sql::{refusal, run, strings};

#[tokio::test]
async fn a_bad_or_reserved_slug_is_refused() {
    let pool = postgres::pool().await;
    let long = "a".repeat(41);
    for slug in
        ["", "A", "1a", "_a", "a-b", "a.b", "a b", "ü", "public", "admin", "postgres", &long]
    {
        let insert = format!("INSERT INTO tenants (slug, name) VALUES ('{slug}', 'x')");
        assert_eq!(refusal(&pool, &insert).await, "tenants_slug_check", "{slug}");
        let schema = format!("SELECT nspname::text FROM pg_namespace WHERE nspname = 'org_{slug}'");
        assert!(strings(&pool, &schema).await.is_empty(), "{slug}");
    }
    let tenant = postgres::organisation(&pool).await;
    let again = format!("INSERT INTO tenants (slug, name) VALUES ('{}', 'x')", tenant.slug);
    assert_eq!(refusal(&pool, &again).await, "tenants_slug_key");
    let rename = format!("UPDATE tenants SET slug = 'other' WHERE id = '{}'", tenant.id);
    assert_eq!(refusal(&pool, &rename).await, "tenants_identity");
}

#[tokio::test]
async fn an_insert_provisions_in_its_own_transaction() {
    let pool = postgres::pool().await;
    let mut tx = pool.begin().await.unwrap();
    let insert = "INSERT INTO tenants (slug, name) VALUES ('rolled_back', 'x')";
    sqlx::query(insert).execute(&mut *tx).await.unwrap();
    let inside =
        "SELECT count(*) FROM pg_class WHERE relnamespace = 'org_rolled_back'::regnamespace";
    let tables: i64 = sqlx::query_scalar(inside).fetch_one(&mut *tx).await.unwrap();
    assert!(tables > 30);
    tx.rollback().await.unwrap();
    let left = "SELECT nspname::text FROM pg_namespace WHERE nspname = 'org_rolled_back'";
    assert!(strings(&pool, left).await.is_empty());
}

#[tokio::test]
async fn a_token_is_32_lower_case_hex_characters() {
    let pool = postgres::pool().await;
    let tenant = postgres::organisation(&pool).await.id;
    let message = strings(
        &pool,
        &format!(
            "INSERT INTO outbound_messages (tenant_id, recipient, from_address, text_body, state, held_reason)
             VALUES ('{tenant}', 'a@b.test', 'c@d.test', 'x', 'held', 'x') RETURNING id::text"
        ),
    )
    .await
    .remove(0);
    let good = "0123456789abcdef".repeat(2);
    let bad = [
        String::new(),
        good.to_uppercase(),
        good[1..].to_owned(),
        format!("{good}0"),
        "g".repeat(32),
        format!("{good}\n"),
    ];
    let inserts = [
        (
            "tracking_tokens",
            format!(
                "(tenant_id, outbound_message_id, kind, token) VALUES ('{tenant}', '{message}', 'open',"
            ),
        ),
        (
            "newsletter_unsubscribes",
            format!("(tenant_id, address, token) VALUES ('{tenant}', 'a@b.test',"),
        ),
        (
            "newsletter_confirm_tokens",
            format!(
                "(tenant_id, list_id, subscriber_id, token) VALUES ('{tenant}', '{tenant}', '{tenant}',"
            ),
        ),
    ];
    for (table, values) in inserts {
        for token in &bad {
            let insert = format!("INSERT INTO {table} {values} '{token}')");
            assert_eq!(refusal(&pool, &insert).await, format!("{table}_token_check"));
        }
        run(&pool, &format!("INSERT INTO {table} {values} '{good}')")).await;
    }
}

#[tokio::test]
async fn a_confirm_token_lasts_seven_days_and_not_longer() {
    let pool = postgres::pool().await;
    let tenant = postgres::organisation(&pool).await.id;
    let insert = format!(
        "INSERT INTO newsletter_confirm_tokens (tenant_id, list_id, subscriber_id, token, expires_at)
         VALUES ('{tenant}', '{tenant}', '{tenant}', '{}', now() + interval '8 days')",
        "b".repeat(32)
    );
    assert_eq!(refusal(&pool, &insert).await, "newsletter_confirm_tokens_expires_at_check");
}

#[tokio::test]
async fn the_audit_log_is_only_ever_added_to() {
    let pool = postgres::pool().await;
    let tenant = postgres::organisation(&pool).await;
    let id = tenant.id;
    run(
        &pool,
        &format!(
            "INSERT INTO suppression_list (tenant_id, address) VALUES ('{id}', 'Gone@B.test');
             SET koltrix.actor = 'user:7';
             UPDATE suppression_list SET reason = 'complaint' WHERE tenant_id = '{id}';
             DELETE FROM suppression_list WHERE tenant_id = '{id}';
             RESET koltrix.actor"
        ),
    )
    .await;
    let log = format!(
        "SELECT concat_ws(' ', actor, action, before ->> 'reason', after ->> 'address') FROM audit_logs
         WHERE tenant_id = '{id}' ORDER BY occurred_at"
    );
    let log = strings(&pool, &log).await;
    assert!(
        log[0].starts_with("sql:") && log[0].ends_with(" suppression.added gone@b.test"),
        "{log:?}"
    );
    assert_eq!(
        log[1..],
        ["user:7 suppression.changed manual gone@b.test", "user:7 suppression.removed complaint"]
    );

    for change in [
        format!("UPDATE audit_logs SET actor = 'nobody' WHERE tenant_id = '{id}'"),
        format!("DELETE FROM audit_logs WHERE tenant_id = '{id}'"),
        "TRUNCATE audit_logs".to_owned(),
    ] {
        assert_eq!(refusal(&pool, &change).await, "audit_logs_append_only");
    }
    // Deleting an organisation means all of it.
    // Other tests make organisations meanwhile, and Postgres may end one of two that wait for each
    // other: whoever deletes one asks again then.
    let delete = format!("DELETE FROM tenants WHERE id = '{id}'");
    while let Err(error) = sqlx::query(sqlx::AssertSqlSafe(delete.clone())).execute(&pool).await {
        let code = error.as_database_error().and_then(sqlx::error::DatabaseError::code);
        assert_eq!(code.as_deref(), Some("40P01"), "{error}");
    }
    let left = format!(
        "SELECT 'log' FROM audit_logs WHERE tenant_id = '{id}'
         UNION ALL SELECT nspname::text FROM pg_namespace WHERE nspname = '{}'
         UNION ALL SELECT rolname::text FROM pg_roles WHERE rolname = tenant_role('{id}')",
        tenant.schema()
    );
    assert!(strings(&pool, &left).await.is_empty());
}

#[tokio::test]
async fn a_filter_has_the_shape_that_the_server_reads() {
    let pool = postgres::pool().await;
    let valid = |condition: &str| {
        let query = format!(
            "SELECT condition_is_valid('{condition}', ARRAY['subject', 'header', 'size'])::text"
        );
        let pool = pool.clone();
        async move { strings(&pool, &query).await.remove(0) == "true" }
    };
    let deep = |levels: usize| {
        format!("{}{{\"all\": []}}{}", "{\"not\": ".repeat(levels), "}".repeat(levels))
    };
    let subject = r#"{"field": "subject", "op": "contains", "value": "x"}"#;
    let many = |count: usize| format!("{{\"any\": [{}]}}", vec![subject; count].join(","));
    for good in [
        r#"{"all": []}"#,
        subject,
        r#"{"any": [{"field": "size", "op": "over", "value": 5}, {"not": {"field": "subject", "op": "regex", "value": "^a"}}]}"#,
        r#"{"field": "header", "name": "X-Spam", "op": "is", "value": true}"#,
        &deep(9),
        &many(100),
    ] {
        assert!(valid(good).await, "{good}");
    }
    for bad in [
        "null",
        "[]",
        "{}",
        r#"{"all": {}}"#,
        r#"{"all": [], "any": []}"#,
        r#"{"all": [5]}"#,
        r#"{"field": "colour", "op": "contains", "value": "x"}"#,
        r#"{"field": "subject", "op": "like", "value": "x"}"#,
        r#"{"field": "subject", "op": null, "value": "x"}"#,
        r#"{"field": "subject", "op": "contains", "value": 5}"#,
        r#"{"field": "subject", "op": "contains"}"#,
        r#"{"field": "subject", "op": "is", "value": "yes"}"#,
        r#"{"field": "subject", "op": "contains", "value": "x", "more": 1}"#,
        r#"{"field": "subject", "name": "X", "op": "contains", "value": "x"}"#,
        r#"{"field": "header", "op": "contains", "value": "x"}"#,
        &deep(10),
        &many(101),
    ] {
        assert!(!valid(bad).await, "{bad}");
    }
}

#[tokio::test]
async fn an_action_has_what_it_needs_and_nothing_else() {
    let pool = postgres::pool().await;
    let query = |actions: &str| format!("SELECT actions_are_valid('{actions}')::text");
    for good in [
        r#"[{"do": "stop"}]"#,
        r#"[{"do": "folder", "name": "Work"}, {"do": "label", "keyword": "later"}, {"do": "flag"}, {"do": "read"}]"#,
        r#"[{"do": "forward", "address": "a@b.test"}, {"do": "reject", "text": "no"}, {"do": "discard"}]"#,
    ] {
        assert_eq!(strings(&pool, &query(good)).await, ["true"], "{good}");
    }
    for bad in [
        "null",
        "[]",
        "{}",
        "[5]",
        "[{}]",
        r#"[{"do": "explode"}]"#,
        r#"[{"do": "folder"}]"#,
        r#"[{"do": "folder", "name": ""}]"#,
        r#"[{"do": "folder", "name": 5}]"#,
        r#"[{"do": "stop", "name": "x"}]"#,
    ] {
        assert_eq!(strings(&pool, &query(bad)).await, ["false"], "{bad}");
    }
}

#[tokio::test]
async fn nobody_is_subscribed_without_having_confirmed() {
    let pool = postgres::pool().await;
    let schema = postgres::organisation(&pool).await.schema();
    let list = |double: bool| {
        format!(
            "INSERT INTO {schema}.newsletter_lists (name, double_opt_in) VALUES ('{double}', {double}) RETURNING id::text"
        )
    };
    let asks = strings(&pool, &list(true)).await.remove(0);
    let open = strings(&pool, &list(false)).await.remove(0);
    let add = |list: &str, confirmed: &str| {
        format!(
            "INSERT INTO {schema}.newsletter_subscribers (list_id, address, status, confirmed_at)
             VALUES ('{list}', 'a@b.test', 'active', {confirmed})"
        )
    };
    assert_eq!(refusal(&pool, &add(&asks, "NULL")).await, "newsletter_subscribers_double_opt_in");
    run(&pool, &add(&asks, "now()")).await;
    run(&pool, &add(&open, "NULL")).await;
}

#[tokio::test]
async fn what_an_organisation_says_of_public_rows_is_true() {
    let pool = postgres::pool().await;
    let (ours, theirs) = (postgres::organisation(&pool).await, postgres::organisation(&pool).await);
    let address = async |tenant: &postgres::Organisation| {
        let insert = format!(
            "INSERT INTO email_addresses (tenant_id, address) VALUES ('{}', 'a@{}.test') RETURNING id::text",
            tenant.id, tenant.slug
        );
        strings(&pool, &insert).await.remove(0)
    };
    let (our_address, their_address) = (address(&ours).await, address(&theirs).await);
    let schema = ours.schema();
    let folder = |address: &str| {
        format!("INSERT INTO {schema}.folders (address_id, name) VALUES ('{address}', 'x')")
    };
    // Neither somebody else's nor nobody's.
    let label = |address: &str| {
        format!(
            "INSERT INTO {schema}.labels (address_id, keyword, name) VALUES ('{address}', 'k', 'k')"
        )
    };
    for address in [&their_address, &uuid::Uuid::new_v4().to_string()] {
        assert_eq!(refusal(&pool, &label(address)).await, "labels_address_id_fkey");
    }
    run(&pool, &folder(&our_address)).await;
    let turn =
        format!("UPDATE {schema}.folders SET address_id = '{their_address}' WHERE name = 'x'");
    assert_eq!(refusal(&pool, &turn).await, "folders_address_id_fkey");
    let list = format!(
        "INSERT INTO {schema}.newsletter_lists (name, from_address_id) VALUES ('l', '{our_address}')"
    );
    run(&pool, &list).await;

    // What is the mailbox's goes with it; what only named it stays.
    run(&pool, &format!("DELETE FROM email_addresses WHERE id = '{our_address}'")).await;
    let folders = format!("SELECT id::text FROM {schema}.folders");
    assert!(strings(&pool, &folders).await.is_empty());
    let lists = format!("SELECT name FROM {schema}.newsletter_lists WHERE from_address_id IS NULL");
    assert_eq!(strings(&pool, &lists).await, ["l"]);
    run(&pool, &format!("DELETE FROM tenants WHERE id = '{}'", theirs.id)).await;
}

#[tokio::test]
async fn an_organisation_adds_nothing_to_the_tables_of_public() {
    // Triggers of foreign keys would be there for every organisation, and read by everybody.
    let pool = postgres::pool().await;
    let mut tx = pool.begin().await.unwrap();
    let count = "SELECT count(*) FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
        WHERE c.relnamespace = 'public'::regnamespace";
    let before: i64 = sqlx::query_scalar(count).fetch_one(&mut *tx).await.unwrap();
    let insert = "INSERT INTO tenants (slug, name) VALUES ('one_more', 'x')";
    sqlx::query(insert).execute(&mut *tx).await.unwrap();
    let after: i64 = sqlx::query_scalar(count).fetch_one(&mut *tx).await.unwrap();
    assert_eq!(after, before);
}
