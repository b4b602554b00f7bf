//! The SMTP conversation, spoken in raw bytes.

mod auth;
mod bdat;
mod content;
mod deliver_by;
mod dialog;
mod extensions;
mod front;
mod house;
mod limits;
mod relay;
mod scram;
mod shutdown;
mod smuggling;
mod starttls;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use house::House;

use crate::support::server::PASSWORD;
use crate::support::smtp::Smtp;

/// A connection to ingress that has said EHLO.
async fn ingress(house: &House) -> Smtp {
    let mut smtp = Smtp::greeted(house.smtp).await;
    smtp.ask("EHLO client.test", "250").await;
    smtp
}

/// A connection to submission under TLS, logged in as Ann.
async fn logged_in(house: &House) -> Smtp {
    let mut smtp = Smtp::greeted_tls(house.submission_tls).await;
    smtp.ask("EHLO client.test", "250").await;
    smtp.ask(&format!("AUTH PLAIN {}", plain(&house.ann, PASSWORD)), "235 2.7.0 ").await;
    smtp
}

/// The same, by way of STARTTLS.
async fn logged_in_after_starttls(house: &House) -> Smtp {
    let mut smtp = Smtp::greeted(house.submission).await.starttls().await;
    smtp.ask(&format!("AUTH PLAIN {}", plain(&house.ann, PASSWORD)), "235 2.7.0 ").await;
    smtp
}

/// The message of SASL PLAIN.
fn plain(user: &str, password: &str) -> String {
    STANDARD.encode(format!("\0{user}\0{password}"))
}
