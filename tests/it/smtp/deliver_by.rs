//! A time by which a message is to be delivered (RFC 2852): asked for, passed on, and run out.

use uuid::Uuid;

use super::{House, ingress, logged_in};
use crate::support::imap::Imap;
use crate::support::remote_mx::Step;
use crate::support::server::{PASSWORD, server};

/// Submits a message of Ann's with this BY; its queue id.
async fn submit(house: &House, by: &str, rcpt: &str) -> Uuid {
    let mut smtp = logged_in(house).await;
    smtp.ask(&format!("MAIL FROM:<{}> BY={by}", house.ann), "250 ").await;
    smtp.ask(&format!("RCPT TO:{rcpt}"), "250 ").await;
    smtp.ask("DATA", "354 ").await;
    smtp.send(format!("From: {}\r\nSubject: {by}\r\n\r\nin time\r\n.\r\n", house.ann)).await;
    let queued = smtp.expect("250 ").await;
    queued.rsplit(' ').next().unwrap().parse().unwrap()
}

/// The one message in Ann's INBOX, once it is there.
async fn told(house: &House) -> String {
    let mut ann = Imap::login(server().await, &house.ann, PASSWORD).await;
    let selected = ann.ok("SELECT INBOX").await;
    if !selected.iter().any(|line| line.contains("1 EXISTS")) {
        ann.idle().await;
        ann.wait_for("* 1 EXISTS").await;
        ann.done().await;
    }
    String::from_utf8(ann.literal("FETCH 1 BODY.PEEK[]").await).unwrap()
}

#[tokio::test]
async fn a_time_is_offered_to_those_who_log_in() {
    let house = House::start().await;
    let mut smtp = logged_in(&house).await;
    let offer = smtp.ask("EHLO client.test", "250-").await;
    assert!(offer.lines().any(|line| line == "250-DELIVERBY 10"), "{offer}");
    let from = format!("MAIL FROM:<{}>", house.ann);
    for (by, reply) in [
        ("0;R", "501 "),
        ("60", "501 "),
        ("1000000000;N", "501 "),
        ("9;R", "555 5.5.4 "),
        ("60;R HOLDFOR=61", "555 5.5.4 "),
        ("10;R", "250 "),
    ] {
        smtp.ask(&format!("{from} BY={by}"), reply).await;
    }
    ingress(&house).await.ask("MAIL FROM:<x@y.test> BY=60;R", "555 5.5.4 ").await;
}

#[tokio::test]
async fn what_remains_is_passed_on_or_the_message_goes_back() {
    let house = House::with_keys().await;
    let (knows, domain) = server().await.remote(false).await;
    knows.offer(&["DELIVERBY 60"]);
    submit(&house, "+3600;rt", &format!("<bob@{domain}>")).await;
    let received = knows.wait_for(1).await.remove(0);
    let by = received.mail_from.split(" BY=").nth(1).and_then(|by| by.strip_suffix(";RT"));
    let seconds: i64 = by.unwrap().parse().unwrap();
    assert!((3_500..3_600).contains(&seconds), "{seconds}");
    let report = told(&house).await;
    assert!(report.contains("Action: relayed\r\nStatus: 2."), "{report}");

    // Less than it takes; and nobody there to see to it.
    let queue_id = submit(&house, "50;R", &format!("<bob@{domain}>")).await;
    let enhanced = house.ended(queue_id, &format!("bob@{domain}"), "bounced").await;
    assert_eq!(enhanced.as_deref(), Some("5.4.7"));
    let (old, domain) = server().await.remote(false).await;
    let queue_id = submit(&house, "3600;R", &format!("<bob@{domain}>")).await;
    let enhanced = house.ended(queue_id, &format!("bob@{domain}"), "bounced").await;
    assert_eq!(enhanced.as_deref(), Some("5.3.3"));
    assert!(old.commands().iter().all(|line| !line.starts_with("MAIL")));
}

#[tokio::test]
async fn whoever_only_wants_to_know_is_told_once_and_it_is_still_tried() {
    let house = House::with_keys().await;
    let (mx, domain) = server().await.remote(false).await;
    mx.times(2, "RCPT", Step::Reply("450 4.2.0 Greylisted".into()));
    submit(&house, "-60;N", &format!("<bob@{domain}>")).await;
    let received = mx.wait_for(1).await.remove(0);
    assert!(!received.mail_from.contains("BY="), "{}", received.mail_from);
    let late = told(&house).await;
    assert!(late.contains("Action: delayed\r\nStatus: 4.4.7\r\n"), "{late}");
    assert!(late.contains("Will-Retry-Until: "), "{late}");
    // From here on nobody watches the time, and that is told too; but no second delay.
    let mut ann = Imap::login(server().await, &house.ann, PASSWORD).await;
    let second = |line: &String| line == "* 2 EXISTS";
    if !ann.ok("SELECT INBOX").await.iter().any(second) {
        ann.idle().await;
        ann.wait_for("* 2 EXISTS").await;
        ann.done().await;
    }
    let relayed = String::from_utf8(ann.literal("FETCH 2 BODY.PEEK[]").await).unwrap();
    assert!(relayed.contains("Action: relayed\r\nStatus: 2."), "{relayed}");
}

#[tokio::test]
async fn a_message_whose_time_is_over_goes_back_untried() {
    let house = House::with_keys().await;
    let (mx, domain) = server().await.remote(false).await;
    mx.offer(&["DELIVERBY"]).on("RCPT", Step::Reply("450 4.2.0 Not now".into()));
    let to = format!("bob@{domain}");
    let queue_id = submit(&house, "600;R", &format!("<{to}> NOTIFY=FAILURE")).await;
    mx.wait_until("an attempt", |mx| mx.commands().iter().any(|l| l.starts_with("RCPT"))).await;
    let pool = &server().await.pool;
    sqlx::query("UPDATE outbound_messages SET deliver_by = now() WHERE queue_id = $1")
        .bind(queue_id)
        .execute(pool)
        .await
        .unwrap();
    house.ended(queue_id, &to, "expired").await;
    let report = told(&house).await;
    assert!(report.contains("Action: failed\r\nStatus: 5.4.7\r\n"), "{report}");
    assert!(mx.accepted().is_empty());
}
