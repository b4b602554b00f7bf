//! Health, the page for people, and the bounds on a request.

use crate::support::http::{get, raw};
use crate::support::server::server;

#[tokio::test]
async fn health_tells_what_is_there() {
    let addr = server().await.at.http.unwrap();
    let alive = get(addr, "/healthz").await;
    assert_eq!((alive.status, alive.text()), (200, "ok\n"));
    let ready = get(addr, "/readyz").await;
    assert_eq!((ready.status, ready.text()), (200, "database: ok\nobjects: ok\nqueue: ok\n"));
}

#[tokio::test]
async fn the_page_tells_the_ports_that_were_bound() {
    let at = server().await.at;
    let page = get(at.http.unwrap(), "/").await;
    assert_eq!((page.status, page.header("content-type")), (200, "text/html; charset=utf-8"));
    let submission = [at.submission_starttls, at.submission_tls];
    let imap = [at.imap_starttls, at.imap_tls];
    for bound in [at.smtp, at.http, at.https].into_iter().chain(submission).chain(imap) {
        let port = format!("<code>{}</code>", bound.unwrap().port());
        assert!(page.text().contains(&port), "{port}");
    }
    assert!(page.text().contains("mx.koltrix.test") && !page.text().contains("{{"));
    let style = get(at.http.unwrap(), "/style.css").await;
    assert_eq!((style.status, style.header("content-type")), (200, "text/css; charset=utf-8"));
}

#[tokio::test]
async fn every_answer_keeps_a_browser_on_a_short_leash() {
    let addr = server().await.at.http.unwrap();
    for path in ["/", "/style.css", "/healthz", "/readyz", "/t/o/x.gif", "/t/c/x", "/nowhere"] {
        let answer = get(addr, path).await;
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(answer.header("referrer-policy"), "no-referrer", "{path}");
        assert!(
            answer.header("content-security-policy").starts_with("default-src 'none'"),
            "{path}"
        );
        assert!(!answer.header("cache-control").is_empty(), "{path}");
        assert_eq!((answer.header("server"), answer.header("set-cookie")), ("", ""), "{path}");
    }
}

#[tokio::test]
async fn a_request_s_head_is_bounded() {
    let addr = server().await.at.http.unwrap();
    let long = format!("GET /healthz HTTP/1.1\r\nHost: x\r\nX: {}\r\n\r\n", "y".repeat(20_000));
    assert_eq!(raw(addr, long.as_bytes()).await.status, 431);
    let many = format!("GET /healthz HTTP/1.1\r\nHost: x\r\n{}\r\n", "X: y\r\n".repeat(100));
    assert_eq!(raw(addr, many.as_bytes()).await.status, 431);
    let long = format!("GET /{} HTTP/1.1\r\nHost: x\r\n\r\n", "y".repeat(20_000));
    assert!([414, 431].contains(&raw(addr, long.as_bytes()).await.status));
    assert_eq!(raw(addr, b"\0\xff nonsense\r\n\r\n").await.status, 400);
    assert_eq!(get(addr, "/healthz").await.status, 200);
}

#[tokio::test]
async fn a_body_is_not_read() {
    let addr = server().await.at.http.unwrap();
    let head = "POST /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000000\r\n\r\n";
    assert_eq!(raw(addr, head.as_bytes()).await.status, 405);
}
