//! The ordinary conversation.

use super::{House, ingress, logged_in};
use crate::support::smtp::Smtp;

#[tokio::test]
async fn offers_what_works_and_login_only_under_tls() {
    let house = House::start().await;
    let both = [
        "PIPELINING",
        "SIZE 52428800",
        "8BITMIME",
        "SMTPUTF8",
        "CHUNKING",
        "DSN",
        "ENHANCEDSTATUSCODES",
    ];

    let mut smtp = Smtp::greeted(house.smtp).await;
    let plain = smtp.ask("EHLO client.test", "250-").await;
    assert!(both.iter().all(|word| offers(&plain, word)), "{plain}");
    assert!(offers(&plain, "STARTTLS") && !plain.contains("AUTH"), "{plain}");

    let mut smtp = Smtp::greeted(house.submission).await;
    let plain = smtp.ask("EHLO client.test", "250-").await;
    assert!(offers(&plain, "STARTTLS") && !plain.contains("AUTH"), "{plain}");

    let mut smtp = Smtp::greeted_tls(house.submission_tls).await;
    let tls = smtp.ask("EHLO client.test", "250-").await;
    assert!(both.iter().all(|word| offers(&tls, word)), "{tls}");
    assert!(
        offers(&tls, "AUTH SCRAM-SHA-256-PLUS SCRAM-SHA-256 PLAIN LOGIN")
            && !tls.contains("STARTTLS"),
        "{tls}"
    );

    // RFC 5321 §4.1.1.1: HELO gets one line.
    let mut smtp = Smtp::greeted(house.smtp).await;
    assert!(!smtp.ask("HELO client.test", "250 ").await.contains('\n'));
}

fn offers(reply: &str, word: &str) -> bool {
    reply.lines().any(|line| line.get(4..) == Some(word))
}

#[tokio::test]
async fn a_pipelined_transaction_is_answered_in_order() {
    let house = House::start().await;
    let ann = &house.ann;
    let mut smtp = ingress(&house).await;
    smtp.send(format!(
        "MAIL FROM:<x@y.test> SIZE=100\r\nRCPT TO:<{ann}>\r\nRCPT TO:<nobody@{}>\r\n\
         RCPT TO:<z@elsewhere.test>\r\nDATA\r\n",
        house.domain
    ))
    .await;
    smtp.expect("250 2.1.0 ").await;
    smtp.expect("250 2.1.5 ").await;
    smtp.expect("550 5.1.1 ").await;
    smtp.expect("550 5.7.1 ").await;
    smtp.expect("354 ").await;
    // Content may be followed by the next group at once (RFC 2920 §3.1).
    smtp.send(
        "From: x@y.test\r\nSubject: dots\r\n\r\n..\r\n..two\r\n.\r\n\
         MAIL FROM:<>\r\nRSET\r\nNOOP\r\nQUIT\r\n",
    )
    .await;
    let queued = smtp.expect("250 2.0.0 Ok: queued as ").await;
    smtp.expect("250 2.1.0 ").await;
    smtp.expect("250 2.0.0 Ok").await;
    smtp.expect("250 2.0.0 Ok").await;
    smtp.expect("221 2.0.0 ").await;
    smtp.expect_closed().await;

    let message = house.only_message_of(&house.ann).await;
    assert!(message.ends_with("Subject: dots\r\n\r\n.\r\n.two\r\n"), "{message}");
    // RFC 5321 §4.4: the queue id of the answer stands in Received, with how it came.
    let queue_id = queued.rsplit(' ').next().unwrap();
    let received: Vec<&str> = message.split("\r\nFrom:").take(1).collect();
    assert!(received[0].contains(queue_id), "{message}");
    assert!(received[0].contains("client.test") && received[0].contains("ESMTP"), "{message}");
}

#[tokio::test]
async fn order_matters() {
    let house = House::start().await;
    let ann = &house.ann;
    let mut smtp = Smtp::greeted(house.smtp).await;
    smtp.ask("MAIL FROM:<x@y.test>", "503 5.5.1 ").await;
    smtp.ask("EHLO client.test", "250-").await;
    smtp.ask(&format!("RCPT TO:<{ann}>"), "503 5.5.1 ").await;
    smtp.ask("DATA", "503 5.5.1 ").await;
    smtp.ask("MAIL FROM:<x@y.test>", "250 2.1.0 ").await;
    smtp.ask("MAIL FROM:<x@y.test>", "503 5.5.1 ").await;
    smtp.ask("DATA", "554 5.5.1 ").await;
    // EHLO starts over (RFC 5321 §4.1.4).
    smtp.ask("EHLO client.test", "250-").await;
    smtp.ask(&format!("RCPT TO:<{ann}>"), "503 5.5.1 ").await;
    smtp.ask("LHLO client.test", "500 5.5.1 ").await;
    smtp.ask("ETRN x", "500 5.5.1 ").await;
    smtp.ask("HELP", "214-2.0.0 ").await;
}

#[tokio::test]
async fn nobody_learns_who_exists() {
    let house = House::start().await;
    for mut smtp in [ingress(&house).await, logged_in(&house).await] {
        let known = smtp.ask(&format!("VRFY {}", house.ann), "252 ").await;
        assert_eq!(smtp.ask("VRFY nobody", "252 ").await, known);
        smtp.ask("EXPN staff", "502 5.5.1 ").await;
    }
}

#[tokio::test]
async fn a_recipient_given_twice_gets_one_copy() {
    let house = House::start().await;
    let ann = &house.ann;
    let mut smtp = ingress(&house).await;
    smtp.ask("MAIL FROM:<x@y.test>", "250 ").await;
    smtp.ask(&format!("RCPT TO:<{ann}>"), "250 2.1.5 ").await;
    smtp.ask(&format!("RCPT TO:<{}>", ann.to_uppercase()), "250 2.1.5 ").await;
    smtp.ask("DATA", "354 ").await;
    smtp.send("From: x@y.test\r\n\r\nonce\r\n.\r\n").await;
    smtp.expect("250 2.0.0 Ok: queued as ").await;
    assert_eq!(house.messages_of(&house.ann).await, 1);
}

#[tokio::test]
async fn utf8_is_said_before_it_is_used() {
    let house = House::start().await;
    let mut smtp = ingress(&house).await;
    smtp.ask("MAIL FROM:<jürgen@y.test>", "553 5.6.7 ").await;
    smtp.ask("MAIL FROM:<x@y.test>", "250 ").await;
    smtp.ask("RCPT TO:<jürgen@y.test>", "553 5.6.7 ").await;
    smtp.ask("RSET", "250 ").await;
    smtp.ask("MAIL FROM:<jürgen@y.test> SMTPUTF8", "250 ").await;
    smtp.ask("RCPT TO:<jürgen@y.test>", "550 5.7.1 ").await;
}

#[tokio::test]
async fn one_transaction_may_be_for_many_organisations() {
    let (here, there) = (House::start().await, House::start().await);
    let mut smtp = ingress(&here).await;
    let to = [here.ann.as_str(), &here.bob, &there.ann];
    smtp.deliver("x@y.test", &to, b"From: x@y.test\r\n\r\nto all of you\r\n").await;
    for (house, address) in [(&here, &here.ann), (&here, &here.bob), (&there, &there.ann)] {
        assert_eq!(house.messages_of(address).await, 1, "{address}");
    }
    // Who else was in the envelope is nobody's business.
    let message = there.only_message_of(&there.ann).await;
    assert!(!message.contains(&here.domain), "{message}");
}

#[tokio::test]
async fn somebody_is_the_postmaster() {
    // RFC 5321 §4.5.1: the one that is configured, or whoever can be found.
    let reader = House::start().await;
    let settings = format!("[smtp]\npostmaster = \"{}\"\n", reader.ann);
    let (house, _node) = House::start_with(&settings).await;
    let mut smtp = ingress(&house).await;
    smtp.deliver("x@y.test", &["Postmaster"], b"From: x@y.test\r\n\r\nhelp\r\n").await;
    let message = reader.only_message_of(&reader.ann).await;
    assert!(message.ends_with("\r\n\r\nhelp\r\n"), "{message}");

    let mut smtp = ingress(&reader).await;
    smtp.ask("MAIL FROM:<x@y.test>", "250 ").await;
    smtp.ask("RCPT TO:<postMaster>", "250 2.1.5 ").await;
}
