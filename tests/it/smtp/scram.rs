//! SCRAM-SHA-256 and -PLUS (RFC 5802, RFC 7677) on submission.

use aws_lc_rs::digest;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;

use super::{House, plain};
use crate::support::scram::Client;
use crate::support::server::{PASSWORD, server};
use crate::support::smtp::Smtp;

async fn submission(house: &House) -> Smtp {
    let mut smtp = Smtp::greeted_tls(house.submission_tls).await;
    smtp.ask("EHLO client.test", "250-").await;
    smtp
}

/// The whole challenge: the nonce, the salt and the iterations that the server tells.
async fn challenge(client: &Client<'_>, smtp: &mut Smtp) -> String {
    let line = format!("AUTH {} {}", client.mechanism, STANDARD.encode(client.first()));
    let said = smtp.ask(&line, "334 ").await;
    String::from_utf8(STANDARD.decode(&said[4..]).unwrap()).unwrap()
}

/// The whole exchange; the last answer. A server that is believed has proven itself.
async fn log_in(client: &Client<'_>, smtp: &mut Smtp) -> String {
    let (last, signature) = client.last(&challenge(client, smtp).await);
    smtp.send(format!("{}\r\n", STANDARD.encode(last))).await;
    let said = smtp.reply().await;
    let Some(data) = said.strip_prefix("334 ") else { return said };
    assert_eq!(STANDARD.decode(data).unwrap(), signature.as_bytes());
    smtp.send("\r\n").await;
    smtp.reply().await
}

/// Ann, by the plain mechanism.
fn ann(house: &House) -> Client<'_> {
    let (mechanism, flag) = ("SCRAM-SHA-256", "n");
    Client { mechanism, flag, channel: b"", user: &house.ann, password: PASSWORD }
}

/// Whoever logs in with a password opens the mailbox by SCRAM from then on.
async fn learned(house: &House) {
    let mut smtp = submission(house).await;
    smtp.ask(&format!("AUTH PLAIN {}", plain(&house.ann, PASSWORD)), "235 ").await;
    house.has_scram_keys().await;
}

#[tokio::test]
async fn both_sides_prove_that_they_know_the_password() {
    let house = House::start().await;
    learned(&house).await;
    let mut smtp = submission(&house).await;
    let answer = log_in(&ann(&house), &mut smtp).await;
    assert!(answer.starts_with("235 2.7.0 "), "{answer}");
    smtp.ask(&format!("MAIL FROM:<{}>", house.ann), "250 ").await;
}

#[tokio::test]
async fn the_channel_is_bound_where_it_can_be() {
    let house = House::start().await;
    learned(&house).await;
    let mut smtp = Smtp::greeted_tls(house.submission_tls).await;
    let offer = smtp.ask("EHLO client.test", "250-").await;
    assert!(offer.contains("AUTH SCRAM-SHA-256-PLUS SCRAM-SHA-256 PLAIN LOGIN"), "{offer}");
    let bindings = smtp.bindings();
    let bound = Client {
        mechanism: "SCRAM-SHA-256-PLUS",
        flag: "p=tls-exporter",
        channel: &bindings.exporter.expect("TLS 1.3"),
        ..ann(&house)
    };
    let answer = log_in(&bound, &mut smtp).await;
    assert!(answer.starts_with("235 2.7.0 "), "{answer}");
}

#[tokio::test]
async fn the_certificate_of_the_server_binds_too() {
    let house = House::start().await;
    learned(&house).await;
    let mut smtp = submission(&house).await;
    // RFC 5929 §4.1: the certificate as it lies there, hashed as it is signed.
    let leaf = CertificateDer::from_pem_file(house.certs.join("fullchain.pem")).unwrap();
    let channel = digest::digest(&digest::SHA256, &leaf);
    let flag = "p=tls-server-end-point";
    let bound = Client { mechanism: "SCRAM-SHA-256-PLUS", flag, ..ann(&house) };
    let answer = log_in(&Client { channel: channel.as_ref(), ..bound }, &mut smtp).await;
    assert!(answer.starts_with("235 2.7.0 "), "{answer}");
}

#[tokio::test]
async fn whoever_sits_between_gets_nowhere() {
    // On a node of its own: failures count against this address, on which all tests are.
    let (house, _node) = House::start_with("").await;
    learned(&house).await;
    let own = submission(&house).await.bindings().exporter.expect("TLS 1.3");
    let ann = ann(&house);
    for (mechanism, flag, channel) in [
        // Another connection's channel; a client that was told that we cannot bind; one that binds
        // without saying so, does not where it says so, or in a way that is not offered.
        ("SCRAM-SHA-256-PLUS", "p=tls-exporter", &own[..]),
        ("SCRAM-SHA-256-PLUS", "p=tls-server-end-point", &own[..]),
        ("SCRAM-SHA-256", "y", b""),
        ("SCRAM-SHA-256", "p=tls-exporter", b""),
        ("SCRAM-SHA-256-PLUS", "n", b""),
        ("SCRAM-SHA-256-PLUS", "p=tls-unique", b""),
    ] {
        let mut smtp = submission(&house).await;
        let client = Client { mechanism, flag, channel, ..ann };
        let first = format!("{flag},,n={},r=abc", house.ann);
        if !channel.is_empty() && mechanism.ends_with("PLUS") {
            let answer = log_in(&client, &mut smtp).await;
            assert!(answer.starts_with("535 5.7.8 "), "{answer}");
        } else {
            let line = format!("AUTH {mechanism} {}", STANDARD.encode(first));
            smtp.ask(&line, "535 5.7.8 ").await;
        }
    }
}

#[tokio::test]
async fn nobody_learns_by_it_who_exists() {
    let (house, _node) = House::start_with("").await;
    learned(&house).await;
    let unknown = format!("nobody@{}", house.domain);
    let mut salts = Vec::new();
    for (user, password) in [(&house.ann, "wrong"), (&unknown, "wrong"), (&unknown, PASSWORD)] {
        let mut smtp = submission(&house).await;
        let client = Client { user, password, ..ann(&house) };
        let answer = log_in(&client, &mut smtp).await;
        assert_eq!(answer, "535 5.7.8 Wrong user name or password");
        let challenge = challenge(&client, &mut smtp).await;
        salts.push(challenge.split_once(",s=").unwrap().1.to_owned());
    }
    // Asked again, an unknown user has the same salt, of the same form.
    assert_eq!(salts[1], salts[2]);
    assert_ne!(salts[0], salts[1]);
    assert_eq!(salts[0].len(), salts[1].len());
}

#[tokio::test]
async fn another_password_forgets_the_keys_of_the_old_one() {
    let (house, _node) = House::start_with("").await;
    learned(&house).await;
    let other = koltrix_mail::mail::password::hash("another password").unwrap();
    sqlx::query("UPDATE email_addresses SET password_hash = $2 WHERE address = $1")
        .bind(&house.ann)
        .bind(other)
        .execute(&server().await.pool)
        .await
        .unwrap();
    let mut smtp = submission(&house).await;
    assert!(log_in(&ann(&house), &mut smtp).await.starts_with("535 "));
}

#[tokio::test]
async fn rubbish_is_refused() {
    let house = House::start().await;
    let mut smtp = submission(&house).await;
    for rubbish in ["", "n,,n=,r=", "n,,m=1,n=a,r=b", "\u{0}"] {
        let line = format!("AUTH SCRAM-SHA-256 ={}", STANDARD.encode(rubbish));
        smtp.ask(&line, "501 5.5.2 ").await;
        let line = format!("AUTH SCRAM-SHA-256 {}", STANDARD.encode(rubbish));
        smtp.ask(line.trim_end(), if rubbish.is_empty() { "334 " } else { "501 5.5.2 " }).await;
        if rubbish.is_empty() {
            smtp.ask("*", "501 5.7.0 ").await;
        }
    }
}
