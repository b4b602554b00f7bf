//! What clients and other servers ask about a domain.

use koltrix_mail::wire::mta_sts::{Mode, Policy};

use crate::support::http::{Answer, raw};
use crate::support::server::server;

async fn ask(host: &str, request: &str, body: &str) -> Answer {
    let addr = server().await.at.http.unwrap();
    let length = body.len();
    let head = format!(
        "{request} HTTP/1.1\r\nHost: {host}:8080\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
    );
    raw(addr, format!("{head}{body}").as_bytes()).await
}

#[tokio::test]
async fn the_policy_of_tls_is_there_for_proven_domains() {
    let server = server().await;
    let tenant = server.tenant().await;
    let path = "GET /.well-known/mta-sts.txt";
    let answer = ask(&format!("MTA-STS.{}", tenant.domain), path, "").await;
    assert_eq!((answer.status, answer.header("content-type")), (200, "text/plain; charset=utf-8"));
    let policy = Policy::parse(&answer.body).unwrap();
    assert_eq!((policy.mode, &*policy.mx), (Mode::Testing, &["mx.koltrix.test".to_owned()][..]));

    let claimed = format!("claimed.{}", tenant.domain);
    sqlx::query("INSERT INTO tenant_domains (tenant_id, domain) VALUES ($1, $2)")
        .bind(tenant.id)
        .bind(&claimed)
        .execute(&server.pool)
        .await
        .unwrap();
    for host in [&*tenant.domain, &format!("mta-sts.{claimed}"), "mta-sts.nowhere.test", "..", ""] {
        assert_eq!(ask(host, path, "").await.status, 404, "{host}");
    }
}

#[tokio::test]
async fn thunderbird_finds_its_settings() {
    let tenant = server().await.tenant().await;
    let (subdomain, of_domain) =
        ("/mail/config-v1.1.xml", "/.well-known/autoconfig/mail/config-v1.1.xml");
    let address = format!("ann%40{}", tenant.domain);
    for (host, path) in [
        (format!("autoconfig.{}", tenant.domain), subdomain.to_owned()),
        (tenant.domain.clone(), of_domain.to_owned()),
        ("else.test".to_owned(), format!("{subdomain}?emailaddress={address}")),
    ] {
        let answer = ask(&host, &format!("GET {path}"), "").await;
        assert_eq!(answer.status, 200, "{host}{path}");
        let text = answer.text();
        assert!(text.contains(&format!("<domain>{}</domain>", tenant.domain)), "{text}");
        assert_eq!(text.matches("<hostname>mx.koltrix.test</hostname>").count(), 4, "{text}");
        assert!(!text.contains("{{"), "{text}");
    }
    assert_eq!(ask("autoconfig.nowhere.test", &format!("GET {subdomain}"), "").await.status, 404);
}

#[tokio::test]
async fn outlook_finds_its_settings() {
    let tenant = server().await.tenant().await;
    let address = format!("ann@{}", tenant.domain);
    let question = |address: &str| {
        format!(
            "<?xml version=\"1.0\" encoding=\"utf-8\"?>\
             <Autodiscover xmlns=\"http://schemas.microsoft.com/exchange/autodiscover/outlook/requestschema/2006\">\
             <Request><EMailAddress>{address}</EMailAddress><AcceptableResponseSchema>\
             http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a\
             </AcceptableResponseSchema></Request></Autodiscover>"
        )
    };
    let path = "POST /autodiscover/autodiscover.xml";
    let answer = ask("x.test", path, &question(&address)).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert!(answer.text().contains(&format!("<LoginName>{address}</LoginName>")));
    assert_eq!(ask("x.test", path, &question("ann@nowhere.test")).await.status, 404);
    for bad in ["", "<x", "<Autodiscover/>", &"<a>".repeat(10_000)] {
        assert_eq!(ask("x.test", path, bad).await.status, 422, "{bad:.20}");
    }
    let path =
        format!("GET /autodiscover/autodiscover.json/v1.0/{address}?Protocol=AutodiscoverV1");
    let answer = ask("x.test", &path, "").await;
    assert!(answer.text().contains("/autodiscover/autodiscover.xml"), "{answer:?}");
}

#[tokio::test]
async fn apple_s_profile_is_escaped_and_the_same_each_time() {
    let tenant = server().await.tenant().await;
    let path = format!("GET /mail/apple.mobileconfig?email=%3Cann%26%3E%40{}", tenant.domain);
    let answer = ask("x.test", &path, "").await;
    assert_eq!(answer.header("content-type"), "application/x-apple-aspen-config");
    let name = format!("<string>&lt;ann&amp;&gt;@{}</string>", tenant.domain);
    assert_eq!(answer.text().matches(&name).count(), 5, "{}", answer.text());
    assert_eq!(ask("x.test", &path, "").await.body, answer.body);
}
