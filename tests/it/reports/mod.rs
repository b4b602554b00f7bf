//! Reports to domains about their mail, and theirs to us.

mod arriving;
mod dmarc;
mod tls;

use std::time::Duration;

use koltrix_mail::wire::report::{Found, find};
use sqlx::AssertSqlSafe;
use tokio::sync::OnceCell;

use crate::cli::Program;
use crate::support::postgres;
use crate::support::remote_mx::Received;
use crate::support::server::{REPORTS_FROM, Tenant, server};
use crate::support::wait::within;

/// The organisation that the server's reports are from.
async fn home() -> &'static Tenant {
    static HOME: OnceCell<Tenant> = OnceCell::const_new();
    let make = || async {
        let server = server().await;
        let tenant = server.tenant().await;
        let domain = REPORTS_FROM.rsplit_once('@').unwrap().1;
        sqlx::query(
            "INSERT INTO tenant_domains (tenant_id, domain, verified_at) VALUES ($1, $2, now())",
        )
        .bind(tenant.id)
        .bind(domain)
        .execute(&server.pool)
        .await
        .unwrap();
        Tenant { domain: domain.to_owned(), ..tenant }
    };
    HOME.get_or_init(make).await
}

/// What a query with one number says.
async fn number(query: &str) -> i64 {
    let pool = &server().await.pool;
    sqlx::query_scalar(AssertSqlSafe(query.to_owned())).fetch_one(pool).await.unwrap()
}

/// Waits until a query says `expected`; 30 seconds at most.
async fn until(query: &str, expected: i64) {
    let said = async || Some(number(query).await).filter(|number| *number == expected);
    let in_time = within(Duration::from_secs(30), said).await.is_some();
    assert!(in_time, "{query}: {} is not {expected}", number(query).await);
}

/// How much of `kind` is counted for `domain`.
fn counted(kind: &str, domain: &str) -> String {
    format!(
        "SELECT coalesce(sum(total), 0)::bigint FROM report_counts WHERE kind = '{kind}' AND domain = '{domain}'"
    )
}

/// Tells `domain` of today by the command for that, and waits until it was done.
async fn send(domain: &str) -> serde_json::Value {
    let config = format!(
        "[database]\nurl = {:?}\n[reports]\nfrom = {REPORTS_FROM:?}\n",
        postgres::url().await
    );
    let today = time::OffsetDateTime::now_utc().date();
    let program = Program::with(&config);
    let sent = program.json(&format!("reports send --day {today} --domain {domain}")).await;
    until(&format!("SELECT count(*) FROM due_reports WHERE domain = '{domain}'"), 0).await;
    assert_eq!(number(&counted("dmarc", domain)).await + number(&counted("tls", domain)).await, 0);
    sent
}

/// The header of a message as text, and the report in it.
fn report(message: &Received) -> (String, Found) {
    let header = message.data.split(|b| *b == b'\n').take_while(|line| line.len() > 1);
    let header: Vec<&[u8]> = header.collect();
    let header = String::from_utf8(header.join(&b'\n')).unwrap().replace("\r\n\t", " ");
    (header.replace("\r\n ", " "), find(&message.data).unwrap())
}
