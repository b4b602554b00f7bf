//! Domains: their keys, their records, their proof.

mod rotation;

use std::net::Ipv4Addr;
use std::time::Duration;

use hickory_server::proto::rr::rdata::SRV;
use hickory_server::proto::rr::{Name, RData};
use koltrix_mail::domain::ids::TenantId;
use koltrix_mail::mail::Error;
use koltrix_mail::mail::domains::{Domains, Kind, Purpose, Record, Site, State};
use koltrix_mail::net::dns::Resolver;
use koltrix_mail::store::db::Db;
use sqlx::PgPool;

use crate::support::postgres::{self, organisation};
use crate::support::server::{Server, configuration, server};
use crate::support::wait::within;

/// What `probe` answers, once it does.
async fn eventually<T>(probe: impl AsyncFn() -> Option<T>) -> T {
    within(Duration::from_mins(1), probe).await.expect("it happens within a minute")
}

/// The keys of a domain, once the server has made them.
async fn keys(pool: &PgPool, domain: &str) -> Vec<(String, String)> {
    eventually(async || {
        let rows: Vec<(String, String)> = sqlx::query_as(
            "SELECT k.algorithm, k.selector FROM domain_keys k
             JOIN tenant_domains d ON d.id = k.domain_id
             WHERE d.domain = $1 AND k.state = 'active' ORDER BY k.algorithm",
        )
        .bind(domain)
        .fetch_all(pool)
        .await
        .unwrap();
        (rows.len() == 2).then_some(rows)
    })
    .await
}

#[tokio::test]
async fn a_domain_inserted_by_sql_alone_gets_a_key_of_each_algorithm() {
    let server = server().await;
    let organisation = organisation(&server.pool).await;
    let domain = format!("{}.example", organisation.slug);
    sqlx::query("INSERT INTO tenant_domains (tenant_id, domain) VALUES ($1, $2)")
        .bind(organisation.id)
        .bind(&domain)
        .execute(&server.pool)
        .await
        .unwrap();
    let made = keys(&server.pool, &domain).await;
    let algorithms: Vec<&str> = made.iter().map(|(algorithm, _)| algorithm.as_str()).collect();
    assert_eq!(algorithms, ["ed25519-sha256", "rsa-sha256"]);
    assert!(made[0].1.starts_with("kx-e-20") && made[1].1.starts_with("kx-r-20"), "{made:?}");

    // One that is retired is replaced under a name of its own.
    sqlx::query(
        "UPDATE domain_keys SET retired_at = now() WHERE algorithm = 'ed25519-sha256'
         AND domain_id = (SELECT id FROM tenant_domains WHERE domain = $1)",
    )
    .bind(&domain)
    .execute(&server.pool)
    .await
    .unwrap();
    sqlx::query("NOTIFY kx_directory").execute(&server.pool).await.unwrap();
    let replaced = keys(&server.pool, &domain).await;
    assert_ne!(replaced[0].1, made[0].1);
    assert_eq!(replaced[1], made[1]);
}

/// The domain service as a command has it, asking the name server of this run.
async fn domains() -> (Domains, &'static Server) {
    static HOST: std::sync::Once = std::sync::Once::new();
    let server = server().await;
    HOST.call_once(|| _ = server.dns.ip("mx.koltrix.test", Ipv4Addr::LOCALHOST.into()));
    let folder = postgres::folder().join("domains");
    let config = configuration(&folder, &postgres::url().await, server.dns.addr(), 25);
    let db = Db::connect(config.database.url.expose(), 2).await.unwrap();
    (Domains::new(db, Resolver::new(&config.dns).unwrap(), Site::new(&config)), server)
}

/// Publishes records as they were asked for.
fn publish(server: &Server, records: &[Record]) {
    for record in records {
        let words: Vec<&str> = record.value.split(' ').collect();
        let number = |at: usize| words[at].parse().unwrap();
        match record.kind {
            Kind::Txt => server.dns.txt(&record.name, &record.value),
            Kind::Mx => server.dns.mx(&record.name, number(0), words[1]),
            Kind::Cname => {
                server.dns.ip(&record.value, Ipv4Addr::LOCALHOST.into());
                server.dns.cname(&record.name, &record.value)
            }
            Kind::Srv => {
                let target = Name::from_utf8(words[3]).unwrap();
                let data = SRV::new(number(0), number(1), number(2), target);
                server.dns.add(&record.name, RData::SRV(data))
            }
        };
    }
}

#[tokio::test]
async fn a_domain_is_proven_by_its_records_and_only_once() {
    let (domains, server) = domains().await;
    let (ours, theirs) = (organisation(&server.pool).await, organisation(&server.pool).await);
    let name = format!("{}.example", ours.slug);
    let links = format!("go.{name}");
    let domain = domains.add(TenantId(ours.id), &name.to_uppercase(), Some(&links)).await.unwrap();
    assert_eq!((&domain.domain, domain.verified_at), (&name, None));
    let again = domains.add(TenantId(ours.id), &name, None).await.unwrap_err();
    assert!(matches!(again, Error::Exists("domain")), "{again}");
    keys(&server.pool, &name).await;

    // Nothing is published yet.
    let report = domains.check(&domain).await.unwrap();
    assert!(!report.verified && !report.ok && !report.keys_pending);
    assert!(report.findings.iter().all(|f| f.state == State::Missing && !f.ok), "{report:#?}");

    let wanted = domains.dns_records(&domain).await.unwrap();
    publish(server, &wanted.records);
    let claim = domains.add(TenantId(theirs.id), &name, None).await.unwrap();
    let several = domains.find(None, &name).await.unwrap_err();
    assert!(matches!(several, Error::NotFound(_)), "{several}");
    // Answers of "there is none" may be kept for a moment.
    let report = eventually(async || {
        let report = domains.check(&domain).await.unwrap();
        report.ok.then_some(report)
    })
    .await;
    assert!(report.verified, "{report:#?}");
    let kept = domains.find(None, &name).await.unwrap();
    assert_eq!(kept.id, domain.id);
    assert!(kept.verified_at.is_some() && kept.checked_at.is_some());
    let (state, stored): (String, serde_json::Value) = sqlx::query_as(
        "SELECT t.onboarding_state, d.check_report FROM tenants t
         JOIN tenant_domains d ON d.tenant_id = t.id WHERE d.id = $1",
    )
    .bind(domain.id.0)
    .fetch_one(&server.pool)
    .await
    .unwrap();
    assert_eq!(state, "dns_verified");
    assert_eq!(stored, serde_json::to_value(&report).unwrap());
    assert_eq!(stored["findings"][1]["found"][0], "10 mx.koltrix.test");

    // Somebody else's claim, even with its own token published.
    let theirs = domains.dns_records(&claim).await.unwrap();
    publish(server, &theirs.records[..1]);
    let report = eventually(async || {
        let report = domains.check(&claim).await.unwrap();
        let advice = report.findings[0].advice.clone().unwrap();
        advice.starts_with("another organisation").then_some(report)
    })
    .await;
    assert!(!report.verified && !report.ok);
    assert_eq!(report.findings[0].state, State::Wrong);

    // A name server that fails says nothing against the proof.
    let before = kept;
    server.dns.broken(&name, true);
    let report = eventually(async || {
        let report = domains.check(&before).await.unwrap();
        (report.findings[1].state == State::Unknown).then_some(report)
    })
    .await;
    assert!(report.verified && !report.ok);
}

#[tokio::test]
async fn spf_has_to_let_through_what_we_send_by_whatever_way() {
    let (domains, server) = domains().await;
    let verdict = async |text: &str| {
        let name = format!("spf-{}.test", uuid::Uuid::new_v4().simple());
        let organisation = organisation(&server.pool).await;
        let domain = domains.add(TenantId(organisation.id), &name, None).await.unwrap();
        server.dns.txt(&name, text).txt(&format!("_spf.{name}"), "v=spf1 ip4:127.0.0.0/8 ~all");
        let report = domains.look(&domain).await.unwrap();
        let found = report.findings.into_iter().find(|f| f.record.purpose == Purpose::Spf);
        let found = found.unwrap();
        (found.state, found.advice.unwrap_or_default())
    };
    assert_eq!(verdict("v=spf1 a:mx.koltrix.test -all").await.0, State::Ok);
    assert_eq!(verdict("v=spf1 exists:mx.koltrix.test -all").await.0, State::Ok);
    assert_eq!(verdict("v=spf1 include:_spf.%{d} -all").await.0, State::Ok);
    let (state, advice) = verdict("v=spf1 ip4:192.0.2.1 -all").await;
    assert_eq!(state, State::Wrong);
    assert_eq!(advice, "it does not cover 127.0.0.1 (fail): add a:mx.koltrix.test behind v=spf1");
    // Named, and refused before: what counts is the result.
    assert_eq!(verdict("v=spf1 -ip4:127.0.0.1 a:mx.koltrix.test ~all").await.0, State::Wrong);
    let (state, advice) = verdict("v=spf1 ip4:nonsense -all").await;
    assert!(state == State::Wrong && advice.contains("cannot be evaluated"), "{advice}");
}
