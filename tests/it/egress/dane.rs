//! Servers whose certificates the DNS names (RFC 7672), and are held to it.

use hickory_server::proto::rr::RData;
use hickory_server::proto::rr::rdata::TLSA;

use super::mta_sts::{Sent, send};
use crate::support::remote_mx::RemoteMx;
use crate::support::server::{Server, server};

impl Server {
    /// The DNS names what the server of `domain` shows, and is authentic as far as `signed` says.
    fn names(&self, domain: &str, (usage, shown): (u8, &[u8]), signed: &[&str]) {
        let host = format!("mx.{domain}");
        let record = TLSA::new(usage.into(), 0.into(), 0.into(), shown.to_vec());
        let name = format!("_{}._tcp.{host}", self.mx_port);
        self.dns.add(&name, RData::TLSA(record));
        for part in signed {
            match *part {
                "mx" => self.dns.sign(domain),
                "addresses" => self.dns.sign(&host),
                _ => self.dns.sign(&name),
            };
        }
    }
}

const ALL: [&str; 3] = ["mx", "addresses", "tlsa"];
const OWN: u8 = 3;

/// It waits, for `reason`, and none of it was said to the server.
fn held_back(sent: &Sent, mx: &RemoteMx, reason: &str) {
    assert_eq!((sent.state.as_str(), sent.enhanced.as_deref()), ("deferred", Some("4.7.5")));
    assert!(sent.reply.contains("(DANE)") && sent.reply.contains(reason), "{}", sent.reply);
    assert!(mx.commands().iter().all(|line| !line.starts_with("MAIL")), "{:?}", mx.commands());
}

#[tokio::test]
async fn the_server_that_is_named_gets_its_mail_whoever_vouches_for_it() {
    let server = server().await;
    let (mx, domain) = server.remote(true).await;
    server.names(&domain, (OWN, &mx.certificate), &ALL);
    let sent = send(server, &domain).await;
    assert_eq!(sent.state, "delivered", "{}", sent.reply);
    assert!(sent.tls.unwrap().ends_with(", verified (DANE)"));
    assert!(mx.accepted()[0].tls);
}

#[tokio::test]
async fn another_one_waits_for_its_mail() {
    let server = server().await;
    let (mx, domain) = server.proven_remote().await;
    server.names(&domain, (OWN, b"another certificate"), &ALL);
    held_back(&send(server, &domain).await, &mx, "not what the TLSA records");

    let (plain, domain) = server.remote(false).await;
    server.names(&domain, (OWN, b"any"), &ALL);
    held_back(&send(server, &domain).await, &plain, "does not offer STARTTLS");
}

#[tokio::test]
async fn what_the_dns_does_not_vouch_for_names_nobody() {
    let server = server().await;
    for missing in ALL {
        let (mx, domain) = server.remote(true).await;
        let signed: Vec<&str> = ALL.into_iter().filter(|part| *part != missing).collect();
        server.names(&domain, (OWN, b"another certificate"), &signed);
        let sent = send(server, &domain).await;
        assert_eq!(sent.state, "delivered", "{missing}: {}", sent.reply);
        assert_eq!(mx.accepted().len(), 1);
    }
}

#[tokio::test]
async fn records_that_mail_cannot_use_ask_for_tls_alone() {
    let server = server().await;
    let (mx, domain) = server.remote(true).await;
    server.names(&domain, (1, &mx.certificate), &ALL);
    let sent = send(server, &domain).await;
    assert_eq!(sent.state, "delivered", "{}", sent.reply);
    assert!(sent.tls.unwrap().contains("by no usable record"));

    let (plain, domain) = server.remote(false).await;
    server.names(&domain, (1, b"any"), &ALL);
    held_back(&send(server, &domain).await, &plain, "does not offer STARTTLS");
}

#[tokio::test]
async fn nobody_can_take_the_records_away() {
    let server = server().await;
    let (mx, domain) = server.remote(true).await;
    server.names(&domain, (OWN, &mx.certificate), &["mx", "addresses"]);
    server.dns.broken(&format!("_{}._tcp.mx.{domain}", server.mx_port), true);
    let sent = send(server, &domain).await;
    assert_eq!((sent.state.as_str(), sent.enhanced.as_deref()), ("deferred", Some("4.4.3")));
    assert_eq!(mx.connections(), 0);
}
