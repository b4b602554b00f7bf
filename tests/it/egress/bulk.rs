//! Bulk mail: the fields that its readers leave by, and what they do.

use sqlx::Row as _;
use uuid::Uuid;

use crate::support::http::{self, get};
use crate::support::server::{Server, Tenant, server};

/// A bulk row as another program writes one.
async fn bulk(server: &Server, tenant: &Tenant, from: &str, to: &str) -> Uuid {
    sqlx::query_scalar(
        "INSERT INTO outbound_messages (tenant_id, from_address, recipient, subject, text_body, class, campaign_id)
         VALUES ($1, $2, $3, 'News', 'Buy.', 'bulk', '00000000-0000-0000-0000-0000000000c1') RETURNING id",
    )
    .bind(tenant.id)
    .bind(from)
    .bind(to)
    .fetch_one(&server.pool)
    .await
    .unwrap()
}

async fn tracked_at(server: &Server, tenant: &Tenant) -> String {
    let host = format!("go.{}", tenant.domain);
    sqlx::query("UPDATE tenant_domains SET tracking_host = $2 WHERE tenant_id = $1")
        .bind(tenant.id)
        .bind(&host)
        .execute(&server.pool)
        .await
        .unwrap();
    host
}

fn field(message: &[u8], name: &str) -> String {
    let text = String::from_utf8_lossy(message).replace("\r\n ", " ").replace("\r\n\t", " ");
    let start = format!("{name}: ");
    let found: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix(&start)).collect();
    assert_eq!(found.len(), 1, "{name} in {text}");
    found[0].to_owned()
}

async fn post(server: &Server, path: &str, body: &str) -> http::Answer {
    let request = format!(
        "POST {path} HTTP/1.1\r\nHost: track.test\r\nContent-Length: {}\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
    http::raw(server.at.http.unwrap(), request.as_bytes()).await
}

async fn audited(server: &Server, tenant: &Tenant) -> Vec<(String, String)> {
    let rows = sqlx::query(
        "SELECT actor, action FROM audit_logs WHERE tenant_id = $1
           AND action IN ('recipient.unsubscribed', 'suppression.added') ORDER BY action",
    )
    .bind(tenant.id)
    .fetch_all(&server.pool)
    .await
    .unwrap();
    rows.iter().map(|row| (row.get(0), row.get(1))).collect()
}

#[tokio::test]
async fn a_reader_of_bulk_mail_leaves_with_one_click() {
    let server = server().await;
    let tenant = server.sender().await;
    let ann = tenant.mailbox("ann").await;
    let host = tracked_at(server, &tenant).await;
    let (mx, domain) = server.remote(false).await;
    let to = format!("reader@{domain}");
    bulk(server, &tenant, &ann, &to).await;
    let message = mx.wait_for(1).await.remove(0).data;

    assert_eq!(field(&message, "List-Unsubscribe-Post"), "List-Unsubscribe=One-Click");
    let feedback = field(&message, "Feedback-ID");
    let sender = tenant.id.simple().to_string();
    let campaign = "000000000000000000000000000000c1";
    assert_eq!(feedback, format!("{campaign}:{}:bulk:{}", tenant.domain, &sender[..12]));
    let signed = String::from_utf8_lossy(&message).to_ascii_lowercase().replace("\r\n\t", "");
    for name in ["list-unsubscribe:", "list-unsubscribe-post", "feedback-id"] {
        // Once as it is there, once more so that none can be added, in two signatures.
        assert_eq!(signed.matches(name).count(), 1 + 4, "{name}: {signed}");
    }
    let url = field(&message, "List-Unsubscribe");
    let path = url.strip_prefix(&format!("<https://{host}")).and_then(|p| p.strip_suffix('>'));
    let path = path.unwrap_or_else(|| panic!("{url}"));

    // A scanner that looks at it changes nothing.
    let page = get(server.at.http.unwrap(), path).await;
    assert_eq!(page.status, 200);
    assert!(page.text().contains(&to) && page.text().contains("<button"), "{}", page.text());
    assert_eq!(server.suppressed(&tenant, &to).await, Vec::<String>::new());
    assert_eq!(post(server, path, "").await.status, 422);
    assert_eq!(server.suppressed(&tenant, &to).await, Vec::<String>::new());

    for _ in 0..2 {
        let answer = post(server, path, "List-Unsubscribe=One-Click").await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert_eq!(server.suppressed(&tenant, &to).await, ["unsubscribe"]);
    }
    let once = ["recipient.unsubscribed", "suppression.added"];
    let once: Vec<_> = once.map(|action| ("recipient".to_owned(), action.to_owned())).into();
    assert_eq!(audited(server, &tenant).await, once);

    // Bulk stops; what is written to them alone still comes.
    let more = bulk(server, &tenant, &ann, &to).await;
    assert_eq!(server.standing(more).await.state, "suppressed");
    let own = super::Row::new(&ann, &to).insert(&tenant).await;
    server.until(own, "delivered").await;
}

#[tokio::test]
async fn an_unsubscribe_link_that_is_nobodys_is_not_found() {
    let server = server().await;
    for path in ["/u/", "/u/x", &format!("/u/{}", "0".repeat(32))] {
        assert_eq!(get(server.at.http.unwrap(), path).await.status, 404, "{path}");
        let answer = post(server, path, "List-Unsubscribe=One-Click").await;
        assert_eq!(answer.status, 404, "{path}");
    }
    let long = format!("List-Unsubscribe=One-Click&x={}", "x".repeat(5000));
    assert_eq!(post(server, &format!("/u/{}", "0".repeat(32)), &long).await.status, 422);
}

#[tokio::test]
async fn a_retry_offers_the_same_link() {
    let server = server().await;
    let tenant = server.sender().await;
    let ann = tenant.mailbox("ann").await;
    tracked_at(server, &tenant).await;
    let (mx, domain) = server.remote(false).await;
    let id = bulk(server, &tenant, &ann, &format!("again@{domain}")).await;
    mx.wait_for(1).await;
    server.until(id, "delivered").await;
    sqlx::query("UPDATE outbound_messages SET state = 'queued', finished_at = NULL WHERE id = $1")
        .bind(id)
        .execute(&server.pool)
        .await
        .unwrap();
    let received = mx.wait_for(2).await;
    assert_eq!(received[0].data, received[1].data);
}

#[tokio::test]
async fn what_a_list_has_of_its_own_stays() {
    let server = server().await;
    let tenant = server.sender().await;
    let ann = tenant.mailbox("ann").await;
    let (mx, domain) = server.remote(false).await;
    let content = format!(
        "From: {ann}\r\nX-Koltrix-Class: bulk\r\nList-Unsubscribe: <https://own.example/1>\r\n\
         Feedback-ID: a:b:c:owner\r\nSubject: own\r\n\r\nHi.\r\n"
    );
    super::here::submit(server, &ann, &format!("bob@{domain}"), &content).await;
    let message = mx.wait_for(1).await.remove(0).data;
    assert_eq!(field(&message, "List-Unsubscribe"), "<https://own.example/1>");
    assert_eq!(field(&message, "Feedback-ID"), "a:b:c:owner");
}
