//! No open relay (RFC 5321 §7.1), by any of the shapes that have made one.

use super::{House, ingress, logged_in};

#[tokio::test]
async fn every_relay_shape_is_refused_on_ingress() {
    let house = House::start().await;
    let domain = &house.domain;
    let shapes = [
        "z@elsewhere.test".to_owned(),
        format!("z%elsewhere.test@{domain}"),
        format!("elsewhere.test!z@{domain}"),
        format!("@{domain}:z@elsewhere.test"),
        format!("@a.test,@{domain}:z@elsewhere.test"),
        format!("z@elsewhere.test@{domain}"),
        format!("\"z@elsewhere.test\"@{domain}"),
        format!("\"z%elsewhere.test\"@{domain}"),
        "z@[127.0.0.1]".to_owned(),
        "z@[IPv6:::1]".to_owned(),
        "z@127.0.0.1".to_owned(),
        "z@localhost".to_owned(),
        format!("z%elsewhere.test%{domain}"),
        "z".to_owned(),
    ];
    let mut smtp = ingress(&house).await;
    smtp.ask("MAIL FROM:<x@y.test>", "250 ").await;
    for shape in shapes {
        let answer = smtp.ask(&format!("RCPT TO:<{shape}>"), "55").await;
        assert!(
            answer.starts_with("550 5.7.1 ") || answer.starts_with("553 5.1.3 "),
            "{shape}: {answer}"
        );
    }
    smtp.ask("DATA", "554 5.5.1 ").await;
}

#[tokio::test]
async fn a_login_opens_the_way_out_but_only_for_ones_own_name() {
    let house = House::start().await;
    let mut smtp = logged_in(&house).await;
    smtp.ask(&format!("MAIL FROM:<{}>", house.bob), "550 5.7.1 ").await;
    smtp.ask("MAIL FROM:<x@elsewhere.test>", "550 5.7.1 ").await;
    smtp.ask(&format!("MAIL FROM:<{}>", house.ann), "250 ").await;
    smtp.ask("RCPT TO:<z@elsewhere.test>", "250 2.1.5 ").await;
    smtp.ask(&format!("RCPT TO:<z%elsewhere.test@{}>", house.domain), "553 5.1.3 ").await;
    smtp.ask(&format!("RCPT TO:<nobody@{}>", house.domain), "550 5.1.1 ").await;
}

#[tokio::test]
async fn the_author_is_the_one_who_logged_in() {
    let house = House::start().await;
    let (ann, bob) = (&house.ann, &house.bob);
    let mut smtp = logged_in(&house).await;
    for (header, answer) in [
        (format!("From: {bob}\r\n"), "550 5.7.1 "),
        (format!("From: {ann}, {bob}\r\n"), "55"),
        (format!("From: {ann}\r\nFrom: {bob}\r\n"), "554 5.6.0 "),
        (format!("From: {ann}\r\nSender: {bob}\r\n"), "550 5.7.1 "),
        (format!("From: {ann}\r\nResent-From: {bob}\r\n"), "550 5.7.1 "),
        (format!("From: {ann}\r\n"), "250 2.0.0 Ok: queued as "),
    ] {
        smtp.ask(&format!("MAIL FROM:<{ann}>"), "250 ").await;
        smtp.ask(&format!("RCPT TO:<{bob}>"), "250 ").await;
        smtp.ask("DATA", "354 ").await;
        smtp.send(format!("{header}Subject: who\r\n\r\nam I\r\n.\r\n")).await;
        smtp.expect(answer).await;
    }
}
