//! Logging in (RFC 4954), and not without TLS (RFC 8314).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::{House, ingress, plain};
use crate::support::server::PASSWORD;
use crate::support::smtp::Smtp;

async fn submission(house: &House) -> Smtp {
    let mut smtp = Smtp::greeted_tls(house.submission_tls).await;
    smtp.ask("EHLO client.test", "250-").await;
    smtp
}

#[tokio::test]
async fn not_before_tls_and_not_on_ingress() {
    let house = House::start().await;
    let secret = plain(&house.ann, PASSWORD);
    let mut smtp = Smtp::greeted(house.submission).await;
    smtp.ask("EHLO client.test", "250-").await;
    smtp.ask(&format!("AUTH PLAIN {secret}"), "538 5.7.11 ").await;
    smtp.ask("AUTH LOGIN", "538 5.7.11 ").await;
    smtp.ask("MAIL FROM:<x@y.test>", "530 5.7.0 ").await;
    ingress(&house).await.ask(&format!("AUTH PLAIN {secret}"), "502 5.5.1 ").await;
}

#[tokio::test]
async fn plain_and_login_in_all_their_forms() {
    let house = House::start().await;
    let (user, password) = (&house.ann, PASSWORD);
    let secret = plain(user, password);
    let (user, password) = (STANDARD.encode(user), STANDARD.encode(password));

    submission(&house).await.ask(&format!("AUTH PLAIN {secret}"), "235 2.7.0 ").await;

    let mut smtp = submission(&house).await;
    assert_eq!(smtp.ask("auth plain", "334").await, "334 ");
    smtp.ask(&secret, "235 2.7.0 ").await;
    smtp.ask(&format!("AUTH PLAIN {secret}"), "503 5.5.1 ").await;

    let mut smtp = submission(&house).await;
    smtp.ask("AUTH LOGIN", "334 VXNlcm5hbWU6").await;
    smtp.ask(&user, "334 UGFzc3dvcmQ6").await;
    smtp.ask(&password, "235 2.7.0 ").await;

    let mut smtp = submission(&house).await;
    smtp.ask(&format!("AUTH LOGIN {user}"), "334 UGFzc3dvcmQ6").await;
    smtp.ask(&password, "235 2.7.0 ").await;
}

#[tokio::test]
async fn every_failure_sounds_the_same() {
    // On a node of its own: failures count against this address, on which all tests are.
    let (house, _node) = House::start_with("").await;
    let ann = &house.ann;
    let mut smtp = submission(&house).await;
    let wrong = smtp.ask(&format!("AUTH PLAIN {}", plain(ann, "wrong")), "535 5.7.8 ").await;
    for secret in [
        plain(&format!("nobody@{}", house.domain), "wrong"),
        plain("not an address", "wrong"),
        // Ann's own password does not make her Bob.
        STANDARD.encode(format!("{}\0{ann}\0{}", house.bob, PASSWORD)),
    ] {
        assert_eq!(smtp.ask(&format!("AUTH PLAIN {secret}"), "535").await, wrong);
    }
    smtp.ask("MAIL FROM:<x@y.test>", "530 5.7.0 ").await;
}

#[tokio::test]
async fn rubbish_is_refused_and_the_client_may_give_up() {
    let house = House::start().await;
    let mut smtp = submission(&house).await;
    smtp.ask("AUTH PLAIN !!!", "501 5.5.2 ").await;
    smtp.ask("AUTH PLAIN =", "501 5.5.2 ").await;
    smtp.ask("AUTH GSSAPI", "504 5.5.4 ").await;
    smtp.ask("AUTH PLAIN", "334 ").await;
    smtp.ask("*", "501 5.7.0 ").await;
    // RFC 4954 §4: lines of the exchange may have 12,288 octets, and no more.
    smtp.ask("AUTH PLAIN", "334 ").await;
    smtp.ask(&"A".repeat(12_284), "501 5.5.2 ").await;
    smtp.ask("AUTH PLAIN", "334 ").await;
    smtp.ask(&"A".repeat(12_288), "500 5.5.6 ").await;
    smtp.ask("NOOP", "250 ").await;
}
