//! What looks like spam, and what readers say about it.

mod gate;
mod readers;
mod rspamd;

use std::path::Path;
use std::sync::Arc;

use koltrix_mail::app::{self, Roles, Running};
use koltrix_mail::config::Config;
use koltrix_mail::store::embedded::Durability;
use sqlx::AssertSqlSafe;

use crate::support::postgres;
use crate::support::server::{Tenant, configuration, server};
use crate::support::smtp::Smtp;

/// Another server on the same database, with other settings.
async fn node(folder: &Path, change: impl FnOnce(&mut Config)) -> Running {
    let dns = server().await.dns.addr();
    let mut config = configuration(folder, &postgres::url().await, dns, 1);
    change(&mut config);
    app::start(Arc::new(config), Roles::ALL, Durability::None).await.unwrap()
}

/// Sends it to bob; the answer to the end of data.
async fn deliver(to: std::net::SocketAddr, tenant: &Tenant, from: &str, message: &str) -> String {
    let mut smtp = Smtp::greeted(to).await;
    smtp.ask("EHLO client.test", "250").await;
    smtp.ask(&format!("MAIL FROM:<{from}>"), "250").await;
    smtp.ask(&format!("RCPT TO:<bob@{}>", tenant.domain), "250").await;
    smtp.ask("DATA", "354").await;
    smtp.send(format!("{message}.\r\n")).await;
    smtp.reply().await
}

/// Asks a tenant's tables for one value.
async fn one<T>(tenant: &Tenant, select: &str) -> T
where
    T: Send + Unpin + sqlx::Type<sqlx::Postgres> + for<'r> sqlx::Decode<'r, sqlx::Postgres>,
{
    let sql = select.replace("{org}", &tenant.schema);
    sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(&server().await.pool).await.unwrap()
}

/// Where the message with this subject lies.
async fn folder_of(tenant: &Tenant, subject: &str) -> String {
    one(
        tenant,
        &format!(
            "SELECT f.special_use FROM {{org}}.folders f JOIN {{org}}.folder_entries x ON x.folder_id = f.id
             JOIN {{org}}.emails e ON e.id = x.email_id WHERE e.subject = '{subject}'"
        ),
    )
    .await
}
