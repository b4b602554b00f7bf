//! STARTTLS (RFC 3207), and what an attacker slips in before it (CVE-2011-0411).

use koltrix_mail::net::tls::{Roots, ServerTls};

use super::{House, ingress};
use crate::support::smtp::Smtp;

#[tokio::test]
async fn plain_text_slipped_in_is_never_carried_out() {
    let house = House::start().await;
    for port in [house.smtp, house.submission] {
        let mut smtp = Smtp::greeted(port).await;
        smtp.ask("EHLO client.test", "250-").await;
        smtp.send("STARTTLS\r\nEHLO injected.test\r\nRSET\r\n").await;
        smtp.expect("220 ").await;
        let mut smtp = smtp.handshake().await.unwrap();
        // Nothing was said for the client, so it is not greeted, and no answer is in the way.
        smtp.ask("MAIL FROM:<x@y.test>", "503 5.5.1 ").await;
        smtp.ask("EHLO client.test", "250-").await;
    }
}

#[tokio::test]
async fn all_is_forgotten_and_once_is_enough() {
    let house = House::start().await;
    let mut smtp = ingress(&house).await;
    smtp.ask("MAIL FROM:<x@y.test>", "250 ").await;
    smtp.ask("STARTTLS", "220 2.0.0 ").await;
    let mut smtp = smtp.handshake().await.unwrap();
    smtp.ask(&format!("RCPT TO:<{}>", house.ann), "503 5.5.1 ").await;
    let offer = smtp.ask("EHLO client.test", "250-").await;
    assert!(!offer.contains("STARTTLS"), "{offer}");
    smtp.ask("STARTTLS", "503 5.5.1 ").await;
}

#[tokio::test]
async fn received_says_what_protected_the_message() {
    let house = House::start().await;
    let mut smtp = Smtp::greeted(house.smtp).await.starttls().await;
    smtp.ask("MAIL FROM:<x@y.test>", "250 ").await;
    smtp.ask(&format!("RCPT TO:<{}>", house.ann), "250 ").await;
    smtp.ask("DATA", "354 ").await;
    smtp.send("From: x@y.test\r\n\r\nsecured\r\n.\r\n").await;
    smtp.expect("250 ").await;
    let message = house.only_message_of(&house.ann).await;
    assert!(message.contains("ESMTPS") && message.contains("TLSv1.3"), "{message}");
}

#[tokio::test]
async fn a_failed_handshake_ends_the_connection() {
    let house = House::start().await;
    let mut smtp = ingress(&house).await;
    smtp.ask("STARTTLS", "220 ").await;
    smtp.send("MAIL FROM:<x@y.test>\r\n").await;
    assert!(smtp.handshake().await.is_err());
}

#[tokio::test]
async fn a_hosted_name_has_its_own_certificate_once_the_server_is_told() {
    let (house, _node) = House::start_with("").await;
    let name = format!("mail.{}", house.domain);
    let folder = house.certs.join(&name);
    ServerTls::open(folder.clone(), &name).unwrap();
    let roots = Roots::load(&folder.join("ca.pem")).unwrap();
    let greeted =
        async || Smtp::connect(house.submission_tls).await.handshake_with(&name).await.unwrap();
    assert!(!greeted().await.proves(&roots, &name));
    let this = rustix::process::getpid();
    rustix::process::kill_process(this, rustix::process::Signal::HUP).unwrap();
    while !greeted().await.proves(&roots, &name) {}
}
