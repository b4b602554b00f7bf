//! `doctor`: what is wrong, and what to do about it.

use std::net::{IpAddr, Ipv4Addr};

use serde_json::Value;

use super::Program;
use crate::support::dns::Dns;
use crate::support::postgres::empty_database;

/// What it finds, under these names, as `(ok, found, advice)`.
async fn findings(program: &Program, check: &str) -> Vec<(bool, String, String)> {
    let done = program.run("doctor --json").await;
    let all: Vec<Value> =
        serde_json::from_str(&done.out).unwrap_or_else(|e| panic!("{e}: {done:?}"));
    let text = |finding: &Value, key: &str| finding[key].as_str().unwrap().to_owned();
    all.iter()
        .filter(|finding| finding["check"] == check)
        .map(|f| (f["ok"] == true, text(f, "found"), text(f, "advice")))
        .collect()
}

async fn program(dns: &Dns) -> (Program, String) {
    let url = empty_database().await;
    let text = format!(
        "[server]\nhostname = \"mx.host.test\"\n[database]\nurl = {url:?}\n[dns]\nservers = [{:?}]\n",
        dns.addr().to_string()
    );
    let program = Program::with(&text);
    program.ok("migrate").await;
    (program, url)
}

#[tokio::test]
async fn the_name_has_to_lead_here_and_back() {
    let dns = Dns::start().await;
    let (program, _) = program(&dns).await;
    let (well, found, advice) = findings(&program, "name").await.remove(0);
    assert!(!well && found.contains("no address") && advice.contains("A and AAAA"), "{found}");

    let ip = IpAddr::V4(Ipv4Addr::new(8, 8, 4, 4));
    dns.ip("mx.host.test", ip);
    assert!(findings(&program, "name").await[0].0);
    let (well, found, advice) = findings(&program, "reverse name").await.remove(0);
    assert!(!well && found == "8.8.4.4 has none", "{found}");
    assert!(advice.ends_with("set its PTR record to mx.host.test"), "{advice}");
    dns.ptr(ip, "mx.host.test");
    let (well, found, _) = findings(&program, "reverse name").await.remove(0);
    assert!(well && found == "8.8.4.4 is mx.host.test", "{found}");
}

#[tokio::test]
async fn each_domain_that_sends_is_looked_at() {
    let dns = Dns::start().await;
    dns.ip("mx.host.test", Ipv4Addr::new(8, 8, 4, 4).into());
    let (program, _) = program(&dns).await;
    program.ok("tenant add acme --name Acme").await;
    program.ok("domain add acme acme.test").await;
    assert!(findings(&program, "domain").await.is_empty(), "not proven: nothing sends");
    let records = program.json("domain dns acme.test").await;
    let proof = records["records"][0]["value"].as_str().unwrap();
    dns.txt("_koltrix.acme.test", proof).txt("acme.test", "v=spf1 ip4:192.0.2.1 -all");
    program.run("domain check acme.test").await;

    let found = findings(&program, "domain").await;
    let about = |start: &str| {
        let (well, _, advice) =
            found.iter().find(|(_, found, _)| found.starts_with(start)).unwrap();
        assert!(!well);
        advice.clone()
    };
    assert!(
        about("acme.test: SPF at acme.test is wrong").contains("does not cover 8.8.4.4 (fail)")
    );
    assert!(about("acme.test: MX at acme.test is missing").contains("10 mx.host.test."));
    assert!(about("acme.test: DMARC at _dmarc.acme.test is missing").contains("v=DMARC1"));
    assert!(about("acme.test: its DKIM keys are not made").contains("worker"));
}

#[tokio::test]
async fn another_master_key_is_told() {
    let dns = Dns::start().await;
    let (program, url) = program(&dns).await;
    let (well, found, _) = findings(&program, "master key").await.remove(0);
    assert!(well && found.contains("first start"), "{found}");

    program.ok("tenant add acme --name Acme").await;
    program.ok("domain add acme acme.test").await;
    let pool = sqlx::PgPool::connect(&url).await.unwrap();
    sqlx::query(
        "INSERT INTO domain_keys (tenant_id, domain_id, selector, algorithm, private_key_sealed, public_key)
         SELECT tenant_id, id, 'other', 'rsa-sha256', decode(repeat('00', 60), 'hex'), '' FROM tenant_domains",
    )
    .execute(&pool)
    .await
    .unwrap();
    pool.close().await;
    let (well, found, advice) = findings(&program, "master key").await.remove(0);
    assert!(!well && found.contains("none here") && advice.contains("master.key"), "{found}");
    std::fs::create_dir_all(program.path("data")).unwrap();
    std::fs::write(program.path("data/master.key"), [7; 32]).unwrap();
    let (well, found, _) = findings(&program, "master key").await.remove(0);
    assert!(!well && found.contains("sealed with another one"), "{found}");
}
