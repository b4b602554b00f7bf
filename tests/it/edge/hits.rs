//! Hits below HTTP: groups that are tried again, and a database that is away.

use std::net::{IpAddr, Ipv4Addr};

use koltrix_mail::domain::hit::{Fetch, Grade, HitClass, HitKind};
use koltrix_mail::domain::ids::{OutboundId, TenantId};
use koltrix_mail::domain::token::Token;
use koltrix_mail::mail;
use koltrix_mail::mail::tracking::hits::Counts as Fates;
use koltrix_mail::mail::tracking::{Tracking, Visit};
use koltrix_mail::store::hits::Hit;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::edge::{Counts, counts, delivered, store, tokens};
use crate::support::http::BROWSER;
use crate::support::postgres;

fn visit() -> Visit {
    Visit {
        ip: IpAddr::V4(Ipv4Addr::new(203, 0, 113, 9)),
        user_agent: BROWSER.to_owned(),
        fetch: Fetch::Get,
    }
}

/// A click by a person on the first link.
async fn click(message: (TenantId, OutboundId)) -> Hit {
    let token = tokens(message, &["https://a.test/1"]).await.clicks.remove(0);
    let tracked = store().await.tracked(&token).await.unwrap();
    Hit {
        id: Uuid::new_v4(),
        token_id: tracked.token_id,
        kind: HitKind::Click,
        grade: Grade { class: HitClass::Human, rule: "test".to_owned() },
        at: OffsetDateTime::now_utc(),
        ip: visit().ip,
        user_agent: BROWSER.to_owned(),
        fetch: Fetch::Get,
        seconds_since_delivery: Some(60),
    }
}

#[tokio::test]
async fn a_group_that_is_tried_again_counts_once() {
    let pool = postgres::pool().await;
    let message = delivered(&pool).await;
    let first = click(message).await;
    let second = Hit { id: Uuid::new_v4(), ..first.clone() };
    let db = store().await;
    db.record_hits(std::slice::from_ref(&first)).await.unwrap();
    // The first commit's answer was lost; the next group holds it again.
    db.record_hits(&[first.clone(), second.clone()]).await.unwrap();
    db.record_hits(&[first, second]).await.unwrap();
    let expected = Counts { message: (0, 2), people: (0, 2), events: (0, 2), legacy: (0, 2) };
    assert_eq!(counts(&pool, message.1).await, expected);
}

#[tokio::test]
async fn a_message_that_is_gone_takes_no_other_hit_along() {
    let pool = postgres::pool().await;
    let (gone, kept) = (delivered(&pool).await, delivered(&pool).await);
    let hits = [click(gone).await, click(kept).await];
    sqlx::query("DELETE FROM outbound_messages WHERE id = $1")
        .bind(gone.1.0)
        .execute(&pool)
        .await
        .unwrap();
    store().await.record_hits(&hits).await.unwrap();
    assert_eq!(counts(&pool, kept.1).await.message, (0, 1));
}

#[tokio::test]
async fn two_nodes_that_write_about_the_same_messages_do_not_collide() {
    let pool = postgres::pool().await;
    let (one, two) = (delivered(&pool).await, delivered(&pool).await);
    let (a, b) = (click(one).await, click(two).await);
    let mut nodes = tokio::task::JoinSet::new();
    for node in 0..8 {
        let mut pair = vec![a.clone(), b.clone()];
        if node % 2 == 1 {
            pair.reverse();
        }
        nodes.spawn(async move {
            let db = store().await;
            for _ in 0..25 {
                for hit in &mut pair {
                    hit.id = Uuid::new_v4();
                }
                db.record_hits(&pair).await.unwrap();
            }
        });
    }
    while let Some(node) = nodes.join_next().await {
        node.unwrap();
    }
    for message in [one, two] {
        let expected =
            Counts { message: (0, 200), people: (0, 200), events: (0, 200), legacy: (0, 200) };
        assert_eq!(counts(&pool, message.1).await, expected);
    }
}

#[tokio::test]
async fn without_a_database_a_known_link_still_leads_on_and_the_loss_is_counted() {
    let pool = postgres::pool().await;
    let message = delivered(&pool).await;
    let known = tokens(message, &["https://a.test/1", "https://a.test/2"]).await;
    let db = store().await;
    let (tracking, writer) = Tracking::new(db.clone()).unwrap();
    let writer = tokio::spawn(writer.run());

    let target = tracking.click(known.clicks[0].as_str(), visit()).await.unwrap();
    assert_eq!(target, "https://a.test/1");
    assert_eq!(tracking.counts(), Fates { kept: 1, late: 0, lost: 0 });

    db.close().await;
    let again = tracking.click(known.clicks[0].as_str(), visit()).await.unwrap();
    assert_eq!(again, "https://a.test/1");
    let other = tracking.click(known.clicks[1].as_str(), visit()).await;
    assert!(matches!(other, Err(mail::Error::Temporary(_))), "{other:?}");
    tracking.open(known.open.unwrap().as_str(), visit()).await;
    assert_eq!(tracking.counts(), Fates { kept: 1, late: 1, lost: 2 });

    // Nobody is left to wait: what the database still refuses is lost, and counted.
    let last = tracking.clone();
    drop(tracking);
    drop(last);
    tokio::time::timeout(std::time::Duration::from_secs(20), writer).await.unwrap().unwrap();
    assert_eq!(counts(&pool, message.1).await.message, (0, 1));
}

#[tokio::test]
async fn a_token_that_nobody_made_is_no_loss() {
    let (tracking, writer) = Tracking::new(store().await).unwrap();
    let writer = tokio::spawn(writer.run());
    let token = Token::random().unwrap();
    tracking.open(token.as_str(), visit()).await;
    let answer = tracking.click(token.as_str(), visit()).await;
    assert!(matches!(answer, Err(mail::Error::NotFound(_))));
    assert_eq!(tracking.counts(), Fates::default());
    drop(tracking);
    writer.await.unwrap();
}
