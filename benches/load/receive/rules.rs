//! Rules as a busy mailbox has them.

use serde_json::{Value, json};
use sqlx::PgPool;

/// Gives every mailbox of the organisation ten filters and an automatic
/// answer. Of the filters two act on the messages of the bench, the eighth and
/// the last, so that all ten are asked: a label, and a folder.
pub async fn add(pool: &PgPool) {
    for (position, (name, conditions, actions)) in (0_i32..).zip(filters()) {
        sqlx::query(
            "INSERT INTO org_bench.email_filters (address_id, name, position, conditions, actions)
             SELECT id, $1, $2, $3, $4 FROM email_addresses WHERE address LIKE '%@bench.test'",
        )
        .bind(name)
        .bind(position)
        .bind(conditions)
        .bind(actions)
        .execute(pool)
        .await
        .unwrap();
    }
    sqlx::query(
        "INSERT INTO org_bench.auto_replies (address_id, text_body)
         SELECT id, 'I am away until Monday.' FROM email_addresses WHERE address LIKE '%@bench.test'",
    )
    .execute(pool)
    .await
    .unwrap();
}

/// Panics unless every message lies in the folder of the last filter with the
/// label of the eighth, and each mailbox answered its one correspondent once.
pub async fn assert_acted(pool: &PgPool) {
    let (elsewhere, unanswered): (i64, i64) = sqlx::query_as(
        "SELECT (SELECT count(*) FROM org_bench.folder_entries e JOIN org_bench.folders f ON f.id = e.folder_id
                 JOIN org_bench.emails m ON m.id = e.email_id
                 WHERE m.source = 'smtp' AND (f.name <> 'Load' OR e.keywords <> '{prose}')),
                (SELECT count(*) FROM email_addresses a WHERE a.address LIKE '%@bench.test' AND 1 <>
                 (SELECT count(*) FROM outbound_messages o WHERE o.address_id = a.id AND o.source = 'auto_reply'))",
    )
    .fetch_one(pool)
    .await
    .unwrap();
    assert_eq!((elsewhere, unanswered), (0, 0), "the rules did not act");
}

fn filters() -> [(&'static str, Value, Value); 10] {
    let is = |field: &str, op: &str, value: &str| json!({"field": field, "op": op, "value": value});
    let header = |name: &str, op: &str, value: &str| json!({"field": "header", "name": name, "op": op, "value": value});
    let folder = |name: &str| json!([{"do": "folder", "name": name}, {"do": "stop"}]);
    [
        ("lists", is("list_id", "glob", "*.lists.example"), folder("Lists")),
        ("invoices", is("subject", "contains", "invoice"), folder("Invoices")),
        ("boss", is("from", "equals", "boss@bench.test"), json!([{"do": "flag"}])),
        (
            "builds",
            json!({"any": [header("X-Build-Status", "equals", "failed"), is("subject", "begins", "[build]")]}),
            folder("Builds"),
        ),
        (
            "tickets",
            is("subject", "regex", r"(?i)\b(ticket|case)\s*#?\d{4,}\b"),
            json!([{"do": "label", "keyword": "ticket"}]),
        ),
        (
            "account numbers",
            is("body", "regex", r"\b[A-Z]{2}\d{2}( ?[A-Z0-9]{4}){4}\b"),
            folder("Bank"),
        ),
        ("meetings", is("body", "contains", "dial-in number"), folder("Meetings")),
        (
            "prose",
            is("body", "contains", "lines of prose"),
            json!([{"do": "label", "keyword": "prose"}]),
        ),
        (
            "documents",
            json!({"all": [is("attachment_type", "equals", "application/pdf"), {"not": is("from_domain", "equals", "bench.test")}]}),
            folder("Documents"),
        ),
        (
            "load",
            json!({"all": [is("from_domain", "equals", "load.example"), header("Subject", "contains", "kilobytes")]}),
            json!([{"do": "folder", "name": "Load"}]),
        ),
    ]
}
