//! A message that goes out tracked, and what comes back through it.

use std::borrow::Cow;

use koltrix_mail::domain::ids::{OutboundId, TenantId};
use koltrix_mail::mail;
use koltrix_mail::mail::tracking::instrument::Wanted;
use koltrix_mail::store::Error;

use crate::edge::{delivered, store};
use crate::support::postgres;
use crate::support::sql::strings;

/// The copy of `raw` that this message goes out as.
async fn instrument(
    (tenant, outbound): (TenantId, OutboundId),
    opens: bool,
    clicks: bool,
    raw: &str,
) -> Result<Cow<'_, [u8]>, mail::Error> {
    let wanted = Wanted { tenant, outbound, opens, clicks, base: "http://track.test" };
    // Each time another node, which remembers nothing.
    wanted.instrument(&store().await, raw.as_bytes()).await
}

const HTML: &str = "From: a@here.test\r\nContent-Type: text/html; charset=utf-8\r\n\r\n\
    <body><a href=\"https://a.test/1?x=1&amp;y=2\">one</a> <a href=\"mailto:b@c.test\">mail</a>\
    <a href=\"https://a.test/ü\">two</a></body>\r\n";

#[tokio::test]
async fn a_copy_carries_its_pixel_and_its_links_and_a_retry_is_the_same() {
    let pool = postgres::pool().await;
    let (tenant, outbound) = delivered(&pool).await;
    let message = (tenant, outbound);
    let copy = instrument(message, true, true, HTML).await.unwrap().into_owned();
    let again = instrument(message, true, true, HTML).await;
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
    let message @ (_, outbound) = delivered(&pool).await;
    let none = "SELECT token FROM tracking_tokens WHERE outbound_message_id = ";
    let plain = "From: a@here.test\r\n\r\nhttps://a.test/\r\n";
    for (opens, clicks, raw) in [(false, false, HTML), (true, true, plain)] {
        let copy = instrument(message, opens, clicks, raw).await;
        assert!(matches!(copy.unwrap(), Cow::Borrowed(same) if same == raw.as_bytes()));
    }
    assert!(strings(&pool, &format!("{none}'{outbound}'")).await.is_empty());

    let opens = instrument(message, true, false, HTML).await.unwrap();
    let text = String::from_utf8(opens.into_owned()).unwrap();
    assert!(text.contains("/t/o/") && !text.contains("/t/c/") && text.contains("https://a.test/1"));
}

#[tokio::test]
async fn no_token_is_made_for_somebody_else_s_message() {
    let pool = postgres::pool().await;
    let ((tenant, _), (_, theirs)) = (delivered(&pool).await, delivered(&pool).await);
    for message in [theirs, OutboundId::random()] {
        let copy = instrument((tenant, message), true, true, HTML).await;
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
