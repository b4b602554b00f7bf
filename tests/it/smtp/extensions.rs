//! What a message may ask for: BINARYMIME (RFC 3030), REQUIRETLS (RFC 8689), FUTURERELEASE
//! (RFC 4865), LIMITS (RFC 9422), reports (RFC 3461).

use std::time::Duration;

use sqlx::Row as _;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::{House, ingress, logged_in};
use crate::support::server::server;
use crate::support::smtp::Smtp;

const BINARY: &str = "From: x@y.test\r\nMIME-Version: 1.0\r\nContent-Type: image/x\r\n\
    Content-Transfer-Encoding: binary\r\n\r\na\nb\rc\0d\n.\n";

/// The message by BDAT in one chunk; returns the answer.
async fn bdat(smtp: &mut Smtp, content: &str) -> String {
    smtp.send(format!("BDAT {} LAST\r\n{content}", content.len())).await;
    smtp.reply().await
}

async fn binary(smtp: &mut Smtp, from: &str, to: &str) {
    smtp.ask(&format!("MAIL FROM:<{from}> BODY=BINARYMIME"), "250 2.1.0 ").await;
    smtp.ask(&format!("RCPT TO:<{to}>"), "250 2.1.5 ").await;
}

#[tokio::test]
async fn binary_content_comes_by_bdat_and_stays_as_it_is() {
    let house = House::start().await;
    let mut smtp = ingress(&house).await;
    binary(&mut smtp, "x@y.test", &house.ann).await;
    // RFC 3030 §3: DATA cannot carry it.
    smtp.ask("DATA", "503 5.5.1 ").await;
    assert!(bdat(&mut smtp, BINARY).await.starts_with("250 "));
    assert!(house.only_message_of(&house.ann).await.ends_with(BINARY));
    // The header is lines all the same: no field is there for one reader and not for another.
    for header in ["From: x@y.test\nFrom: z@y.test\r\n\r\n", "From: x@y.test\0\r\n\r\n"] {
        binary(&mut smtp, "x@y.test", &house.bob).await;
        assert!(bdat(&mut smtp, header).await.starts_with("554 5.6.0 "));
    }
    // And nobody who did not say so may send it.
    smtp.ask("MAIL FROM:<x@y.test> BODY=8BITMIME", "250 ").await;
    smtp.ask(&format!("RCPT TO:<{}>", house.bob), "250 ").await;
    assert!(bdat(&mut smtp, BINARY).await.starts_with("554 5.6.0 "));
    assert_eq!(house.messages_of(&house.bob).await, 0);
}

#[tokio::test]
async fn binary_content_leaves_as_base64() {
    let house = House::with_keys().await;
    let (mx, domain) = server().await.remote(false).await;
    let mut smtp = logged_in(&house).await;
    binary(&mut smtp, &house.ann, &format!("bob@{domain}")).await;
    let content = BINARY.replace("x@y.test", &house.ann);
    assert!(bdat(&mut smtp, &content).await.starts_with("250 "));
    let received = mx.wait_for(1).await.remove(0);
    let text = String::from_utf8(received.data).unwrap();
    assert!(text.contains("\r\nContent-Transfer-Encoding: base64\r\n"), "{text}");
    assert!(text.ends_with("\r\n\r\nYQpiDWMAZAouCg==\r\n"), "{text}");
}

#[tokio::test]
async fn tls_is_required_of_everybody_or_nothing_is_sent() {
    let house = House::with_keys().await;
    let server = server().await;
    // It offers REQUIRETLS and has proven its name.
    let (good, good_domain) = server.proven_remote().await;
    good.offer(&["REQUIRETLS"]);
    // It offers that under a name that nobody vouches for; it does not offer it.
    let (unknown, unknown_domain) = server.remote(true).await;
    unknown.offer(&["REQUIRETLS"]);
    let (old, old_domain) = server.proven_remote().await;
    let mut smtp = logged_in(&house).await;
    smtp.ask(&format!("MAIL FROM:<{}> REQUIRETLS", house.ann), "250 ").await;
    for domain in [&good_domain, &unknown_domain, &old_domain] {
        smtp.ask(&format!("RCPT TO:<bob@{domain}>"), "250 ").await;
    }
    smtp.ask("DATA", "354 ").await;
    smtp.send(format!("From: {}\r\n\r\nsecret\r\n.\r\n", house.ann)).await;
    let queued = smtp.expect("250 ").await;
    let queue_id: uuid::Uuid = queued.rsplit(' ').next().unwrap().parse().unwrap();

    let received = good.wait_for(1).await.remove(0);
    assert!(received.tls && received.mail_from.contains(" REQUIRETLS"), "{}", received.mail_from);
    for domain in [&unknown_domain, &old_domain] {
        let enhanced = house.ended(queue_id, &format!("bob@{domain}"), "bounced").await;
        assert_eq!(enhanced.as_deref(), Some("5.7.30"), "{domain}");
    }
    assert!(unknown.commands().iter().chain(&old.commands()).all(|line| !line.starts_with("MAIL")));
}

#[tokio::test]
async fn tls_is_not_required_over_a_connection_without_it() {
    let house = House::start().await;
    let mut smtp = ingress(&house).await;
    smtp.ask("MAIL FROM:<x@y.test> REQUIRETLS", "530 5.7.10 ").await;
    let mut smtp = Smtp::greeted(house.smtp).await.starttls().await;
    let offer = smtp.ask("EHLO client.test", "250-").await;
    assert!(offer.contains("REQUIRETLS"), "{offer}");
    smtp.ask("MAIL FROM:<x@y.test> REQUIRETLS", "250 ").await;
}

/// What EHLO says of sending later: seconds, and the last moment.
fn horizon(offer: &str) -> (u64, OffsetDateTime) {
    let line = offer.lines().find_map(|line| line.get(4..)?.strip_prefix("FUTURERELEASE "));
    let (seconds, last) = line.unwrap().split_once(' ').unwrap();
    (seconds.parse().unwrap(), OffsetDateTime::parse(last, &Rfc3339).unwrap())
}

#[tokio::test]
async fn a_message_may_wait_until_its_time() {
    let house = House::start().await;
    let mut smtp = logged_in(&house).await;
    let (seconds, last) = horizon(&smtp.ask("EHLO client.test", "250-").await);
    assert_eq!(seconds, 30 * 86_400);
    let until_last = last - OffsetDateTime::now_utc();
    assert!((until_last - Duration::from_secs(seconds)).abs() < Duration::from_mins(5));

    let from = format!("MAIL FROM:<{}>", house.ann);
    let at =
        |late| (OffsetDateTime::now_utc() + Duration::from_secs(late)).format(&Rfc3339).unwrap();
    smtp.ask(&format!("{from} HOLDFOR={}", seconds + 1), "501 5.5.4 ").await;
    smtp.ask(&format!("{from} HOLDUNTIL={}", at(seconds + 600)), "501 5.5.4 ").await;
    smtp.ask(&format!("{from} HOLDFOR=5 HOLDUNTIL={}", at(5)), "501 5.5.4 ").await;
    for hold in ["HOLDFOR=864000".to_owned(), format!("HOLDUNTIL={}", at(864_000))] {
        smtp.ask(&format!("{from} {hold}"), "250 ").await;
        smtp.ask("RCPT TO:<bob@elsewhere.test>", "250 ").await;
        smtp.ask("DATA", "354 ").await;
        smtp.send(format!("From: {}\r\nSubject: {hold}\r\n\r\nlater\r\n.\r\n", house.ann)).await;
        let queued = smtp.expect("250 ").await;
        let queue_id: uuid::Uuid = queued.rsplit(' ').next().unwrap().parse().unwrap();
        let row = sqlx::query(
            "SELECT state, extract(epoch FROM next_attempt_at - now())::float8, attempts
             FROM outbound_messages WHERE queue_id = $1",
        )
        .bind(queue_id)
        .fetch_one(&server().await.pool)
        .await
        .unwrap();
        let (state, wait, attempts): (String, f64, i32) = (row.get(0), row.get(1), row.get(2));
        assert_eq!((state.as_str(), attempts), ("queued", 0));
        assert!((wait - 864_000.0).abs() < 300.0, "{wait}");
    }
    // Mail from other servers comes when it comes.
    ingress(&house).await.ask("MAIL FROM:<x@y.test> HOLDFOR=5", "555 5.5.4 ").await;
}

#[tokio::test]
async fn what_reports_are_to_say_is_kept_with_the_message() {
    let house = House::with_keys().await;
    let (mx, domain) = server().await.remote(false).await;
    let mut smtp = logged_in(&house).await;
    smtp.ask(&format!("MAIL FROM:<{}> RET=FULL ENVID=QQ+2B1", house.ann), "250 ").await;
    let to = format!("RCPT TO:<bob@{domain}> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;Bob+2Bx@{domain}");
    smtp.ask(&to, "250 ").await;
    smtp.ask(&format!("RCPT TO:<eve@{domain}> NOTIFY=NEVER"), "250 ").await;
    smtp.ask("DATA", "354 ").await;
    smtp.send(format!("From: {}\r\n\r\nreport\r\n.\r\n", house.ann)).await;
    smtp.expect("250 ").await;
    let received = mx.wait_for(1).await.remove(0);
    assert!(received.mail_from.ends_with(" RET=FULL ENVID=QQ+2B1"), "{}", received.mail_from);
    let mut said = received.rcpt_to;
    said.sort();
    let expected = [
        format!("<bob@{domain}> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;Bob+2Bx@{domain}"),
        format!("<eve@{domain}> NOTIFY=NEVER"),
    ];
    assert_eq!(said, expected);
}

#[tokio::test]
async fn no_server_is_given_more_at_once_than_it_takes() {
    let house = House::with_keys().await;
    let (mx, domain) = server().await.remote(false).await;
    mx.offer(&["PIPELINING", "LIMITS MAILMAX=1 RCPTMAX=2"]);
    let mut smtp = logged_in(&house).await;
    smtp.ask(&format!("MAIL FROM:<{}>", house.ann), "250 ").await;
    for n in 0..5 {
        smtp.ask(&format!("RCPT TO:<bob{n}@{domain}>"), "250 ").await;
    }
    smtp.ask("DATA", "354 ").await;
    smtp.send(format!("From: {}\r\n\r\nmany\r\n.\r\n", house.ann)).await;
    smtp.expect("250 ").await;
    let mut received = mx.wait_for(3).await;
    received.sort_by_key(|message| std::cmp::Reverse(message.rcpt_to.len()));
    let recipients: Vec<usize> = received.iter().map(|message| message.rcpt_to.len()).collect();
    assert_eq!(recipients, [2, 2, 1]);
    let mut connections: Vec<usize> = received.iter().map(|message| message.connection).collect();
    connections.sort_unstable();
    connections.dedup();
    assert_eq!(connections.len(), 3);
}
