//! Tokens in place of passwords (OAUTHBEARER, RFC 7628), over submission and IMAP.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use koltrix_mail::app::{self, Running};
use koltrix_mail::config::Config;
use koltrix_mail::store::embedded::Durability;
use serde_json::{Value, json};
use tokio::process::Command;

use crate::support::imap::Imap;
use crate::support::issuer::Issuer;
use crate::support::postgres;
use crate::support::remote_mx::trusted_roots;
use crate::support::server::{Tenant, configuration, server};
use crate::support::smtp::Smtp;

/// Whom the token of these tests speaks of.
const USER: &str = "user_2ann";

/// A node that believes an issuer, and a user with a mailbox.
struct House {
    node: Running,
    issuer: Issuer,
    tenant: Tenant,
    folder: PathBuf,
    /// Owned by the user.
    ann: String,
    /// Of the same organisation, owned by nobody.
    bob: String,
    user: String,
}

fn with_tokens(mut config: Config, issuer: &Issuer) -> Config {
    config.oauth.issuer.clone_from(&issuer.url);
    config.oauth.audience = vec!["mail".to_owned()];
    config.oauth.authorized_parties = vec!["https://app.test".to_owned()];
    config.oauth.root = trusted_roots().into();
    config
}

impl House {
    async fn start() -> Self {
        let issuer = Issuer::start().await;
        let folder = postgres::folder().join(format!("node-{}", uuid::Uuid::new_v4().simple()));
        let dns = server().await.dns.addr();
        let config = configuration(&folder, &postgres::url().await, dns, 25);
        let config = Arc::new(with_tokens(config, &issuer));
        let roles = "smtp,imap".parse().unwrap();
        let node = Box::pin(app::start(config, roles, Durability::None)).await.unwrap();
        let tenant = server().await.tenant().await;
        let (ann, bob) = (tenant.mailbox("ann").await, tenant.mailbox("bob").await);
        let user = format!("{USER}{}", tenant.id.simple());
        own(&tenant, &user, &ann).await;
        Self { node, issuer, tenant, folder, ann, bob, user }
    }

    /// A good token of the user.
    fn token(&self) -> String {
        self.issuer.rs256(&self.claims())
    }

    fn claims(&self) -> Value {
        self.issuer.claims(&self.user)
    }

    async fn imap(&self) -> Imap {
        Imap::greeted_tls(self.node.addresses.imap_tls.unwrap()).await
    }

    async fn smtp(&self) -> Smtp {
        let mut smtp = Smtp::greeted_tls(self.node.addresses.submission_tls.unwrap()).await;
        smtp.ask("EHLO client.test", "250-").await;
        smtp
    }

    /// How the server answers this token over IMAP, on a connection of its own.
    async fn opens(&self, name: &str, token: &str) -> Result<(), String> {
        let mut imap = self.imap().await;
        imap.send(format!("a AUTHENTICATE OAUTHBEARER {}\r\n", message(name, token))).await;
        let said = imap.line().await;
        let Some(data) = said.strip_prefix("+ ") else {
            assert!(said.starts_with("a OK [CAPABILITY "), "{said}");
            return Ok(());
        };
        // RFC 7628 §3.2.3: the client has read it, and the login fails.
        imap.send("AQ==\r\n").await;
        let said = imap.line().await;
        assert!(said.starts_with("a NO [AUTHENTICATIONFAILED]"), "{said}");
        Err(String::from_utf8(STANDARD.decode(data).unwrap()).unwrap())
    }
}

/// Makes a Clerk user of an organisation, who owns a mailbox there.
async fn own(tenant: &Tenant, user: &str, address: &str) {
    let pool = &server().await.pool;
    let id: uuid::Uuid = sqlx::query_scalar(
        "INSERT INTO tenant_users (tenant_id, clerk_user_id) VALUES ($1, $2) RETURNING id",
    )
    .bind(tenant.id)
    .bind(user)
    .fetch_one(pool)
    .await
    .unwrap();
    let update = "UPDATE email_addresses SET user_id = $1 WHERE address = $2";
    sqlx::query(update).bind(id).bind(address).execute(pool).await.unwrap();
}

async fn set(statement: &'static str, tenant: &Tenant) {
    sqlx::query(statement).bind(tenant.id).execute(&server().await.pool).await.unwrap();
}

/// RFC 7628 §4.1, for a mailbox of ours.
fn message(name: &str, token: &str) -> String {
    let name = if name.is_empty() { String::new() } else { format!("a={name}") };
    STANDARD.encode(format!(
        "n,{name},\u{1}host=mx.koltrix.test\u{1}port=143\u{1}auth=Bearer {token}\u{1}\u{1}"
    ))
}

#[tokio::test]
async fn a_token_opens_the_mailbox_of_its_user_over_both_protocols() {
    let house = House::start().await;
    let mut imap = house.imap().await;
    assert!(imap.brings("CAPABILITY").await.concat().contains(" AUTH=OAUTHBEARER "));
    // In one step, in two, signed either way, with the name and without.
    assert_eq!(house.opens(&house.ann, &house.token()).await, Ok(()));
    assert_eq!(house.opens(&house.ann, &house.issuer.es256(&house.claims())).await, Ok(()));
    assert_eq!(house.opens("", &house.token()).await, Ok(()));
    imap.send("a AUTHENTICATE OAUTHBEARER\r\n").await;
    assert_eq!(imap.line().await, "+ ");
    imap.send(format!("{}\r\n", message(&house.ann, &house.token()))).await;
    assert!(imap.line().await.starts_with("a OK"));
    imap.brings("SELECT INBOX").await;

    let mut smtp = house.smtp().await;
    let said = message(&house.ann, &house.token());
    smtp.ask(&format!("AUTH OAUTHBEARER {said}"), "235 2.7.0 ").await;
    smtp.ask(&format!("MAIL FROM:<{}>", house.ann), "250 ").await;
    let mut smtp = house.smtp().await;
    assert_eq!(smtp.ask("AUTH OAUTHBEARER", "334").await, "334 ");
    smtp.ask(&said, "235 2.7.0 ").await;
    // All of that took one look at the keys.
    assert_eq!(house.issuer.asked(), 1);
}

#[tokio::test]
async fn a_refusal_is_told_as_the_rfc_says() {
    let house = House::start().await;
    let mut smtp = house.smtp().await;
    let line = format!("AUTH OAUTHBEARER {}", message(&house.ann, "no.such.token"));
    let said = smtp.ask(&line, "334 ").await;
    let refusal: Value = serde_json::from_slice(&STANDARD.decode(&said[4..]).unwrap()).unwrap();
    let configuration = format!("{}/.well-known/openid-configuration", house.issuer.url);
    let expected = json!({
        "status": "invalid_token", "schemes": "bearer", "openid-configuration": configuration,
    });
    assert_eq!(refusal, expected);
    smtp.ask("AQ==", "535 5.7.8 ").await;
    smtp.ask("AUTH OAUTHBEARER bixhPXg=", "501 5.5.2 ").await;
    smtp.ask("MAIL FROM:<x@y.test>", "530 5.7.0 ").await;
}

#[tokio::test]
async fn forged_tokens_open_nothing() {
    let house = House::start().await;
    for (what, token) in house.issuer.forged(&house.claims()) {
        assert!(house.opens(&house.ann, &token).await.is_err(), "{what}");
    }
    assert_eq!(house.opens(&house.ann, &house.token()).await, Ok(()));
}

#[tokio::test]
async fn tokens_for_others_and_other_times_open_nothing() {
    let house = House::start().await;
    let now = house.claims()["iat"].as_i64().unwrap();
    for (name, value) in [
        ("iss", json!("https://clerk.evil.test")),
        ("aud", json!("other")),
        ("azp", json!("https://evil.test")),
        ("exp", json!(now - 60)),
        ("nbf", json!(now + 60)),
        ("sts", json!("pending")),
        ("sub", json!("user_of_nobody")),
    ] {
        let mut claims = house.claims();
        claims[name] = value;
        let token = house.issuer.rs256(&claims);
        assert!(house.opens(&house.ann, &token).await.is_err(), "{claims}");
    }
    assert_eq!(house.opens(&house.ann, &house.token()).await, Ok(()));
}

#[tokio::test]
async fn a_user_opens_no_mailbox_of_anybody_else() {
    let house = House::start().await;
    let elsewhere = server().await.tenant().await;
    let eve = elsewhere.mailbox("eve").await;
    own(&elsewhere, "user_eve", &eve).await;
    for other in [&house.bob, &eve, "not an address"] {
        assert!(house.opens(other, &house.token()).await.is_err(), "{other}");
    }
    let token = house.issuer.rs256(&house.issuer.claims("user_eve"));
    assert!(house.opens(&house.ann, &token).await.is_err());
    // Two mailboxes: the token alone does not tell which one is meant.
    let update = "UPDATE email_addresses SET user_id = (SELECT user_id FROM email_addresses
         WHERE address = $1) WHERE address = $2";
    let pool = &server().await.pool;
    sqlx::query(update).bind(&house.ann).bind(&house.bob).execute(pool).await.unwrap();
    assert!(house.opens("", &house.token()).await.is_err());
    assert_eq!(house.opens(&house.bob, &house.token()).await, Ok(()));
}

#[tokio::test]
async fn an_organisation_of_clerks_has_to_be_the_active_one() {
    let house = House::start().await;
    let pool = &server().await.pool;
    let org = format!("org_{}", house.tenant.id.simple());
    let update = "UPDATE tenants SET clerk_org_id = $1 WHERE id = $2";
    sqlx::query(update).bind(&org).bind(house.tenant.id).execute(pool).await.unwrap();
    assert!(house.opens(&house.ann, &house.token()).await.is_err());
    for (name, value, good) in [
        ("o", json!({ "id": org, "rol": "admin" }), true),
        ("org_id", json!(org), true),
        ("org_id", json!("org_other"), false),
    ] {
        let mut claims = house.claims();
        claims[name] = value;
        let token = house.issuer.rs256(&claims);
        assert_eq!(house.opens(&house.ann, &token).await.is_ok(), good, "{claims}");
    }
    // Whoever is shut out has no use for a token either.
    let mut claims = house.claims();
    claims["org_id"] = json!(org);
    let token = house.issuer.rs256(&claims);
    set("UPDATE tenant_users SET status = 'disabled' WHERE tenant_id = $1", &house.tenant).await;
    assert!(house.opens(&house.ann, &token).await.is_err());
    set("UPDATE tenant_users SET status = 'active' WHERE tenant_id = $1", &house.tenant).await;
    assert_eq!(house.opens(&house.ann, &token).await, Ok(()));
    set("UPDATE tenants SET status = 'suspended' WHERE id = $1", &house.tenant).await;
    assert!(house.opens(&house.ann, &token).await.is_err());
}

#[tokio::test]
async fn known_keys_work_on_without_the_issuer_and_unknown_ones_ask_seldom() {
    let house = House::start().await;
    assert_eq!(house.opens(&house.ann, &house.token()).await, Ok(()));
    for n in 0..3 {
        let token = house.issuer.rs256_as(&format!("unknown-{n}"), &house.claims());
        assert!(house.opens(&house.ann, &token).await.is_err());
    }
    assert_eq!(house.issuer.asked(), 1);
    house.issuer.leave();
    assert_eq!(house.opens(&house.ann, &house.token()).await, Ok(()));
}

#[tokio::test]
async fn wrong_tokens_count_as_wrong_passwords_do() {
    let house = House::start().await;
    let mut refused = 0;
    while house.opens(&house.ann, "no.such.token").await.is_err() && refused < 10 {
        refused += 1;
    }
    assert_eq!(refused, 10);
    // From here on nobody is heard from this address, with a good token neither.
    assert!(house.opens(&house.ann, &house.token()).await.is_err());
}

#[tokio::test]
async fn curl_logs_in_with_a_token() {
    let house = House::start().await;
    let authority = house.folder.join("certs/ca.pem");
    let port = house.node.addresses.imap_tls.unwrap().port();
    let token = house.token();
    for more in [&["--sasl-ir"][..], &[]] {
        let said = curl(&house.ann, &token, &authority, port, more).await;
        assert!(said.contains("INBOX"), "{said}");
    }
}

/// What curl lists.
async fn curl(user: &str, token: &str, ca: &Path, port: u16, more: &[&str]) -> String {
    let output = Command::new("curl")
        .args(["--silent", "--show-error", "--max-time", "20", "--user", user])
        .args(["--oauth2-bearer", token, "--cacert"])
        .arg(ca)
        .args(more)
        .arg(format!("imaps://localhost:{port}/"))
        .stdin(Stdio::null())
        .output()
        .await
        .unwrap();
    let text = |octets: &[u8]| String::from_utf8_lossy(octets).into_owned();
    assert!(output.status.success(), "{}", text(&output.stderr));
    text(&output.stdout)
}
