//! Mail by a smarthost, or from an address that was chosen.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use koltrix_mail::app;
use koltrix_mail::domain::smarthost::SmarthostTls;
use koltrix_mail::store::embedded::Durability;
use sqlx::PgPool;

use super::Row;
use crate::cli::Program;
use crate::support::postgres;
use crate::support::remote_mx::{RemoteMx, Step};
use crate::support::server::{Server, Tenant, configuration, server};
use crate::support::wait;

const SECRET: &str = "relay secret";

/// The program beside the server, as its operator runs it.
async fn operator(server: &Server) -> Program {
    Program::with(&format!(
        "[server]\ndata_dir = \"{}\"\n[database]\nurl = {:?}\n",
        server.objects.parent().unwrap().display(),
        postgres::url().await
    ))
}

/// Sets a route; the password comes from standard input.
async fn route(server: &Server, line: &str) {
    let done = operator(server).await.run_with(&format!("route set {line}"), SECRET).await;
    assert_eq!((done.code, done.err.as_str()), (0, ""), "{line}");
}

fn slug(tenant: &Tenant) -> &str {
    tenant.schema.strip_prefix("org_").unwrap()
}

/// A smarthost that proves its name, and what leads to it.
async fn smarthost(server: &Server) -> (RemoteMx, String) {
    let (mx, domain) = server.proven_remote().await;
    mx.offer(&["PIPELINING", "8BITMIME", "AUTH PLAIN LOGIN"]);
    mx.on("AUTH", Step::Reply("235 2.7.0 Welcome".into()));
    (mx, format!("--smarthost mx.{domain} --port {}", server.mx_port))
}

fn has_said(mx: &RemoteMx, begin: &str) -> bool {
    mx.commands().iter().any(|line| line.starts_with(begin))
}

impl Server {
    /// What its last attempt was made by.
    async fn by_route(&self, id: uuid::Uuid) -> Option<String> {
        sqlx::query_scalar(
            "SELECT route FROM delivery_attempts WHERE outbound_message_id = $1 ORDER BY finished_at DESC LIMIT 1",
        )
        .bind(id)
        .fetch_one(&self.pool)
        .await
        .unwrap()
    }
}

#[tokio::test]
async fn an_organisations_mail_takes_its_smarthost_and_nobody_elses_does() {
    let server = server().await;
    let (relay, to_relay) = smarthost(server).await;
    let (elsewhere, domain) = server.remote(false).await;
    let (tenant, other) = (server.sender().await, server.sender().await);
    route(server, &format!("{} {to_relay} --username acme", slug(&tenant))).await;

    let (ann, bob) = (tenant.mailbox("ann").await, other.mailbox("bob").await);
    let id = Row::new(&ann, &format!("x@{domain}")).insert(&tenant).await;
    let direct = Row::new(&bob, &format!("x@{domain}")).insert(&other).await;
    server.until(id, "sent").await;
    server.until(direct, "delivered").await;

    let came = relay.accepted().remove(0);
    assert!(came.tls && came.mail_from.contains(&tenant.domain), "{came:?}");
    let login = format!("AUTH PLAIN {}", STANDARD.encode(format!("\0acme\0{SECRET}")));
    assert!(has_said(&relay, &login), "{:?}", relay.commands());
    assert_eq!((relay.accepted().len(), elsewhere.accepted().len()), (1, 1));
    assert!(server.by_route(id).await.unwrap().contains("as acme"));
    assert_eq!(server.by_route(direct).await, None);
    let story = operator(server).await.ok(&format!("queue show {id}")).await;
    assert!(story.contains("by the route smarthost mx."), "{story}");
    assert!(!story.contains(SECRET), "{story}");
    // People of the organisation itself are reached without it.
    let inside = tenant.mailbox("bea").await;
    let inside = Row::new(&ann, &inside).insert(&tenant).await;
    server.until(inside, "delivered").await;
}

#[tokio::test]
async fn a_domains_route_comes_first_and_what_is_removed_no_longer_holds() {
    let server = server().await;
    let (all, to_all) = smarthost(server).await;
    let (own, to_own) = smarthost(server).await;
    let (elsewhere, domain) = server.remote(false).await;
    let tenant = server.sender().await;
    let ann = tenant.mailbox("ann").await;
    let whose = slug(&tenant);
    route(server, &format!("{whose} {to_all}")).await;
    route(server, &format!("{whose} --domain {} {to_own}", tenant.domain)).await;
    let operator = operator(server).await;
    let listed = operator.json(&format!("route list --tenant {whose}")).await;
    assert_eq!(listed.as_array().unwrap().len(), 2, "{listed}");

    let to = format!("x@{domain}");
    let id = Row::new(&ann, &to).insert(&tenant).await;
    server.until(id, "sent").await;
    assert_eq!((own.accepted().len(), all.accepted().len()), (1, 0));
    operator.ok(&format!("route remove {whose} --domain {}", tenant.domain)).await;
    let id = Row::new(&ann, &to).insert(&tenant).await;
    server.until(id, "sent").await;
    assert_eq!((own.accepted().len(), all.accepted().len()), (1, 1));
    operator.ok(&format!("route remove {whose}")).await;
    let id = Row::new(&ann, &to).insert(&tenant).await;
    server.until(id, "delivered").await;
    assert_eq!(elsewhere.accepted().len(), 1);
    let again = operator.error(&format!("route remove {whose}")).await;
    assert!(again.contains("has no route of its own"), "{again}");
}

#[tokio::test]
async fn a_smarthost_that_does_not_believe_us_costs_no_message() {
    let server = server().await;
    let (relay, to_relay) = smarthost(server).await;
    relay.on("AUTH", Step::Reply("535 5.7.8 Who are you?".into()));
    let (_elsewhere, domain) = server.remote(false).await;
    let tenant = server.sender().await;
    let ann = tenant.mailbox("ann").await;
    route(server, &format!("{} {to_relay} --username acme", slug(&tenant))).await;
    let id = Row::new(&ann, &format!("x@{domain}")).insert(&tenant).await;
    relay
        .wait_until("second attempt", |relay| {
            relay.commands().iter().filter(|line| line.starts_with("AUTH")).count() >= 2
        })
        .await;
    let (outcome, code, ..) = server.attempts(id).await.remove(0);
    assert_eq!((outcome.as_str(), code), ("deferred", 535));
    assert!(relay.accepted().is_empty());
    relay.well().on("AUTH", Step::Reply("235 2.7.0 Welcome".into()));
    server.until(id, "sent").await;
}

#[tokio::test]
async fn where_only_login_is_offered_it_is_said() {
    let server = server().await;
    let (relay, to_relay) = smarthost(server).await;
    relay.offer(&["AUTH LOGIN"]);
    relay.on("AUTH LOGIN", Step::Reply("334 VXNlcm5hbWU6".into()));
    relay.on(&STANDARD.encode("acme"), Step::Reply("334 UGFzc3dvcmQ6".into()));
    relay.on(&STANDARD.encode(SECRET), Step::Reply("235 2.7.0 Welcome".into()));
    let (_elsewhere, domain) = server.remote(false).await;
    let tenant = server.sender().await;
    let ann = tenant.mailbox("ann").await;
    route(server, &format!("{} {to_relay} --username acme", slug(&tenant))).await;
    let id = Row::new(&ann, &format!("x@{domain}")).insert(&tenant).await;
    server.until(id, "sent").await;
}

#[tokio::test]
async fn nothing_goes_to_a_smarthost_that_does_not_prove_its_name() {
    let server = server().await;
    let (relay, host) = server.remote(true).await;
    relay.offer(&["AUTH PLAIN"]).on("AUTH", Step::Reply("235 2.7.0 Welcome".into()));
    let (_elsewhere, domain) = server.remote(false).await;
    let tenant = server.sender().await;
    let ann = tenant.mailbox("ann").await;
    let to_relay = format!("--smarthost mx.{host} --port {} --username acme", server.mx_port);
    route(server, &format!("{} {to_relay}", slug(&tenant))).await;
    let id = Row::new(&ann, &format!("x@{domain}")).insert(&tenant).await;
    relay.wait_until("second attempt", |relay| relay.connections() >= 2).await;
    assert!(!has_said(&relay, "AUTH") && !has_said(&relay, "MAIL"));
    assert_eq!(server.attempts(id).await[0].0, "deferred");

    route(server, &format!("{} {to_relay} --tls opportunistic", slug(&tenant))).await;
    server.until(id, "sent").await;
}

#[tokio::test]
async fn a_password_goes_in_the_clear_only_where_that_was_said() {
    let server = server().await;
    let (relay, host) = server.remote(false).await;
    relay.offer(&["AUTH PLAIN"]).on("AUTH", Step::Reply("235 2.7.0 Welcome".into()));
    let (_elsewhere, domain) = server.remote(false).await;
    let tenant = server.sender().await;
    let ann = tenant.mailbox("ann").await;
    let to_relay = format!(
        "--smarthost mx.{host} --port {} --username acme --tls opportunistic",
        server.mx_port
    );
    route(server, &format!("{} {to_relay}", slug(&tenant))).await;
    let id = Row::new(&ann, &format!("x@{domain}")).insert(&tenant).await;
    relay.wait_until("second attempt", |relay| relay.connections() >= 2).await;
    assert!(!has_said(&relay, "AUTH"));
    route(server, &format!("{} {to_relay} --auth-in-clear", slug(&tenant))).await;
    server.until(id, "sent").await;
}

#[tokio::test]
async fn mail_comes_from_the_address_that_was_chosen() {
    let server = server().await;
    let (mx, domain) = server.remote(false).await;
    let (tenant, other) = (server.sender().await, server.sender().await);
    let (ann, bob) = (tenant.mailbox("ann").await, other.mailbox("bob").await);
    route(server, &format!("{} --source 127.9.8.7", slug(&tenant))).await;
    let to = format!("x@{domain}");
    let chosen = Row::new(&ann, &to).insert(&tenant).await;
    server.until(chosen, "delivered").await;
    let any = Row::new(&bob, &to).insert(&other).await;
    server.until(any, "delivered").await;
    let from: Vec<String> = mx.accepted().iter().map(|came| came.from.to_string()).collect();
    assert_eq!(from, ["127.9.8.7", "127.0.0.1"]);
    assert_eq!(server.by_route(chosen).await.unwrap(), "from 127.9.8.7");

    // An address of another machine is our own trouble.
    route(server, &format!("{} --source 192.0.2.1", slug(&tenant))).await;
    let id = Row::new(&ann, &to).insert(&tenant).await;
    let retried = async || Some(server.attempts(id).await).filter(|all| all.len() >= 2);
    let attempts = wait::within(Duration::from_secs(30), retried).await;
    assert_eq!(attempts.unwrap()[0].0, "deferred");
    assert_eq!(mx.accepted().len(), 2);
}

#[tokio::test]
async fn a_message_that_needs_tls_all_the_way_asks_the_smarthost_for_it() {
    let server = server().await;
    let (_elsewhere, domain) = server.remote(false).await;
    let to = format!("x@{domain}");
    for (offered, state) in [("SIZE", "bounced"), ("REQUIRETLS", "sent")] {
        let (relay, to_relay) = smarthost(server).await;
        relay.offer(&[offered]);
        let tenant = server.sender().await;
        let ann = tenant.mailbox("ann").await;
        route(server, &format!("{} {to_relay}", slug(&tenant))).await;
        let row = Row { require_tls: true, ..Row::new(&ann, &to) };
        let ended = server.until(row.insert(&tenant).await, state).await;
        if state == "bounced" {
            assert_eq!(ended.enhanced.as_deref(), Some("5.7.30"));
        } else {
            assert!(relay.accepted()[0].mail_from.contains("REQUIRETLS"));
        }
    }
}

#[tokio::test]
async fn the_settings_may_name_a_smarthost_for_all() {
    let server = server().await;
    let (relay, _) = smarthost(server).await;
    let folder = postgres::folder().join(format!("relayed-{}", uuid::Uuid::new_v4().simple()));
    let url = postgres::empty_database().await;
    let mut config = configuration(&folder, &url, server.dns.addr(), server.mx_port);
    config.queue.relay.host = relay.addr().ip().to_string();
    config.queue.relay.port = relay.addr().port();
    config.queue.relay.tls = SmarthostTls::Opportunistic;
    let roles = "worker".parse().unwrap();
    let node = Box::pin(app::start(Arc::new(config), roles, Durability::None)).await.unwrap();
    let pool = PgPool::connect(&url).await.unwrap();
    let tenant = postgres::organisation(&pool).await.id;
    let domain = "INSERT INTO tenant_domains (tenant_id, domain, verified_at) VALUES ($1, 'settings.test', now())";
    sqlx::query(domain).bind(tenant).execute(&pool).await.unwrap();
    wait::for_keys(&pool, "settings.test").await;
    sqlx::query(
        "INSERT INTO outbound_messages (tenant_id, from_address, recipient, text_body)
         VALUES ($1, 'ann@settings.test', 'x@a.test', 'x'), ($1, 'ann@settings.test', 'x@b.test', 'x')",
    )
    .bind(tenant)
    .execute(&pool)
    .await
    .unwrap();
    let came = relay.wait_for(2).await;
    assert!(came.iter().all(|message| message.tls));
    node.stop().await;
}
