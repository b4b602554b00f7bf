//! What an organisation turned on against strangers.

use super::one;
use crate::support::server::{Tenant, server};
use crate::support::smtp::Smtp;

/// Sets what the organisation wants, as its own tools do: by SQL.
async fn set(tenant: &Tenant, columns: &str, values: &str) {
    let sql = format!(
        "INSERT INTO tenant_mail_settings (tenant_id, {columns}) VALUES ('{}', {values}) RETURNING id",
        tenant.id
    );
    one::<uuid::Uuid>(tenant, &sql).await;
}

/// The answer to RCPT, once it is not `Ok` any more where it was before a change.
async fn rcpt(tenant: &Tenant) -> String {
    let mut smtp = Smtp::greeted(server().await.at.smtp.unwrap()).await;
    smtp.ask("EHLO client.test", "250").await;
    smtp.ask("MAIL FROM:<ann@client.test>", "250").await;
    smtp.send(format!("RCPT TO:<bob@{}>\r\n", tenant.domain)).await;
    smtp.reply().await
}

async fn refused(tenant: &Tenant) -> String {
    let limit = tokio::time::Instant::now() + std::time::Duration::from_secs(20);
    loop {
        let answer = rcpt(tenant).await;
        if !answer.starts_with("250 ") {
            return answer;
        }
        assert!(tokio::time::Instant::now() < limit, "{answer}");
    }
}

#[tokio::test]
async fn who_is_on_a_list_is_refused_with_the_lists_text() {
    let server = server().await;
    let (tenant, other) = (server.tenant().await, server.tenant().await);
    tenant.mailbox("bob").await;
    other.mailbox("bob").await;
    let list = format!("bl-{}.test", uuid::Uuid::new_v4().simple());
    let name = format!("1.0.0.127.{list}");
    server.dns.ip(&name, "127.0.0.2".parse().unwrap()).txt(&name, "https://bl.test/?127.0.0.1");
    set(&tenant, "dns_blocklists", &format!("'{{down.test,{list}}}'")).await;
    assert_eq!(
        refused(&tenant).await,
        format!("550 5.7.1 {list} lists your address 127.0.0.1 https://bl.test/?127.0.0.1")
    );
    // Whoever did not ask for it asks nobody.
    assert_eq!(rcpt(&other).await, "250 2.1.5 Ok");
    // What a list says to resolvers it does not like is no listing.
    let third = server.tenant().await;
    third.mailbox("bob").await;
    let rude = format!("rude-{}.test", uuid::Uuid::new_v4().simple());
    server.dns.ip(&format!("1.0.0.127.{rude}"), "127.255.255.254".parse().unwrap());
    set(&third, "greylisting, dns_blocklists", &format!("true, '{{{rude}}}'")).await;
    assert!(refused(&third).await.starts_with("451 4.7.1 "));
}

#[tokio::test]
async fn a_stranger_comes_again_and_is_a_friend_from_then_on() {
    let tenant = server().await.tenant().await;
    tenant.mailbox("bob").await;
    set(&tenant, "greylisting, greylist_seconds", "true, 86400").await;
    assert!(refused(&tenant).await.starts_with("451 4.7.1 You are new here"));
    assert!(rcpt(&tenant).await.starts_with("451 4.7.1 "), "too early");
    let waited = format!(
        "UPDATE greylist_triplets SET first_seen_at = now() - interval '2 days'
         WHERE tenant_id = '{}' RETURNING id",
        tenant.id
    );
    one::<uuid::Uuid>(&tenant, &waited).await;
    assert_eq!(rcpt(&tenant).await, "250 2.1.5 Ok");
    let again = waited.replace("- interval '2 days'", "");
    one::<uuid::Uuid>(&tenant, &again).await;
    assert_eq!(rcpt(&tenant).await, "250 2.1.5 Ok");
}

#[tokio::test]
async fn what_is_no_zone_is_refused_when_it_is_written() {
    let server = server().await;
    let tenant = server.tenant().await;
    for bad in ["{\"a b.test\"}", "{test}", "{a.test,b.test,c.test,d.test,e.test,f.test}", "{NULL}"]
    {
        let error = sqlx::query(
            "INSERT INTO tenant_mail_settings (tenant_id, dns_blocklists) VALUES ($1, $2::text[])",
        )
        .bind(tenant.id)
        .bind(bad)
        .execute(&server.pool)
        .await
        .unwrap_err();
        assert!(error.to_string().contains("dns_blocklists_check"), "{bad}: {error}");
    }
}
