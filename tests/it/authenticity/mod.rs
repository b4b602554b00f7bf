//! Who mail is really from, asked through port 25: names and policies in the loopback DNS,
//! messages signed by keys made here.

mod arc;
mod forged;
mod iprev;
mod policy;

use aws_lc_rs::encoding::{AsDer as _, Pkcs8V1Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use koltrix_mail::mail::dkim::{Algorithm, Signer, sign};
use koltrix_mail::wire::dkim::key_record;
use sqlx::{AssertSqlSafe, Row as _};

use crate::support::server::{Tenant, server};
use crate::support::smtp::Smtp;

/// A domain of somebody else, with records and a key.
pub struct Sender {
    pub domain: String,
    signer: Signer,
}

impl Sender {
    /// With this SPF record and this DMARC record, and a key under `s1`.
    pub async fn new(spf: &str, dmarc: &str) -> Self {
        let domain = format!("sender-{}.test", uuid::Uuid::new_v4().simple());
        let (signer, key) = signer(&domain);
        let dns = &server().await.dns;
        dns.txt(&domain, spf).txt(&format!("s1._domainkey.{domain}"), &key);
        if !dmarc.is_empty() {
            dns.txt(&format!("_dmarc.{domain}"), dmarc);
        }
        Self { domain, signer }
    }

    /// A message from ann there.
    pub fn message(&self, subject: &str) -> String {
        let Self { domain, .. } = self;
        format!(
            "From: Ann <ann@{domain}>\r\nTo: bob@example.test\r\nSubject: {subject}\r\n\
             Message-ID: <{subject}@{domain}>\r\n\r\nHello Bob.\r\n"
        )
    }

    /// The message with a signature in front.
    pub fn signed(&self, message: &str) -> String {
        let field = sign(message.as_bytes(), std::slice::from_ref(&self.signer), 1_700_000_000);
        String::from_utf8(field.unwrap()).unwrap() + message
    }
}

/// A fresh key, and the record that publishes it.
fn signer(domain: &str) -> (Signer, String) {
    let pair = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap();
    let pair = Ed25519KeyPair::from_pkcs8(pair.as_ref()).unwrap();
    let private: Pkcs8V1Der<'_> = pair.as_der().unwrap();
    let signer = Signer::new(domain, "s1", Algorithm::Ed25519, private.as_ref()).unwrap();
    (signer, key_record("ed25519", pair.public_key().as_ref()))
}

/// Sends it to bob; the answer to the end of data.
pub async fn deliver(tenant: &Tenant, from: &str, message: &str) -> String {
    let bob = format!("bob@{}", tenant.domain);
    let mut smtp = Smtp::greeted(server().await.at.smtp.unwrap()).await;
    smtp.ask("EHLO client.test", "250").await;
    smtp.ask(&format!("MAIL FROM:<{from}>"), "250").await;
    smtp.ask(&format!("RCPT TO:<{bob}>"), "250").await;
    smtp.ask("DATA", "354").await;
    smtp.send(format!("{message}.\r\n")).await;
    smtp.reply().await
}

/// What is stored under a subject.
pub struct Found {
    /// `inbox`, `junk` and so on.
    pub folder: String,
    pub header: String,
    pub verdict: serde_json::Value,
}

impl Found {
    /// Our Authentication-Results on one line.
    pub fn results(&self) -> String {
        let ours = self.header.split("\r\n").skip_while(|l| !l.starts_with("Authentication-Res"));
        let folded = ours.enumerate().take_while(|(n, l)| *n == 0 || l.starts_with('\t'));
        folded.map(|(_, line)| line.trim()).collect::<Vec<_>>().join(" ")
    }
}

pub async fn stored(tenant: &Tenant, subject: &str) -> Vec<Found> {
    let schema = &tenant.schema;
    let rows = sqlx::query(AssertSqlSafe(format!(
        "SELECT f.special_use, s.header, e.verdict FROM {schema}.emails e
         JOIN {schema}.email_sources s USING (id)
         JOIN {schema}.folder_entries x ON x.email_id = e.id
         JOIN {schema}.folders f ON f.id = x.folder_id WHERE e.subject = $1"
    )))
    .bind(subject)
    .fetch_all(&server().await.pool)
    .await
    .unwrap();
    let found = |row: &sqlx::postgres::PgRow| Found {
        folder: row.get("special_use"),
        header: String::from_utf8(row.get("header")).unwrap(),
        verdict: row.get("verdict"),
    };
    rows.iter().map(found).collect()
}
