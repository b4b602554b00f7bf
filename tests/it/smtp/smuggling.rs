//! Only CRLF.CRLF ends a message (CVE-2023-51764, -51765, -51766), and a message in which anything
//! else tries to is refused, on every port.

use super::{House, ingress, logged_in, logged_in_after_starttls};
use crate::support::smtp::Smtp;

/// Every way to write "end of data" that some server has taken for one.
const ENDINGS: [&str; 12] = [
    "\n.\n",
    "\n.\r\n",
    "\n.\r",
    "\r.\r",
    "\r.\r\n",
    "\r.\n",
    "\r\n.\n",
    "\r\n.\r",
    "\r\n\0.\r\n",
    "\r\n.\0\r\n",
    "\r\r\n.\r\r\n",
    "\r\n.\r\r\n",
];

/// A message with `ending` in it, and behind that the envelope of another one.
fn bait(ann: &str, before: &str, ending: &str) -> String {
    format!(
        "{before}{ending}MAIL FROM:<{ann}>\r\nRCPT TO:<{ann}>\r\nDATA\r\n\
         From: {ann}\r\nSubject: smuggled\r\n\r\nsmuggled\r\n.\r\n"
    )
}

/// Where in a message the ending stands: before anything, within the header, within the body.
fn states(ann: &str) -> [String; 3] {
    let header = format!("From: {ann}\r\nSubject: bait");
    [String::new(), header.clone(), format!("{header}\r\n\r\nbody")]
}

/// Says each ending in each state. A new connection for each state, as errors are counted.
async fn all_are_refused<F: Future<Output = Smtp>>(house: &House, open: impl Fn() -> F) {
    let ann = &house.ann;
    for before in states(ann) {
        let mut smtp = open().await;
        for ending in ENDINGS {
            smtp.ask(&format!("MAIL FROM:<{ann}>"), "250 2.1.0 ").await;
            smtp.ask(&format!("RCPT TO:<{ann}>"), "250 2.1.5 ").await;
            smtp.ask("DATA", "354 ").await;
            smtp.send(bait(ann, &before, ending)).await;
            let answer = smtp.reply().await;
            assert!(answer.starts_with("554 5.6.0 "), "{ending:?} after {before:?}: {answer}");
            // One answer for all of it: what stood behind the ending was content.
            smtp.ask("NOOP", "250 2.0.0 Ok").await;
        }
        smtp.ask("QUIT", "221 ").await;
    }
    assert_eq!(house.messages_of(&house.ann).await, 0);
}

#[tokio::test]
async fn on_ingress() {
    let house = House::start().await;
    all_are_refused(&house, || ingress(&house)).await;
}

#[tokio::test]
async fn on_submission_after_starttls() {
    let house = House::start().await;
    all_are_refused(&house, || logged_in_after_starttls(&house)).await;
}

#[tokio::test]
async fn on_submission_under_tls() {
    let house = House::start().await;
    all_are_refused(&house, || logged_in(&house)).await;
}

#[tokio::test]
async fn in_chunks_as_well() {
    let house = House::start().await;
    let ann = &house.ann;
    let mut smtp = ingress(&house).await;
    for ending in ENDINGS.iter().filter(|ending| !ending.starts_with("\r\n.\r\n")) {
        let content = bait(ann, "From: x@y.test\r\n\r\nbody", ending);
        smtp.ask(&format!("MAIL FROM:<{ann}>"), "250 2.1.0 ").await;
        smtp.ask(&format!("RCPT TO:<{ann}>"), "250 2.1.5 ").await;
        smtp.send(format!("BDAT {} LAST\r\n{content}", content.len())).await;
        smtp.expect("554 5.6.0 ").await;
        smtp.ask("NOOP", "250 2.0.0 Ok").await;
    }
    assert_eq!(house.messages_of(&house.ann).await, 0);
}

/// The pieces in which content arrives make no difference.
#[tokio::test]
async fn an_ending_in_pieces_is_still_one_and_a_false_one_still_none() {
    let house = House::start().await;
    let ann = &house.ann;
    let mut smtp = ingress(&house).await;
    for (ending, answer) in [("\r\n.\r\n", "250 2.0.0 Ok: queued"), ("\n.\r\n.\r\n", "554 5.6.0 ")]
    {
        smtp.ask("MAIL FROM:<x@y.test>", "250 2.1.0 ").await;
        smtp.ask(&format!("RCPT TO:<{ann}>"), "250 2.1.5 ").await;
        smtp.ask("DATA", "354 ").await;
        for byte in format!("From: x@y.test\r\n\r\nbody{ending}").as_bytes() {
            smtp.send([*byte]).await;
        }
        smtp.expect(answer).await;
    }
    assert_eq!(house.messages_of(&house.ann).await, 1);
}
