//! Subscribers of lists that want consent: asked by mail, confirmed by a button.

use std::time::Duration;

use uuid::Uuid;

use crate::support::http::{Answer, BROWSER, get, raw};
use crate::support::server::{Server, Tenant, server};
use crate::support::sql::{run, strings};
use crate::support::wait;

/// Somebody subscribes, as another program writes it; the list and the subscriber.
async fn subscribe(tenant: &Tenant, address: &str, double_opt_in: bool) -> (Uuid, Uuid) {
    let schema = &tenant.schema;
    let (list, id) = (Uuid::new_v4(), Uuid::new_v4());
    let statements = format!(
        "INSERT INTO {schema}.newsletter_lists (id, name, double_opt_in) VALUES ('{list}', 'News & \"more\" {list}', {double_opt_in});
         INSERT INTO {schema}.newsletter_subscribers (id, list_id, address) VALUES ('{id}', '{list}', '{address}')"
    );
    run(&server().await.pool, &statements).await;
    (list, id)
}

async fn status(tenant: &Tenant, id: Uuid) -> String {
    let query = format!(
        "SELECT status || CASE WHEN confirmed_at IS NULL THEN '' ELSE ', confirmed' END
         FROM {}.newsletter_subscribers WHERE id = '{id}'",
        tenant.schema
    );
    strings(&server().await.pool, &query).await.remove(0)
}

async fn post(path: &str) -> Answer {
    let request = format!(
        "POST {path} HTTP/1.1\r\nHost: x\r\nUser-Agent: {BROWSER}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    );
    raw(server().await.at.http.unwrap(), request.as_bytes()).await
}

impl Server {
    /// Runs a query of strings about one organisation.
    async fn of_tenant(&self, tenant: &Tenant, query: &str) -> Vec<String> {
        strings(&self.pool, &query.replace("$1", &format!("'{}'", tenant.id))).await
    }
}

#[tokio::test]
async fn whoever_subscribes_is_asked_and_comes_in_by_the_button() {
    let server = server().await;
    let tenant = server.sender().await;
    let (mx, domain) = server.remote(false).await;
    let reader = format!("reader@{domain}");
    let suppressed = format!(
        "INSERT INTO suppression_list (tenant_id, address, reason) VALUES ('{}', '{reader}', 'unsubscribe')",
        tenant.id
    );
    run(&server.pool, &suppressed).await;
    let (_, subscriber) = subscribe(&tenant, &reader, true).await;

    let mail = String::from_utf8(mx.wait_for(1).await.remove(0).data).unwrap();
    assert!(mail.contains(&format!("From: <newsletter@{}>\r\n", tenant.domain)), "{mail}");
    let at = mail.find("/confirm/").unwrap_or_else(|| panic!("{mail}"));
    let path = mail[at..].lines().next().unwrap();

    // A scanner that looks at it changes nothing.
    let page = get(server.at.http.unwrap(), path).await;
    assert_eq!(page.status, 200, "{mail}");
    assert!(page.text().contains("News &amp; &quot;more&quot;"), "{}", page.text());
    assert!(page.text().contains(&reader) && page.text().contains("<button"), "{}", page.text());
    assert_eq!(status(&tenant, subscriber).await, "pending");

    for _ in 0..2 {
        let answer = post(path).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert_eq!(status(&tenant, subscriber).await, "active, confirmed");
    }
    assert!(!get(server.at.http.unwrap(), path).await.text().contains("<button"));
    let proof = "SELECT host(confirmed_ip) || ' ' || confirmed_user_agent FROM newsletter_confirm_tokens WHERE tenant_id = $1";
    assert_eq!(server.of_tenant(&tenant, proof).await, [format!("127.0.0.1 {BROWSER}")]);
    let once = "SELECT actor || ' ' || action FROM audit_logs WHERE tenant_id = $1 AND action LIKE 'subscriber.%'";
    assert_eq!(server.of_tenant(&tenant, once).await, ["recipient subscriber.confirmed"]);
    let event =
        "SELECT event FROM analytics_events WHERE tenant_id = $1 AND event LIKE 'subscriber.%'";
    assert_eq!(server.of_tenant(&tenant, event).await, ["subscriber.confirmed"]);
    let left = "SELECT address FROM suppression_list WHERE tenant_id = $1";
    assert_eq!(server.of_tenant(&tenant, left).await, Vec::<String>::new());
}

#[tokio::test]
async fn a_link_holds_for_seven_days_and_what_is_no_link_is_not_found() {
    let server = server().await;
    let tenant = server.sender().await;
    let (_mx, domain) = server.remote(false).await;
    let (_, subscriber) = subscribe(&tenant, &format!("late@{domain}"), true).await;
    let age = "UPDATE newsletter_confirm_tokens SET created_at = now() - interval '8 days', expires_at = now() - interval '1 day'
               WHERE tenant_id = $1 RETURNING '/confirm/' || token";
    let path = server.of_tenant(&tenant, age).await.remove(0);
    for answer in [get(server.at.http.unwrap(), &path).await, post(&path).await] {
        assert_eq!(answer.status, 422);
        assert!(answer.text().contains("seven days"), "{}", answer.text());
    }
    assert_eq!(status(&tenant, subscriber).await, "pending");
    for path in ["/confirm/", "/confirm/x", &format!("/confirm/{}", "0".repeat(32))] {
        assert_eq!(get(server.at.http.unwrap(), path).await.status, 404, "{path}");
        assert_eq!(post(path).await.status, 404, "{path}");
    }
}

#[tokio::test]
async fn nobody_is_asked_twice_or_without_need() {
    let server = server().await;
    let tenant = server.sender().await;
    let (_mx, domain) = server.remote(false).await;
    subscribe(&tenant, &format!("simple@{domain}"), false).await;
    // A program that asks by itself writes the token with the subscriber.
    let schema = &tenant.schema;
    let own = format!(
        "BEGIN;
         INSERT INTO {schema}.newsletter_subscribers (list_id, address)
            SELECT id, 'own@{domain}' FROM {schema}.newsletter_lists;
         UPDATE {schema}.newsletter_lists SET double_opt_in = true;
         INSERT INTO newsletter_confirm_tokens (tenant_id, token, list_id, subscriber_id, asked_at)
            SELECT '{}', replace(gen_random_uuid()::text, '-', ''), list_id, id, now()
            FROM {schema}.newsletter_subscribers WHERE address = 'own@{domain}';
         COMMIT",
        tenant.id
    );
    run(&server.pool, &own).await;
    let (_, asked) = subscribe(&tenant, &format!("asked@{domain}"), true).await;
    let tokens = "SELECT count(*)::text FROM newsletter_confirm_tokens WHERE tenant_id = $1";
    assert_eq!(server.of_tenant(&tenant, tokens).await, ["2"]);
    let all = "SELECT recipient FROM outbound_messages WHERE tenant_id = $1";
    let someone = async || !server.of_tenant(&tenant, all).await.is_empty();
    wait::until("asked", Duration::from_secs(30), someone).await;
    assert_eq!(server.of_tenant(&tenant, all).await, [format!("asked@{domain}")]);
    assert_eq!(status(&tenant, asked).await, "pending");
}
