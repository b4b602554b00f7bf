//! BDAT (RFC 3030).

use super::{House, ingress};
use crate::support::smtp::Smtp;

async fn envelope(smtp: &mut Smtp, house: &House) {
    smtp.ask("MAIL FROM:<x@y.test>", "250 2.1.0 ").await;
    smtp.ask(&format!("RCPT TO:<{}>", house.ann), "250 2.1.5 ").await;
}

#[tokio::test]
async fn chunks_make_a_message() {
    let house = House::start().await;
    let mut smtp = ingress(&house).await;
    envelope(&mut smtp, &house).await;
    // Dots are content here, and a chunk may end anywhere, within a line break too.
    smtp.send("BDAT 33\r\nFrom: x@y.test\r\nSubject: parts\r\n\rBDAT 13\r\n\n.\r\n..\r\nend\r\nBDAT 0 LAST\r\n").await;
    smtp.expect("250 2.0.0 Ok: 33 octets").await;
    smtp.expect("250 2.0.0 Ok: 13 octets").await;
    smtp.expect("250 2.0.0 Ok: queued as ").await;
    let message = house.only_message_of(&house.ann).await;
    assert!(message.ends_with("Subject: parts\r\n\r\n.\r\n..\r\nend\r\n"), "{message}");
}

#[tokio::test]
async fn chunks_and_data_do_not_mix() {
    let house = House::start().await;
    let mut smtp = ingress(&house).await;
    envelope(&mut smtp, &house).await;
    smtp.send("BDAT 3\r\nabc").await;
    smtp.expect("250 ").await;
    smtp.ask("DATA", "503 5.5.1 ").await;
    smtp.ask("MAIL FROM:<x@y.test>", "503 5.5.1 ").await;
    smtp.ask("RCPT TO:<x@y.test>", "503 5.5.1 ").await;
    smtp.ask("RSET", "250 ").await;
    envelope(&mut smtp, &house).await;
    assert_eq!(house.messages_of(&house.ann).await, 0);
}

#[tokio::test]
async fn a_refused_chunk_is_read_all_the_same() {
    let house = House::start().await;
    let mut smtp = ingress(&house).await;
    smtp.send("BDAT 6 LAST\r\nQUIT\r\nNOOP\r\n").await;
    smtp.expect("503 5.5.1 ").await;
    smtp.expect("250 2.0.0 Ok").await;

    smtp.ask("MAIL FROM:<x@y.test>", "250 ").await;
    smtp.send("RCPT TO:<z@elsewhere.test>\r\nBDAT 6\r\nQUIT\r\nBDAT 6 LAST\r\nQUIT\r\nNOOP\r\n")
        .await;
    smtp.expect("550 5.7.1 ").await;
    smtp.expect("554 5.5.1 ").await;
    smtp.expect("554 5.5.1 ").await;
    smtp.expect("250 2.0.0 Ok").await;
}

#[tokio::test]
async fn chunks_are_summed_against_the_limit() {
    let (house, _node) = House::start_with("[limits]\nmessage_size = 100\n").await;
    let mut smtp = ingress(&house).await;
    envelope(&mut smtp, &house).await;
    let (most, more) = ("a".repeat(99), "b".repeat(2));
    smtp.send(format!("BDAT 99\r\n{most}BDAT 2\r\n{more}BDAT 2 LAST\r\n{more}NOOP\r\n")).await;
    smtp.expect("250 ").await;
    smtp.expect("552 5.3.4 ").await;
    smtp.expect("552 5.3.4 ").await;
    smtp.expect("250 2.0.0 Ok").await;
    assert_eq!(house.messages_of(&house.ann).await, 0);
}

#[tokio::test]
async fn a_size_nobody_can_read_ends_the_connection() {
    let house = House::start().await;
    for size in ["", "x", "-1", "99999999999999999999999", "5 FIRST"] {
        let mut smtp = ingress(&house).await;
        envelope(&mut smtp, &house).await;
        smtp.ask(&format!("BDAT {size}"), "501 5.5.4 ").await;
        smtp.expect_closed().await;
    }
}
