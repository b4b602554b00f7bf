//! Certificates by ACME: asked for, proven through our own edge, in use without a restart.

use std::sync::Arc;

use koltrix_mail::app;
use koltrix_mail::net::tls::Roots;
use koltrix_mail::store::db::Db;
use koltrix_mail::store::embedded::Durability;
use koltrix_mail::store::migrate::{MIGRATIONS, migrate};

use crate::support::acme::AcmeServer;
use crate::support::http;
use crate::support::postgres;
use crate::support::remote_mx::trusted_roots;
use crate::support::server::{configuration, server};
use crate::support::smtp::Smtp;

#[tokio::test]
async fn a_name_is_proven_and_its_certificate_is_used_at_once() {
    let acme = AcmeServer::start().await;
    let folder = postgres::folder().join(format!("node-{}", uuid::Uuid::new_v4().simple()));
    let (dns, url) = (&server().await.dns, postgres::empty_database().await);
    let mut config = configuration(&folder, &url, dns.addr(), 25);
    // The edge has to be known before it is asked.
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    config.http.listen = free;
    acme.prove_at(free);
    config.acme.directory = acme.directory();
    config.acme.contact = "postmaster@acme.test".to_owned();
    config.acme.names = vec!["mail.acme.test".to_owned()];
    // Of this domain one name leads here, one elsewhere; of the other one nothing is proven.
    config.http.public_url = serde_json::from_str("\"https://edge.acme.test\"").unwrap();
    let pool = sqlx::PgPool::connect(&url).await.unwrap();
    migrate(&Db::connect(&url, 1).await.unwrap(), MIGRATIONS).await.unwrap();
    let tenant = postgres::organisation(&pool).await.id;
    sqlx::query(
        "INSERT INTO tenant_domains (tenant_id, domain, verified_at)
         VALUES ($1, 'proven.acme.test', now()), ($1, 'claimed.acme.test', NULL)",
    )
    .bind(tenant)
    .execute(&pool)
    .await
    .unwrap();
    let (here, elsewhere) = ("127.0.0.1".parse().unwrap(), "127.0.0.2".parse().unwrap());
    dns.ip("edge.acme.test", here).ip("mta-sts.proven.acme.test", here);
    dns.ip("autoconfig.proven.acme.test", elsewhere).ip("mta-sts.claimed.acme.test", here);
    config.acme.root = trusted_roots().into();
    let roles = "smtp,edge".parse().unwrap();
    let node =
        Box::pin(app::start(Arc::new(config.clone()), roles, Durability::None)).await.unwrap();

    let at = node.addresses.submission_tls.unwrap();
    let roots = Roots::load(trusted_roots().as_ref()).unwrap();
    for name in ["mail.acme.test", "mta-sts.proven.acme.test", "mx.koltrix.test"] {
        let proven = async || {
            let smtp = Smtp::connect(at).await.handshake_with(name).await.unwrap();
            smtp.proves(&roots, name)
        };
        while !proven().await {}
    }
    let https = node.addresses.https.unwrap();
    let policy = "/.well-known/mta-sts.txt";
    let policy = http::get_tls(https, "mta-sts.proven.acme.test", policy).await;
    assert!(policy.text().contains("mx: mx.koltrix.test\r\n"), "{policy:?}");
    let mut issued = acme.issued();
    issued.sort();
    assert_eq!(issued, ["mail.acme.test", "mta-sts.proven.acme.test", "mx.koltrix.test"]);
    let unknown = http::get(free, "/.well-known/acme-challenge/token-0").await;
    assert_eq!(unknown.status, 404);
    node.stop().await;

    // Started again, it has what it needs: nothing is asked for twice.
    let node = Box::pin(app::start(Arc::new(config), roles, Durability::None)).await.unwrap();
    let at = node.addresses.submission_tls.unwrap();
    let smtp = Smtp::connect(at).await.handshake_with("mail.acme.test").await.unwrap();
    assert!(smtp.proves(&roots, "mail.acme.test"));
    assert_eq!(acme.issued().len(), 3);
}
