//! How much one peer may ask for.

use super::{House, ingress, logged_in};
use crate::support::smtp::Smtp;

#[tokio::test]
async fn a_message_over_the_limit_is_refused_early_or_late() {
    let (house, _node) = House::start_with("[limits]\nmessage_size = 1000\n").await;
    let ann = &house.ann;
    let mut smtp = ingress(&house).await;
    smtp.ask("MAIL FROM:<x@y.test> SIZE=1001", "552 5.3.4 ").await;
    smtp.ask("MAIL FROM:<x@y.test> SIZE=99999999999999999999", "552 5.3.4 ").await;
    // What is announced is not always true.
    smtp.ask("MAIL FROM:<x@y.test> SIZE=10", "250 ").await;
    smtp.ask(&format!("RCPT TO:<{ann}>"), "250 ").await;
    smtp.ask("DATA", "354 ").await;
    smtp.send(format!("From: x@y.test\r\n\r\n{}.\r\nNOOP\r\n", "RSET\r\n".repeat(200_000))).await;
    smtp.expect("552 5.3.4 ").await;
    smtp.expect("250 2.0.0 Ok").await;
    assert_eq!(house.messages_of(&house.ann).await, 0);
}

#[tokio::test]
async fn recipients_are_limited_not_refused() {
    let (house, _node) = House::start_with("[limits]\nrecipients = 2\n").await;
    let mut smtp = ingress(&house).await;
    smtp.ask("MAIL FROM:<x@y.test>", "250 ").await;
    let (ann, bob) = (&house.ann, &house.bob);
    let detail = ann.replace('@', "+more@");
    smtp.ask(&format!("RCPT TO:<{ann}>"), "250 2.1.5 ").await;
    smtp.ask(&format!("RCPT TO:<{bob}>"), "250 2.1.5 ").await;
    smtp.ask(&format!("RCPT TO:<{detail}>"), "452 4.5.3 ").await;
    smtp.ask(&format!("RCPT TO:<{bob}>"), "250 2.1.5 ").await;
}

#[tokio::test]
async fn the_twentieth_error_is_the_last() {
    let house = House::start().await;
    let mut smtp = ingress(&house).await;
    for _ in 0..19 {
        smtp.ask("HELLO?", "500 5.5.1 ").await;
    }
    smtp.ask("NOOP", "250 ").await;
    smtp.ask("HELLO?", "500 5.5.1 ").await;
    smtp.expect("421 4.7.0 ").await;
    smtp.expect_closed().await;
}

#[tokio::test]
async fn lines_end_with_crlf_and_hold_no_nul() {
    let house = House::start().await;
    for line in ["NOOP\nNOOP\r\n", "NOOP\rNOOP\r\n", "NOOP \0\r\n", "NOOP\n"] {
        let mut smtp = ingress(&house).await;
        smtp.send(line).await;
        smtp.expect("521 5.5.2 ").await;
        smtp.expect_closed().await;
    }
}

#[tokio::test]
async fn a_long_line_is_thrown_away_and_no_more() {
    let house = House::start().await;
    let mut smtp = ingress(&house).await;
    smtp.ask(&format!("NOOP {}", "x".repeat(2041)), "250 ").await;
    smtp.ask(&format!("NOOP {}", "x".repeat(2042)), "500 5.5.2 ").await;
    smtp.ask(&"x".repeat(1_000_000), "500 5.5.2 ").await;
    smtp.ask("NOOP", "250 2.0.0 Ok").await;
}

#[tokio::test]
async fn whoever_speaks_out_of_turn_is_not_heard() {
    let house = House::start().await;
    // Before the greeting. On a busy machine the bytes may come too late to be seen by it.
    let mut answer = String::new();
    for _ in 0..100 {
        let mut smtp = Smtp::connect(house.smtp).await;
        smtp.send("EHLO client.test\r\n").await;
        answer = smtp.reply().await;
        if answer.starts_with("521 5.5.0 ") {
            smtp.expect_closed().await;
            break;
        }
    }
    assert!(answer.starts_with("521 5.5.0 "), "{answer}");
    // Behind EHLO and behind DATA (RFC 2920 §3.1).
    let mut smtp = Smtp::greeted(house.smtp).await;
    smtp.send("EHLO client.test\r\nMAIL FROM:<x@y.test>\r\n").await;
    smtp.expect("521 5.5.0 ").await;
    smtp.expect_closed().await;
    let mut smtp = ingress(&house).await;
    smtp.ask("MAIL FROM:<x@y.test>", "250 ").await;
    smtp.ask(&format!("RCPT TO:<{}>", house.ann), "250 ").await;
    smtp.send("DATA\r\nFrom: x@y.test\r\n\r\nhasty\r\n.\r\n").await;
    smtp.expect("521 5.5.0 ").await;
    smtp.expect_closed().await;
    assert_eq!(house.messages_of(&house.ann).await, 0);
}

#[tokio::test]
async fn silence_and_a_trickle_are_not_waited_for() {
    let (house, _node) =
        House::start_with("[timeouts]\nsmtp_command = \"2s\"\nsmtp_data = \"300ms\"\n").await;
    let mut smtp = ingress(&house).await;
    smtp.expect("421 4.4.2 ").await;
    smtp.expect_closed().await;

    let mut smtp = ingress(&house).await;
    smtp.ask("MAIL FROM:<x@y.test>", "250 ").await;
    smtp.ask(&format!("RCPT TO:<{}>", house.ann), "250 ").await;
    smtp.ask("DATA", "354 ").await;
    smtp.send("From: x@y.test\r\n").await;
    smtp.expect("421 4.4.2 ").await;
    smtp.expect_closed().await;
}

#[tokio::test]
async fn a_handshake_has_its_time() {
    let (house, _node) = House::start_with("[timeouts]\ntls_handshake = \"300ms\"\n").await;
    Smtp::connect(house.submission_tls).await.expect_closed().await;
    let mut smtp = ingress(&house).await;
    smtp.ask("STARTTLS", "220 ").await;
    smtp.send(b"\x16\x03\x01").await;
    smtp.expect_closed().await;
}

#[tokio::test]
async fn one_address_gets_its_share_of_connections() {
    let (house, _node) = House::start_with("[limits]\nconnections_per_address = 2\n").await;
    let first = ingress(&house).await;
    let _second = ingress(&house).await;
    let mut third = Smtp::connect(house.smtp).await;
    third.expect("421 4.7.0 ").await;
    third.expect_closed().await;
    drop(first);
    // The place is free once the server has seen the end of the first one.
    while !Smtp::connect(house.smtp).await.reply().await.starts_with("220 ") {}
}

#[tokio::test]
async fn connections_and_messages_have_their_rate() {
    let (house, _node) =
        House::start_with("[limits]\nconnections_per_minute = 2\nmessages_per_hour = 2\n").await;
    let mut smtp = ingress(&house).await;
    let _second = ingress(&house).await;
    let mut third = Smtp::connect(house.smtp).await;
    third.expect("421 4.7.0 ").await;
    third.expect_closed().await;
    // Over all listeners and all connections, and whether the message comes or not.
    smtp.ask("MAIL FROM:<x@y.test>", "250 ").await;
    smtp.ask("RSET", "250 ").await;
    smtp.ask("MAIL FROM:<x@y.test>", "250 ").await;
    smtp.ask("RSET", "250 ").await;
    smtp.ask("MAIL FROM:<x@y.test>", "450 4.7.1 ").await;
    let mut other = logged_in(&house).await;
    other.ask(&format!("MAIL FROM:<{}>", house.ann), "450 4.7.1 ").await;
}

#[tokio::test]
async fn the_network_has_a_rate_as_well() {
    let (house, _node) = House::start_with(
        "[limits]\nconnections_per_minute_network = 1\nmessages_per_hour_network = 1\n",
    )
    .await;
    let mut smtp = ingress(&house).await;
    let mut second = Smtp::connect(house.smtp).await;
    second.expect("421 4.7.0 ").await;
    smtp.ask("MAIL FROM:<x@y.test>", "250 ").await;
    smtp.ask("RSET", "250 ").await;
    smtp.ask("MAIL FROM:<x@y.test>", "450 4.7.1 ").await;
}

#[tokio::test]
async fn storing_takes_its_time_and_no_longer() {
    let (house, _node) = House::start_with("[timeouts]\nprocessing = \"2s\"\n").await;
    let mut smtp = ingress(&house).await;
    let message = b"From: x@y.test\r\nSubject: slow\r\n\r\npatience\r\n";
    let envelope = ["MAIL FROM:<x@y.test>".to_owned(), format!("RCPT TO:<{}>", house.ann)];
    let held = house.hold_mail().await;
    for line in &envelope {
        smtp.ask(line, "250 ").await;
    }
    smtp.ask("DATA", "354 ").await;
    smtp.send([&message[..], b".\r\n"].concat()).await;
    // Doubt is temporary (RFC 5321 §4.2.1).
    smtp.expect("451 4.3.0 ").await;
    // Postgres gives it up as well: nothing is left that could be stored once it can be.
    while house.somebody_waits().await {}
    held.rollback().await.unwrap();
    assert_eq!(house.messages_of(&house.ann).await, 0);
    smtp.deliver("x@y.test", &[&house.ann], message).await;
    assert_eq!(house.messages_of(&house.ann).await, 1);
}

#[tokio::test]
async fn what_the_disk_cannot_hold_is_put_off() {
    let (house, _node) = House::start_with("[limits]\nmessage_size = \"1000000GiB\"\n").await;
    let mut smtp = ingress(&house).await;
    smtp.ask("MAIL FROM:<x@y.test> SIZE=1000000000000000", "452 4.3.1 ").await;
    smtp.ask("MAIL FROM:<x@y.test> SIZE=1000", "250 ").await;
}
