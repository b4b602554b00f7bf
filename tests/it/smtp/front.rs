//! Servers in front: PROXY protocol v2 and XCLIENT, from those who may and from nobody else.

use super::{House, ingress};
use crate::support::smtp::Smtp;

/// The header of a proxy that speaks for 203.0.113.7, port 54321.
const FOR_A_CLIENT: &[u8] =
    b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\xcb\0\x71\x07\x7f\0\0\x01\xd4\x31\0\x19";

async fn deliver(smtp: &mut Smtp, house: &House) -> String {
    smtp.deliver("x@y.test", &[&house.ann], b"From: x@y.test\r\n\r\nthrough\r\n").await;
    house.only_message_of(&house.ann).await
}

#[tokio::test]
async fn a_proxy_says_who_is_there() {
    let (house, _node) = House::start_with(
        "[smtp]\nproxies = [\"127.0.0.0/8\"]\n[limits]\nconnections_per_address = 1\n",
    )
    .await;
    let mut smtp = Smtp::connect(house.smtp).await;
    // In pieces: a proxy's packets end where they like.
    smtp.send(&FOR_A_CLIENT[..20]).await;
    smtp.send(&FOR_A_CLIENT[20..]).await;
    smtp.expect("220 ").await;
    smtp.ask("EHLO client.test", "250-").await;
    let message = deliver(&mut smtp, &house).await;
    assert!(message.contains("[203.0.113.7]") && !message.contains("127.0.0.1"), "{message}");
    // The bounds are the client's, not the proxy's.
    let mut again = Smtp::connect(house.smtp).await;
    again.send(FOR_A_CLIENT).await;
    again.expect("421 4.7.0 ").await;
    let mut own = Smtp::connect(house.smtp).await;
    own.send(b"\r\n\r\n\0\r\nQUIT\n\x20\0\0\0").await;
    own.expect("220 ").await;
}

#[tokio::test]
async fn a_proxy_that_does_not_say_so_is_not_heard() {
    let (house, _node) = House::start_with("[smtp]\nproxies = [\"127.0.0.0/8\"]\n").await;
    for header in [
        &b"EHLO client.test\r\nEHLO\r\n"[..],
        b"PROXY TCP4 203.0.113.7 127.0.0.1 54321 25\r\n",
        b"\r\n\r\n\0\r\nQUIT\n\x21\x12\0\x0c\xcb\0\x71\x07\x7f\0\0\x01\xd4\x31\0\x19",
        b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x04\xcb\0\x71\x07",
        b"\r\n\r\n\0\r\nQUIT\n\x21\x11\xff\xff",
    ] {
        let mut smtp = Smtp::connect(house.smtp).await;
        smtp.send(header).await;
        smtp.expect_closed().await;
    }
}

#[tokio::test]
async fn nobody_else_can_pretend() {
    let (house, _node) =
        House::start_with("[smtp]\nproxies = [\"192.0.2.1/32\"]\nxclient = [\"192.0.2.1/32\"]\n")
            .await;
    // What a proxy would say is talk before the greeting; on a busy machine it may come too late
    // for that, and then it is rubbish.
    let mut smtp = Smtp::connect(house.smtp).await;
    smtp.send(FOR_A_CLIENT).await;
    let answer = smtp.reply().await;
    assert!(answer.starts_with("521 ") || answer.starts_with("220 "), "{answer}");

    let mut smtp = Smtp::greeted(house.smtp).await;
    let offer = smtp.ask("EHLO client.test", "250-").await;
    assert!(!offer.contains("XCLIENT"), "{offer}");
    smtp.ask("XCLIENT ADDR=203.0.113.7", "550 5.7.0 ").await;
    let message = deliver(&mut smtp, &house).await;
    assert!(message.contains("[127.0.0.1]") && !message.contains("203.0.113.7"), "{message}");
}

#[tokio::test]
async fn a_server_in_front_speaks_for_its_client() {
    let (house, _node) = House::start_with("[smtp]\nxclient = [\"127.0.0.1/32\"]\n").await;
    let mut smtp = Smtp::greeted(house.smtp).await;
    let offer = smtp.ask("EHLO front.test", "250-").await;
    assert!(offer.contains("\n250 XCLIENT NAME ") || offer.contains("-XCLIENT NAME "), "{offer}");
    smtp.ask("XCLIENT LOGIN=ann", "501 5.5.4 ").await;
    smtp.ask("MAIL FROM:<x@y.test>", "250 ").await;
    smtp.ask("XCLIENT ADDR=203.0.113.7", "503 5.5.1 ").await;
    smtp.ask("RSET", "250 ").await;
    let said =
        "XCLIENT NAME=[UNAVAILABLE] ADDR=203.0.113.7 PORT=54321 PROTO=ESMTP HELO=client.test";
    // A session of the client's own: it begins with the greeting.
    smtp.ask(said, "220 ").await;
    smtp.ask("MAIL FROM:<x@y.test>", "503 5.5.1 ").await;
    smtp.ask("EHLO front.test", "250-").await;
    let message = deliver(&mut smtp, &house).await;
    assert!(
        message.contains("from client.test (") && message.contains("[203.0.113.7]"),
        "{message}"
    );
    assert!(!message.contains("front.test"), "{message}");
}

#[tokio::test]
async fn what_follows_is_for_the_next_session() {
    let (house, _node) = House::start_with("[smtp]\nxclient = [\"127.0.0.1/32\"]\n").await;
    let mut smtp = ingress(&house).await;
    smtp.send("XCLIENT ADDR=203.0.113.7\r\nMAIL FROM:<x@y.test>\r\n").await;
    smtp.expect("521 5.5.0 ").await;
    smtp.expect_closed().await;
}
