//! Pixels and links over HTTP: what is answered, and what stands in the
//! database the moment it is.

use std::net::SocketAddr;

use crate::edge::{Counts, counts, delivered, tokens};
use crate::support::http::{BROWSER, ask, get};
use crate::support::postgres;
use crate::support::server::server;
use crate::support::sql::strings;

async fn edge() -> (SocketAddr, sqlx::PgPool) {
    (server().await.at.http.unwrap(), postgres::pool().await)
}

fn is_pixel(answer: &crate::support::http::Answer) -> bool {
    answer.status == 200
        && answer.body.len() == 43
        && answer.body.starts_with(b"GIF89a")
        && answer.header("content-type") == "image/gif"
        && answer.header("cache-control") == "no-store"
        && answer.header("content-length") == "43"
}

#[tokio::test]
async fn the_pixel_is_answered_whatever_happens() {
    let (addr, pool) = edge().await;
    let message = delivered(&pool).await;
    let known = tokens(message, &["https://a.test/"]).await;
    let open = known.open.unwrap();
    for path in [
        format!("/t/o/{}.gif", open.as_str()),
        format!("/t/o/{}.gif", "0".repeat(32)),
        format!("/t/o/{}.gif", open.as_str().to_uppercase()),
        format!("/t/o/{}.gif", known.clicks[0].as_str()),
        "/t/o/.gif".to_owned(),
        "/t/o/x".to_owned(),
        "/t/o/a/b/../c.gif".to_owned(),
        "/t/o/%00%ff.gif".to_owned(),
        format!("/t/o/{}.gif?x=https://evil.test/", open.as_str()),
        format!("/t/o/{}", "x".repeat(4000)),
    ] {
        let answer = get(addr, &path).await;
        assert!(is_pixel(&answer), "{path:.80}: {answer:?}");
    }
    assert_eq!(counts(&pool, message.1).await.message, (2, 0));
}

#[tokio::test]
async fn an_answered_hit_is_there_already() {
    let (addr, pool) = edge().await;
    let message = delivered(&pool).await;
    let known = tokens(message, &["https://a.test/1", "https://a.test/2?q=ü&x=1"]).await;
    let (pixel, links) = (known.open.unwrap(), known.clicks);
    for n in 1..=3 {
        assert!(is_pixel(&get(addr, &format!("/t/o/{}.gif", pixel.as_str())).await));
        let found = counts(&pool, message.1).await;
        assert_eq!((found.message.0, found.people.0, found.legacy.0), (n, n.into(), n.into()));
    }
    let answer = get(addr, &format!("/t/c/{}", links[1].as_str())).await;
    assert_eq!((answer.status, answer.header("location")), (302, "https://a.test/2?q=%C3%BC&x=1"));
    assert_eq!(answer.header("cache-control"), "no-store");
    let all = (3, 1);
    let expected = Counts { message: all, people: (3, 1), events: (3, 1), legacy: (3, 1) };
    assert_eq!(counts(&pool, message.1).await, expected);

    let evidence = format!(
        "SELECT concat_ws(' ', class, properties ->> 'rule', properties ->> 'fetch', properties ->> 'ip',
            properties ->> 'link_index', properties ->> 'url', (properties ->> 'seconds_since_delivery')::int > 3500)
         FROM analytics_events WHERE outbound_message_id = '{}' AND event = 'email.clicked'",
        message.1
    );
    let expected = "human agent:Mozilla/5.0 ( get 127.0.0.1 1 https://a.test/2?q=ü&x=1 t";
    assert_eq!(strings(&pool, &evidence).await, [expected]);
    let firsts = format!(
        "SELECT 'x' FROM outbound_messages WHERE id = '{}' AND first_opened_at < first_clicked_at AND first_opened_at > now() - interval '1 minute'",
        message.1
    );
    assert_eq!(strings(&pool, &firsts).await.len(), 1);
}

#[tokio::test]
async fn nothing_but_a_stored_target_is_redirected_to() {
    let (addr, pool) = edge().await;
    let message = delivered(&pool).await;
    let known = tokens(message, &["https://a.test/1"]).await;
    let (pixel, link) = (known.open.unwrap(), &known.clicks[0]);
    let unknown = get(addr, &format!("/t/c/{}", "0".repeat(32))).await;
    assert_eq!((unknown.status, unknown.header("location")), (404, ""));
    for path in [
        format!("/t/c/{}", pixel.as_str()),
        format!("/t/c/{}", link.as_str().to_uppercase()),
        format!("/t/c/{}0", link.as_str()),
        "/t/c/x".to_owned(),
        "/t/c/%ff".to_owned(),
        "/t/c/https%3A%2F%2Fevil.test%2F".to_owned(),
        "/t/c/?url=https://evil.test/".to_owned(),
        "/t/c/%0d%0aLocation:%20https://evil.test".to_owned(),
        "//evil.test/".to_owned(),
        "/nowhere".to_owned(),
    ] {
        let answer = get(addr, &path).await;
        // A wrong token and an unknown one look the same; only the date may differ.
        let without_date = |answer: &crate::support::http::Answer| {
            let mut answer = answer.clone();
            answer.headers.retain(|(name, _)| name != "date");
            answer
        };
        assert_eq!(without_date(&answer), without_date(&unknown), "{path}");
        assert!(!answer.text().contains("evil"));
    }
    for extra in ["?url=https://evil.test/", "?to=//evil.test", "#x"] {
        let answer = get(addr, &format!("/t/c/{}{extra}", link.as_str())).await;
        assert_eq!(answer.header("location"), "https://a.test/1");
    }
    let post = ask(addr, "POST", &format!("/t/c/{}", link.as_str()), BROWSER).await;
    assert_eq!((post.status, post.header("location")), (405, ""));
}

#[tokio::test]
async fn every_hit_is_graded_and_only_people_are_counted() {
    let (addr, pool) = edge().await;
    let message = delivered(&pool).await;
    let known = tokens(message, &["https://a.test/1"]).await;
    let pixel = format!("/t/o/{}.gif", known.open.unwrap().as_str());
    let link = format!("/t/c/{}", known.clicks[0].as_str());
    let proxy =
        "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)";
    for (method, path, agent) in [
        ("GET", &pixel, proxy),
        ("GET", &pixel, "Mozilla/5.0"),
        ("GET", &link, "python-requests/2.32"),
        ("GET", &link, "something never heard of"),
        ("HEAD", &link, BROWSER),
        ("HEAD", &pixel, BROWSER),
    ] {
        let answer = ask(addr, method, path, agent).await;
        assert!([200, 302].contains(&answer.status));
        assert_eq!(answer.body.is_empty(), method == "HEAD" || answer.status == 302);
    }
    let prefetch = format!(
        "GET {link} HTTP/1.1\r\nHost: x\r\nUser-Agent: {BROWSER}\r\nSec-Purpose: prefetch;prerender\r\nConnection: close\r\n\r\n"
    );
    assert_eq!(crate::support::http::raw(addr, prefetch.as_bytes()).await.status, 302);

    let expected = Counts { message: (0, 0), people: (0, 0), events: (3, 4), legacy: (2, 3) };
    assert_eq!(counts(&pool, message.1).await, expected);
    let classes = format!(
        "SELECT class || ' ' || (properties ->> 'rule') FROM analytics_events WHERE outbound_message_id = '{}' ORDER BY occurred_at",
        message.1
    );
    assert_eq!(
        strings(&pool, &classes).await,
        [
            "image_proxy agent:GoogleImageProxy",
            "privacy_prefetch agent:=Mozilla/5.0",
            "security_scanner agent:python-",
            "unknown none",
            "security_scanner head",
            "security_scanner head",
            "privacy_prefetch prefetch",
        ]
    );
}

#[tokio::test]
async fn many_hits_at_once_are_each_counted_once() {
    let (addr, pool) = edge().await;
    let message = delivered(&pool).await;
    let known = tokens(message, &["https://a.test/1"]).await;
    let pixel = format!("/t/o/{}.gif", known.open.unwrap().as_str());
    let mut visitors = tokio::task::JoinSet::new();
    for _ in 0..200 {
        let pixel = pixel.clone();
        visitors.spawn(async move { is_pixel(&get(addr, &pixel).await) });
    }
    while let Some(visitor) = visitors.join_next().await {
        assert!(visitor.unwrap());
    }
    let expected =
        Counts { message: (200, 0), people: (200, 0), events: (200, 0), legacy: (200, 0) };
    assert_eq!(counts(&pool, message.1).await, expected);
}

#[tokio::test]
async fn the_sender_s_own_copy_is_its_own_view() {
    let (addr, pool) = edge().await;
    let message = delivered(&pool).await;
    sqlx::query(
        "UPDATE outbound_messages SET from_address = 'Reader@Elsewhere.test' WHERE id = $1",
    )
    .bind(message.1.0)
    .execute(&pool)
    .await
    .unwrap();
    let known = tokens(message, &[]).await;
    get(addr, &format!("/t/o/{}.gif", known.open.unwrap().as_str())).await;
    let expected = Counts { message: (0, 0), people: (0, 0), events: (1, 0), legacy: (1, 0) };
    assert_eq!(counts(&pool, message.1).await, expected);
}
