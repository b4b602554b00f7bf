//! Setting up an organisation and minding its queue, on a database of its own.

use std::net::{IpAddr, Ipv4Addr};

use koltrix_mail::mail::Error;
use koltrix_mail::mail::login::Login;
use koltrix_mail::store::db::Db;
use sqlx::PgPool;

use super::Program;
use crate::support::dns::Dns;
use crate::support::postgres::empty_database;

/// A program on an empty database; both go with the test's run.
async fn program(dns: &Dns) -> (Program, String) {
    let url = empty_database().await;
    let text = format!(
        "[server]\nhostname = \"mx.koltrix.test\"\n[database]\nurl = {url:?}\n[dns]\nservers = [{:?}]\n",
        dns.addr().to_string()
    );
    (Program::with(&text), url)
}

/// With the schema, and the organisation `acme`.
async fn with_acme(dns: &Dns) -> (Program, String) {
    let (program, url) = program(dns).await;
    program.ok("migrate").await;
    program.ok("tenant add acme --name Acme").await;
    (program, url)
}

#[tokio::test]
async fn a_database_is_brought_up_to_date_before_it_is_used() {
    let (program, _) = program(&Dns::start().await).await;
    let error = program.error("tenant list").await;
    assert!(error.contains("koltrix-mail migrate"), "{error}");
    let applied = program.json("migrate").await;
    assert!(applied["applied"].as_array().unwrap().len() > 5, "{applied}");
    assert_eq!(program.ok("migrate").await, "The database is up to date.\n");
    assert_eq!(program.json("tenant list").await, serde_json::json!([]));
}

#[tokio::test]
async fn organisations_are_made_suspended_and_resumed() {
    let (program, _) = with_acme(&Dns::start().await).await;
    for (line, says) in [
        ("tenant add acme", "the organisation acme exists already"),
        ("tenant add Acme", "A slug is"),
        ("tenant add admin", "A slug is"),
        ("tenant suspend nobody", "there is no organisation nobody"),
    ] {
        let error = program.error(line).await;
        assert!(error.contains(says), "{line}: {error}");
    }
    assert_eq!(program.ok("tenant suspend acme").await, "acme is suspended.\n");
    assert_eq!(program.json("tenant list").await[0]["status"], "suspended");
    assert_eq!(program.json("tenant resume acme").await["status"], "active");
}

#[tokio::test]
async fn a_mailbox_opens_with_its_passwords_and_with_nothing_else() {
    let (program, url) = with_acme(&Dns::start().await).await;
    let error = program.error("mailbox add jo@acme.test").await;
    assert!(error.contains("--tenant"), "{error}");
    let line = "mailbox add Jo@Acme.test --tenant acme --password";
    assert_eq!(program.run_with(line, "short\n").await.code, 1);
    let made = program.run_with(line, "the first one\n").await;
    assert_eq!(made.out, "Made the mailbox jo@acme.test of acme.\n", "{}", made.err);
    // Its domain is known now.
    program.ok("mailbox add bo@acme.test").await;
    assert!(program.error("mailbox add bo@acme.test").await.ends_with("exists already"));

    let login = Login::new(Db::connect(&url, 2).await.unwrap()).unwrap();
    let opens = async |password: &str| {
        let peer = IpAddr::V4(Ipv4Addr::LOCALHOST);
        match login.check("jo@acme.test", password, peer).await {
            Ok(_) => true,
            Err(Error::Denied) => false,
            Err(error) => panic!("{error}"),
        }
    };
    assert!(opens("the first one").await);
    let changed = program.run_with("mailbox passwd jo@acme.test", "the second one").await;
    assert_eq!(changed.code, 0, "{}", changed.err);
    assert!(opens("the second one").await && !opens("the first one").await);

    let app = program.json("mailbox app-password add jo@acme.test --name Phone").await;
    let (id, secret) = (app["id"].as_str().unwrap(), app["password"].as_str().unwrap());
    assert!(opens(secret).await);
    let listed = program.ok("mailbox app-password list jo@acme.test").await;
    assert!(listed.contains(id) && !listed.contains(secret), "{listed}");
    program.ok(&format!("mailbox app-password revoke jo@acme.test {id}")).await;
    assert!(!opens(secret).await && opens("the second one").await);
    let error = program.error(&format!("mailbox app-password revoke bo@acme.test {id}")).await;
    assert!(error.contains("there is no app password"), "{error}");

    program.ok("tenant suspend acme").await;
    assert!(!opens("the second one").await);
}

#[tokio::test]
async fn a_domain_is_ready_when_its_dns_is() {
    let dns = Dns::start().await;
    let (program, _) = with_acme(&dns).await;
    program.ok("domain add acme Acme.Test.").await;
    assert!(program.error("domain add acme acme.test").await.ends_with("exists already"));
    assert!(program.error("domain dns other.test").await.contains("domain add"));

    let records = program.json("domain dns acme.test").await;
    let record = |purpose: &str| {
        let all = records["records"].as_array().unwrap();
        all.iter().find(|record| record["purpose"] == purpose).unwrap()["value"].as_str().unwrap()
    };
    let unproven = program.run("domain check acme.test").await;
    assert_eq!(unproven.code, 1);
    assert!(unproven.out.contains("acme.test is not proven"), "{}", unproven.out);

    dns.txt("_koltrix.acme.test", record("verification"));
    dns.txt("acme.test", record("spf")).mx("acme.test", 10, "mx.koltrix.test");
    // The keys of signatures are a server's to make, and none runs: proven, and not ready.
    let proven = program.run("domain check acme.test").await;
    assert_eq!(proven.code, 1);
    assert!(proven.out.contains("acme.test is proven"), "{}", proven.out);
    assert!(program.json("domain list").await[0]["verified_at"].is_string());
}

#[tokio::test]
async fn a_domain_is_warmed_up() {
    let (program, _) = with_acme(&Dns::start().await).await;
    program.ok("domain add acme acme.test").await;
    assert!(program.ok("domain warmup show acme.test").await.contains("as much as there is"));
    let error = program.error("domain warmup start acme.test --provider nobody").await;
    assert!(error.contains("google, "), "{error}");
    assert!(
        program.error("domain warmup start acme.test --schedule 0").await.contains("above zero")
    );
    program.ok("domain warmup start acme.test").await;
    let both =
        program.json("domain warmup start acme.test --provider google --schedule 20,40").await;
    let of = |n: usize| {
        [both[n]["provider"].clone(), both[n]["budget"].clone(), both[n]["status"].clone()]
    };
    assert_eq!(of(0), ["*".into(), 50.into(), serde_json::Value::from("warming")]);
    assert_eq!(of(1), ["google".into(), 20.into(), serde_json::Value::from("warming")]);
    let paused = program.json("domain warmup pause acme.test").await;
    assert_eq!(paused[0]["reason"], "paused by hand: 50 a day");
    let left = program.ok("domain warmup stop acme.test --provider google").await;
    assert!(left.contains("paused") && !left.contains("google"), "{left}");
    assert!(program.error("domain warmup stop acme.test --provider google").await.contains("show"));
}

#[tokio::test]
async fn the_queue_is_looked_at_and_changed_by_selection() {
    let (program, url) = with_acme(&Dns::start().await).await;
    let pool = PgPool::connect(&url).await.unwrap();
    sqlx::query(
        "INSERT INTO outbound_messages (tenant_id, from_address, recipient, subject, text_body)
         SELECT id, 'jo@acme.test', r, 'Hi' || chr(8238), 'x' FROM tenants,
            unnest(ARRAY['a@one.test', 'b@one.test', 'c@two.test']) r",
    )
    .execute(&pool)
    .await
    .unwrap();

    let all = program.json("queue list").await;
    assert_eq!(all.as_array().unwrap().len(), 3);
    let id = all[0]["id"].as_str().unwrap();
    sqlx::query(
        "INSERT INTO delivery_attempts (tenant_id, outbound_message_id, attempt, started_at, outcome, code, enhanced, reply, ip)
         SELECT tenant_id, id, 1, now(), 'deferred', 554, '5.7.1', 'blocked using zen.spamhaus.org', '192.0.2.1'
         FROM outbound_messages WHERE id = $1::uuid",
    )
    .bind(uuid::Uuid::parse_str(id).unwrap())
    .execute(&pool)
    .await
    .unwrap();
    let shown = program.ok(&format!("queue show {id}")).await;
    assert!(
        shown.contains("queued by a program, transactional mail from <jo@acme.test>"),
        "{shown}"
    );
    assert!(shown.contains("Next: it is tried at 20"), "{shown}");
    assert!(shown.contains("tenant        acme"), "{shown}");
    assert!(shown.contains("(they block the address or the domain that we send from)."), "{shown}");
    assert_eq!(program.json(&format!("queue show {id}")).await["tries"][0]["fault"], "blocked");
    let none = program.error("queue show 00000000-0000-4000-8000-000000000000").await;
    assert!(none.contains("queue list"), "{none}");

    assert!(program.error("queue cancel").await.contains("--all"));
    assert_eq!(
        program.ok("queue hold --domain One.test --reason testing").await,
        "Held 2 messages.\n"
    );
    let held = program.json("queue list --state held").await;
    assert_eq!((held.as_array().unwrap().len(), &held[0]["held_reason"]), (2, &"testing".into()));
    assert_eq!(program.ok("queue release --older-than 1d").await, "Released 0 messages.\n");
    let one = held[0]["id"].as_str().unwrap();
    assert_eq!(program.ok(&format!("queue release {one}")).await, "Released 1 message.\n");
    assert_eq!(program.ok("queue retry --tenant acme").await, "Now due: 2 messages.\n");
    assert_eq!(program.ok("queue cancel --all").await, "Cancelled 3 messages.\n");
    assert_eq!(program.json("queue list --state queued").await, serde_json::json!([]));
}

#[tokio::test]
async fn what_cannot_be_used_is_said_in_a_sentence() {
    let closed = Program::with("[database]\nurl = \"postgres://nobody@127.0.0.1:1/none\"");
    let error = closed.error("tenant list").await;
    assert!(error.contains("database.url") && error.contains("refused"), "{error}");
    let unknown = Program::with("[smtp]\nlissten = 1");
    let error = unknown.error("tenant list").await;
    assert!(error.contains("line 2, smtp.lissten: unknown key"), "{error}");
    let nothing = Program::with("");
    let error = nothing.error("tenant list").await;
    assert!(error.contains("koltrix-mail serve"), "{error}");
    assert!(!nothing.path("data").exists(), "a command that fails made a data directory");
    assert_eq!(nothing.run("mailbox add nonsense").await.code, 2);
}

#[tokio::test]
async fn filters_are_listed_and_explained() {
    let (program, url) = with_acme(&Dns::start().await).await;
    program.ok("mailbox add jo@acme.test --tenant acme").await;
    assert_eq!(program.json("filter list jo@acme.test").await, serde_json::json!([]));
    let pool = PgPool::connect(&url).await.unwrap();
    sqlx::query(
        r#"INSERT INTO org_acme.email_filters (address_id, name, position, conditions, actions)
           SELECT id, v.name, v.position, v.conditions::jsonb, v.actions::jsonb FROM public.email_addresses,
           (VALUES ('money', 1, '{"any": [{"field": "subject", "op": "contains", "value": "invoice"}]}',
                    '[{"do": "folder", "name": "Money"}, {"do": "stop"}]'),
                   ('rest', 2, '{"all": []}', '[{"do": "flag"}]')) AS v (name, position, conditions, actions)"#,
    )
    .execute(&pool)
    .await
    .unwrap();
    let listed = program.ok("filter list jo@acme.test").await;
    assert!(listed.contains("money  put into Money; no later rule is asked"), "{listed}");
    std::fs::write(program.path("m.eml"), "From: a@b.test\r\nSubject: Invoice 7\r\n\r\nx\r\n")
        .unwrap();
    let told = program.ok("filter test jo@acme.test m.eml").await;
    assert_eq!(
        told,
        "money: matches\n  any of: yes\n    subject contains \"invoice\": yes\n  => put into Money\n  \
         => no later rule is asked\nrest: not asked, one before it stopped\n  every message: yes\n"
    );
    let told = program.json("filter test jo@acme.test m.eml").await;
    assert_eq!((&told[0]["matched"], &told[1]["asked"]), (&true.into(), &false.into()));
    let error = program.error("filter test nobody@acme.test m.eml").await;
    assert!(error.contains("there is no mailbox nobody@acme.test"), "{error}");
}
