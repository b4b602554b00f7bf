//! A message that goes out tracked, and what comes back through it.

use std::borrow::Cow;

use koltrix_mail::domain::ids::{OutboundId, TenantId};
use koltrix_mail::mail;
use koltrix_mail::mail::tracking::Tracking;
use koltrix_mail::store::Error;

use crate::edge::{delivered, store};
use crate::support::postgres;
use crate::support::sql::{run, strings};

async fn tracking() -> Tracking {
    Tracking::new(store().await, "http://track.test").unwrap().0
}

const HTML: &str = "From: a@here.test\r\nContent-Type: text/html; charset=utf-8\r\n\r\n\
    <body><a href=\"https://a.test/1?x=1&amp;y=2\">one</a> <a href=\"mailto:b@c.test\">mail</a>\
    <a href=\"https://a.test/ü\">two</a></body>\r\n";

#[tokio::test]
async fn a_copy_carries_its_pixel_and_its_links_and_a_retry_is_the_same() {
    let pool = postgres::pool().await;
    let (tenant, outbound) = delivered(&pool).await;
    let copy = tracking().await.instrument(tenant, outbound, true, true, HTML.as_bytes()).await;
    let copy = copy.unwrap().into_owned();
    // Another node, which remembers nothing.
    let again = tracking().await.instrument(tenant, outbound, true, true, HTML.as_bytes()).await;
    assert_eq!(again.unwrap(), copy.as_slice());

    let text = String::from_utf8(copy).unwrap().replace("=\r\n", "").replace("=3D", "=");
    let stored = format!(
        "SELECT kind || link_index || ' ' || token || ' ' || coalesce(target_url, '')
         FROM tracking_tokens WHERE outbound_message_id = '{outbound}' ORDER BY kind, link_index"
    );
    let stored = strings(&pool, &stored).await;
    let targets = [
        ("click0", "https://a.test/1?x=1&y=2"),
        ("click1", "https://a.test/%C3%BC"),
        ("open0", ""),
    ];
    assert_eq!(stored.len(), targets.len());
    for (row, (kind, target)) in stored.iter().zip(targets) {
        let [name, token, url] = row.split(' ').collect::<Vec<_>>()[..] else { panic!("{row}") };
        assert_eq!((name, url), (kind, target));
        let path =
            if target.is_empty() { format!("/t/o/{token}.gif") } else { format!("/t/c/{token}") };
        assert_eq!(text.matches(&format!("http://track.test{path}")).count(), 1, "{text}");
    }
    assert!(text.contains("mailto:b@c.test") && !text.contains("https://a.test"));
}

#[tokio::test]
async fn what_is_not_asked_for_is_not_tracked() {
    let pool = postgres::pool().await;
    let (tenant, outbound) = delivered(&pool).await;
    let tracking = tracking().await;
    let none = "SELECT token FROM tracking_tokens WHERE outbound_message_id = ";
    let plain = "From: a@here.test\r\n\r\nhttps://a.test/\r\n";
    for (opens, clicks, raw) in [(false, false, HTML), (true, true, plain)] {
        let copy = tracking.instrument(tenant, outbound, opens, clicks, raw.as_bytes()).await;
        assert!(matches!(copy.unwrap(), Cow::Borrowed(same) if same == raw.as_bytes()));
    }
    assert!(strings(&pool, &format!("{none}'{outbound}'")).await.is_empty());

    let opens = tracking.instrument(tenant, outbound, true, false, HTML.as_bytes()).await.unwrap();
    let text = String::from_utf8(opens.into_owned()).unwrap();
    assert!(text.contains("/t/o/") && !text.contains("/t/c/") && text.contains("https://a.test/1"));
}

#[tokio::test]
async fn a_domain_with_a_tracking_host_uses_it_once_it_is_proven() {
    let pool = postgres::pool().await;
    let (tenant, outbound) = delivered(&pool).await;
    let domain = format!("d{}.test", uuid::Uuid::new_v4().simple());
    run(
        &pool,
        &format!(
            "INSERT INTO tenant_domains (tenant_id, domain, tracking_host) VALUES ('{tenant}', '{domain}', 'links.{domain}');
             UPDATE outbound_messages SET from_address = 'A@{domain}' WHERE id = '{outbound}'"
        ),
    )
    .await;
    let copy = || async {
        let copy =
            tracking().await.instrument(tenant, outbound, true, false, HTML.as_bytes()).await;
        String::from_utf8(copy.unwrap().into_owned()).unwrap().replace("=\r\n", "")
    };
    assert!(copy().await.contains("http://track.test/t/o/"));
    run(&pool, &format!("UPDATE tenant_domains SET verified_at = now() WHERE domain = '{domain}'"))
        .await;
    assert!(copy().await.contains(&format!("https://links.{domain}/t/o/")));
}

#[tokio::test]
async fn no_token_is_made_for_somebody_else_s_message() {
    let pool = postgres::pool().await;
    let ((tenant, _), (_, theirs)) = (delivered(&pool).await, delivered(&pool).await);
    for message in [theirs, OutboundId::random()] {
        let copy = tracking().await.instrument(tenant, message, true, true, HTML.as_bytes()).await;
        assert!(matches!(copy, Err(mail::Error::NotFound(_))), "{copy:?}");
    }
}

#[tokio::test]
async fn a_link_never_changes_where_it_leads() {
    let pool = postgres::pool().await;
    let (tenant, outbound) = delivered(&pool).await;
    let db = store().await;
    let links = |target: &str| vec![target.to_owned()];
    let made = db.ensure_tracking_tokens(tenant, outbound, false, &links("https://a.test/1")).await;
    let made = made.unwrap();
    let other = db.ensure_tracking_tokens(tenant, outbound, false, &links("https://b.test/")).await;
    assert!(matches!(other, Err(Error::Corrupt(_))), "{other:?}");
    let more = vec!["https://a.test/1".to_owned(), "https://a.test/2".to_owned()];
    let more = db.ensure_tracking_tokens(tenant, outbound, true, &more).await.unwrap();
    assert_eq!((more.clicks.len(), &more.clicks[0]), (2, &made.clicks[0]));
    let elsewhere = db.ensure_tracking_tokens(TenantId::random(), outbound, true, &[]).await;
    assert!(matches!(elsewhere, Err(Error::NotFound)));
}
