//! AUTHENTICATE in all its forms (RFC 3501 §6.2.2, RFC 4959), and what a flood of logins costs.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::nodes::node;
use crate::support::imap::Imap;
use crate::support::open_folder;
use crate::support::scram::Client;
use crate::support::server::{PASSWORD, server};

/// A mailbox that SCRAM opens: its password has been used here.
async fn learned() -> String {
    let ann = server().await.tenant().await.mailbox("ann").await;
    Imap::of(&ann).await;
    let query = "SELECT scram_keys IS NOT NULL FROM email_addresses WHERE address = $1";
    let pool = &server().await.pool;
    while !sqlx::query_scalar::<_, bool>(query).bind(&ann).fetch_one(pool).await.unwrap() {}
    ann
}

/// What a continuation request carries.
fn challenge(line: &str) -> String {
    let data = line.strip_prefix("+ ").unwrap_or_else(|| panic!("{line}"));
    String::from_utf8(STANDARD.decode(data).unwrap()).unwrap()
}

/// The whole exchange, the first message with the command or behind it; the last answer.
async fn log_in(client: &Client<'_>, imap: &mut Imap, at_once: bool) -> String {
    let (mechanism, first) = (client.mechanism, STANDARD.encode(client.first()));
    if at_once {
        imap.send(format!("a AUTHENTICATE {mechanism} {first}\r\n")).await;
    } else {
        imap.send(format!("a AUTHENTICATE {mechanism}\r\n")).await;
        assert_eq!(imap.line().await, "+ ");
        imap.send(format!("{first}\r\n")).await;
    }
    let (last, signature) = client.last(&challenge(&imap.line().await));
    imap.send(format!("{}\r\n", STANDARD.encode(last))).await;
    let said = imap.line().await;
    if !said.starts_with("+ ") {
        return said;
    }
    assert_eq!(challenge(&said), signature);
    imap.send("\r\n").await;
    imap.line().await
}

#[tokio::test]
async fn scram_with_and_without_a_channel() {
    let ann = learned().await;
    let plain = Client {
        mechanism: "SCRAM-SHA-256",
        flag: "n",
        channel: b"",
        user: &ann,
        password: PASSWORD,
    };
    let mut imap = Imap::tls().await;
    let can = imap.brings("CAPABILITY").await.concat();
    for name in ["SASL-IR", "AUTH=SCRAM-SHA-256-PLUS", "AUTH=SCRAM-SHA-256 ", "AUTH=PLAIN"] {
        assert!(can.contains(name), "{name}: {can}");
    }
    let bindings = imap.bindings();
    let (exporter, end_point) = (bindings.exporter.unwrap(), bindings.end_point.unwrap());
    for (mechanism, flag, channel) in [
        ("SCRAM-SHA-256", "n", &b""[..]),
        ("SCRAM-SHA-256-PLUS", "p=tls-exporter", &exporter),
        ("SCRAM-SHA-256-PLUS", "p=tls-server-end-point", &end_point),
    ] {
        for at_once in [true, false] {
            let mut imap = Imap::tls().await;
            let own = imap.bindings().exporter.unwrap();
            let channel = if flag == "p=tls-exporter" { &own[..] } else { channel };
            let said =
                log_in(&Client { mechanism, flag, channel, ..plain }, &mut imap, at_once).await;
            assert!(said.starts_with("a OK [CAPABILITY "), "{flag}: {said}");
            imap.brings("SELECT INBOX").await;
        }
    }
    // Another connection's channel.
    let flag = "p=tls-exporter";
    let elsewhere = Client { mechanism: "SCRAM-SHA-256-PLUS", flag, channel: &exporter, ..plain };
    let mut imap = Imap::tls().await;
    let said = log_in(&elsewhere, &mut imap, true).await;
    assert!(said.starts_with("a NO [AUTHENTICATIONFAILED]"), "{said}");
    let wrong = Client { password: "wrong", ..plain };
    let said = log_in(&wrong, &mut imap, true).await;
    assert!(said.starts_with("a NO [AUTHENTICATIONFAILED]"), "{said}");
}

#[tokio::test]
async fn plain_with_its_message_at_once_or_later() {
    // RFC 4959 §4, with a mailbox of ours.
    let ann = server().await.tenant().await.mailbox("ann").await;
    let message = STANDARD.encode(format!("\0{ann}\0{PASSWORD}"));
    let mut imap = Imap::tls().await;
    assert!(imap.brings(&format!("AUTHENTICATE PLAIN {message}")).await.is_empty());
    let mut imap = Imap::tls().await;
    imap.send("a authenticate plain\r\n").await;
    assert_eq!(imap.line().await, "+ ");
    imap.send(format!("{message}\r\n")).await;
    assert!(imap.line().await.starts_with("a OK"));
}

#[tokio::test]
async fn what_is_no_login_is_told_so() {
    let mut imap = Imap::tls().await;
    for mechanism in ["GSSAPI", "LOGIN2", "OAUTHBEARER"] {
        let said = imap.fails(&format!("AUTHENTICATE {mechanism}")).await;
        assert!(said.starts_with("NO [CANNOT]"), "{mechanism}: {said}");
    }
    imap.send("a AUTHENTICATE SCRAM-SHA-256\r\n").await;
    assert_eq!(imap.line().await, "+ ");
    imap.send("*\r\n").await;
    assert!(imap.line().await.starts_with("a BAD"));
    assert!(imap.fails("AUTHENTICATE SCRAM-SHA-256 bixtPTE=").await.starts_with("BAD"));
}

/// Sets a password by SQL, as another program does.
async fn set_hash(address: &str, password: &str) {
    let hash = koltrix_mail::mail::password::hash(password).unwrap();
    let query = "UPDATE email_addresses SET password_hash = $2 WHERE address = $1";
    let done = sqlx::query(query).bind(address).bind(hash).execute(&server().await.pool).await;
    assert_eq!(done.unwrap().rows_affected(), 1);
}

async fn says(imap: &mut Imap, address: &str, password: &str) -> String {
    imap.command(&format!("LOGIN {address} \"{password}\"")).await.pop().unwrap()
}

/// What is remembered of logins ends with what it was about, at once and not a while later.
#[tokio::test]
async fn a_change_by_sql_counts_at_the_very_next_login() {
    // On a node of its own: failures count against this address, on which all tests are.
    let folder = open_folder();
    let node = node(folder.path(), |_| {}).await;
    let at = node.addresses.imap_tls.unwrap();
    let tenant = server().await.tenant().await;
    let ann = tenant.mailbox("ann").await;
    let pool = &server().await.pool;
    let login =
        async |password: &'static str| says(&mut Imap::greeted_tls(at).await, &ann, password).await;
    for _ in 0..3 {
        assert!(login(PASSWORD).await.starts_with("OK"));
    }
    set_hash(&ann, "another one").await;
    assert!(login(PASSWORD).await.starts_with("NO [AUTHENTICATIONFAILED]"));
    assert!(login("another one").await.starts_with("OK"));
    // What was refused before opens it once it is the password.
    assert!(login("a third").await.starts_with("NO"));
    assert!(login("a third").await.starts_with("NO"));
    set_hash(&ann, "a third").await;
    assert!(login("a third").await.starts_with("OK"));
    for (stop, go) in [
        (
            "UPDATE email_addresses SET status = 'suspended' WHERE tenant_id = $1",
            "UPDATE email_addresses SET status = 'active' WHERE tenant_id = $1",
        ),
        (
            "UPDATE tenants SET status = 'suspended' WHERE id = $1",
            "UPDATE tenants SET status = 'active' WHERE id = $1",
        ),
    ] {
        sqlx::query(stop).bind(tenant.id).execute(pool).await.unwrap();
        assert!(login("a third").await.starts_with("NO"), "{stop}");
        sqlx::query(go).bind(tenant.id).execute(pool).await.unwrap();
        assert!(login("a third").await.starts_with("OK"), "{go}");
    }
    let add = "INSERT INTO app_passwords (tenant_id, address_id, name, secret_sha256)
        SELECT tenant_id, id, 'phone', sha256('phone-secret') FROM email_addresses WHERE address = $1";
    sqlx::query(add).bind(&ann).execute(pool).await.unwrap();
    assert!(login("phone-secret").await.starts_with("OK"));
    let revoke = "UPDATE app_passwords SET revoked_at = now() WHERE tenant_id = $1";
    sqlx::query(revoke).bind(tenant.id).execute(pool).await.unwrap();
    assert!(login("phone-secret").await.starts_with("NO"));
}

#[tokio::test]
async fn guessing_is_slowed_and_shuts_out_nobody_who_is_known_there() {
    let folder = open_folder();
    let node = node(folder.path(), |_| {}).await;
    let at = node.addresses.imap_tls.unwrap();
    let tenant = server().await.tenant().await;
    let (ann, bob) = (&tenant.mailbox("ann").await, &tenant.mailbox("bob").await);
    assert!(says(&mut Imap::greeted_tls(at).await, ann, PASSWORD).await.starts_with("OK"));
    let began = std::time::Instant::now();
    let mut guesses = tokio::task::JoinSet::new();
    for n in 0..10 {
        let bob = bob.clone();
        guesses.spawn(async move {
            says(&mut Imap::greeted_tls(at).await, &bob, &format!("guess {n}")).await
        });
    }
    for said in guesses.join_all().await {
        assert!(said.starts_with("NO [AUTHENTICATIONFAILED]"), "{said}");
    }
    assert!(began.elapsed() >= std::time::Duration::from_secs(4), "{:?}", began.elapsed());
    let said = says(&mut Imap::greeted_tls(at).await, bob, PASSWORD).await;
    assert!(said.starts_with("NO [AUTHENTICATIONFAILED]"), "{said}");
    assert!(says(&mut Imap::greeted_tls(at).await, ann, PASSWORD).await.starts_with("OK"));
}

/// CVE-2026-27857: whoever has not logged in makes the server keep little, whatever it sends.
#[tokio::test]
async fn nobody_fills_memory_before_login() {
    // A login without end: what does not fit is thrown away as it comes, and then the client.
    let mut imap = Imap::tls().await;
    imap.send("a AUTHENTICATE PLAIN\r\n").await;
    assert_eq!(imap.line().await, "+ ");
    imap.send([&b"A".repeat(60_000)[..], b"\r\n"].concat()).await;
    assert!(imap.line().await.starts_with("a BAD"));
    // Literals up to the last octet that is taken, and one more.
    let literal = format!(" {{1000+}}\r\n{}", "x".repeat(1000));
    let mut imap = Imap::tls().await;
    imap.send(format!("b LOGIN{}\r\nc NOOP\r\n", literal.repeat(17))).await;
    let reply = imap.until("b").await;
    assert!(reply.done.starts_with("BAD"), "{reply:?}");
}
