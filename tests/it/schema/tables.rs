//! Every table of the product's document is there, and the catalogue knows no other.

use crate::support::postgres;
use crate::support::sql::strings;

/// The tables of the document, then what IMAP, the queue and the migrator need beside them.
const PUBLIC: &[&str] = &[
    "tenants",
    "tenant_domains",
    "tenant_users",
    "email_addresses",
    "api_keys",
    "recipient_troubles",
    "suppression_list",
    "outbound_messages",
    "tracking_tokens",
    "webhooks",
    "webhook_deliveries",
    "newsletter_unsubscribes",
    "newsletter_confirm_tokens",
    "domain_warmup",
    "activity_log",
    "email_tracking_events",
    "audit_logs",
    "analytics_events",
    "app_passwords",
    "delivery_attempts",
    "delivery_routes",
    "domain_keys",
    "tenant_mail_settings",
    "greylist_triplets",
    "spam_lessons",
    "report_counts",
    "due_reports",
    "arrived_reports",
    "schema_migrations",
    "tenant_migrations",
    "tenant_references",
];

const TENANT: &[&str] = &[
    "threads",
    "emails",
    "attachments",
    "email_reads",
    "ai_suggestions",
    "labels",
    "folders",
    "email_forwards",
    "auto_replies",
    "email_filters",
    "tickets",
    "contacts",
    "deals",
    "companies",
    "campaigns",
    "calendar_events",
    "files",
    "newsletter_lists",
    "newsletter_subscribers",
    "subscriber_segments",
    "email_templates",
    "inbox_views",
    "sequences",
    "sequence_steps",
    "aliases",
    "annotations",
    "auto_reply_recipients",
    "contact_emails",
    "email_search",
    "email_sources",
    "sender_reputation",
    "expunged_entries",
    "folder_rights",
    "folder_entries",
    "inbox_view_entries",
    "sequence_enrollments",
];

async fn tables(pool: &sqlx::PgPool, schema: &str) -> Vec<String> {
    let query = format!(
        "SELECT relname::text FROM pg_class WHERE relnamespace = '{schema}'::regnamespace AND relkind = 'r'"
    );
    let mut found = strings(pool, &query).await;
    found.sort();
    found
}

fn sorted(names: &[&str]) -> Vec<String> {
    let mut names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
    names.sort();
    names
}

#[tokio::test]
async fn public_has_every_table_of_the_document() {
    let pool = postgres::pool().await;
    assert_eq!(tables(&pool, "public").await, sorted(PUBLIC));
}

#[tokio::test]
async fn every_organisation_has_every_table_of_the_document() {
    let pool = postgres::pool().await;
    let tenant = postgres::organisation(&pool).await;
    assert_eq!(tables(&pool, &tenant.schema()).await, sorted(TENANT));
}
