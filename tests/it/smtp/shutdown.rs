//! The end of the server.

use super::{House, ingress};

#[tokio::test]
async fn what_is_in_hand_is_finished_and_nothing_new_begun() {
    let (house, node) = House::start_with("").await;
    let mut idle = ingress(&house).await;
    let mut busy = ingress(&house).await;
    busy.ask("MAIL FROM:<x@y.test>", "250 ").await;
    busy.ask(&format!("RCPT TO:<{}>", house.ann), "250 ").await;

    node.shutdown.request();
    idle.expect("421 4.3.2 ").await;
    idle.expect_closed().await;
    busy.ask("DATA", "354 ").await;
    busy.send("From: x@y.test\r\n\r\nthe last one\r\n.\r\nMAIL FROM:<x@y.test>\r\n").await;
    busy.expect("250 2.0.0 Ok: queued as ").await;
    busy.expect("421 4.3.2 ").await;
    busy.expect_closed().await;
    assert_eq!(house.messages_of(&house.ann).await, 1);
    node.stop().await;
}
