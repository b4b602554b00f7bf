//! A chain of forwarders (RFC 8617).

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use koltrix_mail::wire::dkim::key_record;
use mail_auth::arc::ArcSealer;
use mail_auth::crypto::Ed25519Key;
use mail_auth::headers::HeaderWriter as _;
use mail_auth::{ArcOutput, AuthenticatedMessage, AuthenticationResults};

use super::{Sender, deliver, stored};
use crate::support::server::{TRUSTED_SEALER, server};

/// The message as a list sends it on: changed, then sealed by `domain`, which says what it found.
async fn sealed(domain: &str, found: &str, message: &str) -> String {
    let pair = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap();
    let public = Ed25519KeyPair::from_pkcs8(pair.as_ref()).unwrap();
    let selector = format!("s{}", uuid::Uuid::new_v4().simple());
    let record = key_record("ed25519", public.public_key().as_ref());
    server().await.dns.txt(&format!("{selector}._domainkey.{domain}"), &record);
    let changed = format!("{message}-- \r\nThe list\r\n");
    let results = format!("{domain}; {found}");
    let sealer = ArcSealer::from_key(Ed25519Key::from_pkcs8_der(pair.as_ref()).unwrap())
        .domain(domain)
        .selector(selector)
        .headers(["From", "To", "Subject"]);
    let parsed = AuthenticatedMessage::parse(changed.as_bytes()).unwrap();
    let results = AuthenticationResults::new(&results);
    let set = sealer.seal(&parsed, &results, &ArcOutput::default()).unwrap();
    set.to_header() + &changed
}

#[tokio::test]
async fn a_trusted_sealer_who_saw_it_pass_is_believed() {
    let tenant = server().await.tenant().await;
    tenant.mailbox("bob").await;
    let author = Sender::new("v=spf1 ip4:192.0.2.1 -all", "v=DMARC1; p=reject").await;
    let list = format!("lists@{TRUSTED_SEALER}");
    let message = |subject| author.signed(&author.message(subject));
    let passed = format!("dmarc=pass header.from={}", author.domain);

    let good = sealed(TRUSTED_SEALER, &passed, &message("by-the-list")).await;
    assert!(deliver(&tenant, &list, &good).await.starts_with("250 "));
    let found = stored(&tenant, "by-the-list").await.remove(0);
    assert_eq!(found.verdict["dmarc"]["overridden_by"], TRUSTED_SEALER);
    let says = format!("policy.dmarc=reject (overridden by arc sealer {TRUSTED_SEALER}); arc=pass");
    assert!(found.results().contains(&says), "{}", found.header);

    let stranger = format!("stranger-{}", author.domain);
    for (why, refused) in [
        ("sealed by a stranger", sealed(&stranger, &passed, &message("x")).await),
        ("it failed before", sealed(TRUSTED_SEALER, "dmarc=fail", &message("x")).await),
        ("changed after the seal", good.replace("The list", "The crook")),
        ("no seal that holds", good.replace("cv=none", "cv=pass")),
    ] {
        let answer = deliver(&tenant, &list, &refused).await;
        assert!(answer.starts_with("550 5.7.26 "), "{why}: {answer}");
    }
}
