//! The numbers for whoever watches.

use std::time::Duration;

use super::Row;
use crate::support::http::get;
use crate::support::server::server;
use crate::support::smtp::Smtp;
use crate::support::wait;

/// The value of the line that begins so; 0 without one.
fn value(page: &str, line: &str) -> u64 {
    let found = page.lines().find_map(|text| text.strip_prefix(line)?.strip_prefix(' '));
    found.map_or(0, |value| value.parse().unwrap())
}

async fn page() -> String {
    let answer = get(server().await.at.metrics.unwrap(), "/metrics").await;
    assert_eq!(
        (answer.status, answer.header("content-type")),
        (200, "text/plain; version=0.0.4; charset=utf-8")
    );
    answer.text().to_owned()
}

#[tokio::test]
async fn what_leaves_is_counted_by_receiver_and_organisation() {
    let server = server().await;
    let tenant = server.sender().await;
    let ann = tenant.mailbox("ann").await;
    let (_mx, domain) = server.remote(false).await;
    Row::new(&ann, &format!("bob@{domain}")).insert(&tenant).await;
    let line =
        format!("koltrix_outbound_tenant_total{{tenant=\"{}\",outcome=\"delivered\"}}", tenant.id);
    wait::until("the delivery is counted", Duration::from_secs(20), async || {
        value(&page().await, &line) == 1
    })
    .await;
    // Other tests send as well: the receiver has a line of its own, or is one of the others.
    let page = page().await;
    let own = format!("koltrix_outbound_total{{destination=\"{domain}\",outcome=\"delivered\"}}");
    let rest = "koltrix_outbound_total{destination=\"other\",outcome=\"delivered\"}";
    assert!(value(&page, &own) == 1 || value(&page, rest) >= 1, "{page}");
    assert_eq!(value(&page, "koltrix_database_up"), 1);
    for state in ["queued", "due", "sending", "held"] {
        assert!(page.contains(&format!("koltrix_queue_messages{{state=\"{state}\"}} ")), "{state}");
        assert!(page.contains(&format!("koltrix_queue_oldest_seconds{{state=\"{state}\"}} ")));
    }
}

#[tokio::test]
async fn what_comes_is_counted_by_its_answer() {
    let server = server().await;
    let ann = server.tenant().await.mailbox("ann").await;
    let line = "koltrix_received_total{listener=\"smtp\",outcome=\"accepted\"}";
    let before = value(&page().await, line);
    let mut client = Smtp::greeted(server.at.smtp.unwrap()).await;
    client.ask("EHLO x.test", "250").await;
    client
        .deliver(
            "x@elsewhere.test",
            &[&ann],
            b"From: x@elsewhere.test\r\nSubject: counted\r\n\r\nHello\r\n",
        )
        .await;
    assert!(value(&page().await, line) > before);
}

#[tokio::test]
async fn an_open_connection_is_counted() {
    let server = server().await;
    let line = "koltrix_connections_total{listener=\"smtp\"}";
    let before = value(&page().await, line);
    let _client = Smtp::greeted(server.at.smtp.unwrap()).await;
    let page = page().await;
    assert!(value(&page, line) > before, "{page}");
    assert!(value(&page, "koltrix_connections{listener=\"smtp\"}") >= 1);
    assert!(value(&page, "koltrix_database_connections_limit") >= 1);
}

#[tokio::test]
async fn the_numbers_are_on_no_other_address() {
    let at = server().await.at;
    assert_eq!(get(at.http.unwrap(), "/metrics").await.status, 404);
    assert_eq!(get(at.metrics.unwrap(), "/").await.status, 404);
}
