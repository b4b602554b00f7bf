//! The policy of the From domain is obeyed (RFC 9989).

use super::{Sender, deliver, stored};
use crate::support::server::server;

const SPF_HERE: &str = "v=spf1 ip4:127.0.0.0/8 -all";
const SPF_ELSEWHERE: &str = "v=spf1 ip4:192.0.2.1 -all";

#[tokio::test]
async fn a_message_forged_for_a_domain_that_refuses_is_refused() {
    let tenant = server().await.tenant().await;
    tenant.mailbox("bob").await;
    let bank = Sender::new(SPF_ELSEWHERE, "v=DMARC1; p=reject").await;
    let crook = Sender::new(SPF_HERE, "").await;
    let from = format!("ann@{}", bank.domain);
    let message = bank.message("forged");
    let refused = "550 5.7.26 ";
    assert!(deliver(&tenant, &from, &message).await.starts_with(refused));
    // What passes for another domain proves nothing for this one.
    let other = format!("x@{}", crook.domain);
    assert!(deliver(&tenant, &other, &message).await.starts_with(refused));
    assert!(deliver(&tenant, &other, &crook.signed(&message)).await.starts_with(refused));
    assert!(deliver(&tenant, "", &message).await.starts_with(refused));
    // However From is written.
    for from in [
        format!("From : ann@{}", bank.domain),
        format!("From:\r\n ann@{}", bank.domain),
        format!("From: \"x@{}\" <ann@{}>", crook.domain, bank.domain),
        format!("From: x@{}, ann@{}", crook.domain, bank.domain),
        format!("no field\r\n X: y\r\nFrom: ann@{}", bank.domain),
        format!("From: ann@sub.{}", bank.domain),
    ] {
        let message = message.replace(&format!("From: Ann <ann@{}>", bank.domain), &from);
        let answer = deliver(&tenant, &other, &crook.signed(&message)).await;
        assert!(answer.starts_with(refused), "{from}: {answer}");
    }
    assert!(stored(&tenant, "forged").await.is_empty());
}

#[tokio::test]
async fn a_message_needs_exactly_one_from() {
    let tenant = server().await.tenant().await;
    tenant.mailbox("bob").await;
    let crook = Sender::new(SPF_HERE, "").await;
    let from = format!("x@{}", crook.domain);
    let message = crook.message("authors");
    for bad in [
        message.replace("From: ", "X-From: "),
        format!("From : b@bank.test\r\n{message}"),
        format!("{}\r\n\r\nbody\r\n", message.replace("\r\n\r\n", "\r\nfrom:b@bank.test\r\n\r\n")),
    ] {
        let answer = deliver(&tenant, &from, &bad).await;
        assert!(answer.starts_with("554 5.6.0 "), "{bad}: {answer}");
    }
}

#[tokio::test]
async fn quarantine_is_junk_and_none_is_not() {
    let tenant = server().await.tenant().await;
    tenant.mailbox("bob").await;
    for (subject, record, folder) in [
        ("quarantine", "v=DMARC1; p=quarantine", "junk"),
        ("watching", "v=DMARC1; p=none", "inbox"),
        // One step less where the owner is testing (RFC 9989 §4.7); pct is no more.
        ("testing", "v=DMARC1; p=reject; t=y", "junk"),
        ("percent", "v=DMARC1; p=quarantine; pct=0", "junk"),
    ] {
        let domain = Sender::new(SPF_ELSEWHERE, record).await;
        let from = format!("ann@{}", domain.domain);
        let answer = deliver(&tenant, &from, &domain.message(subject)).await;
        assert!(answer.starts_with("250 "), "{subject}: {answer}");
        let found = stored(&tenant, subject).await;
        assert_eq!(found.len(), 1, "{subject}");
        assert_eq!(found[0].folder, folder, "{subject}");
        assert!(found[0].results().contains("dmarc=fail"), "{}", found[0].header);
    }
}

#[tokio::test]
async fn what_proves_itself_is_let_in_and_told_of() {
    let tenant = server().await.tenant().await;
    tenant.mailbox("bob").await;
    let strict = "v=DMARC1; p=reject";
    let by_dkim = Sender::new(SPF_ELSEWHERE, strict).await;
    let from = format!("ann@{}", by_dkim.domain);
    let message = by_dkim.signed(&by_dkim.message("signed"));
    assert!(deliver(&tenant, &from, &message).await.starts_with("250 "));
    let found = stored(&tenant, "signed").await.remove(0);
    let (domain, results) = (&by_dkim.domain, found.results());
    assert_eq!(found.folder, "inbox");
    for part in [
        "Authentication-Results: mx.koltrix.test; iprev=".to_owned(),
        format!(" spf=fail smtp.mailfrom=ann@{domain};"),
        format!(" dkim=pass header.d={domain} header.s=s1;"),
        format!(" dmarc=pass header.from={domain} policy.dmarc=reject"),
    ] {
        assert!(results.contains(&part), "{part} in {results}");
    }
    assert_eq!(found.verdict["spf"], "fail");
    assert_eq!(found.verdict["dkim"][0]["result"], "pass");
    assert_eq!(found.verdict["dmarc"]["dkim_aligned"], true);
    assert_eq!(found.verdict["dmarc"]["policy"], "reject");
    let altered = message.replace("Hello", "Good-bye");
    assert!(deliver(&tenant, &from, &altered).await.starts_with("550 5.7.26 "));

    let by_spf = Sender::new(SPF_HERE, strict).await;
    let from = format!("ann@{}", by_spf.domain);
    assert!(deliver(&tenant, &from, &by_spf.message("plain")).await.starts_with("250 "));
    let found = stored(&tenant, "plain").await.remove(0);
    assert_eq!(found.verdict["dmarc"]["spf_aligned"], true);
    assert!(found.results().contains("dkim=none"), "{}", found.header);
}

#[tokio::test]
async fn doubt_is_no_proof_against_anybody() {
    let server = server().await;
    let tenant = server.tenant().await;
    tenant.mailbox("bob").await;
    let domain = Sender::new(SPF_ELSEWHERE, "v=DMARC1; p=reject").await;
    server.dns.broken(&format!("_dmarc.{}", domain.domain), true);
    let from = format!("ann@{}", domain.domain);
    assert!(deliver(&tenant, &from, &domain.message("doubt")).await.starts_with("250 "));
    let found = stored(&tenant, "doubt").await.remove(0);
    assert!(found.results().contains("dmarc=temperror"), "{}", found.header);
}

#[tokio::test]
async fn answers_are_kept() {
    let server = server().await;
    let tenant = server.tenant().await;
    tenant.mailbox("bob").await;
    let domain = Sender::new(SPF_HERE, "").await;
    let from = format!("ann@{}", domain.domain);
    // Not there, and asked for once, although nobody says how long that holds.
    let name = format!("_dmarc.{}", domain.domain);
    for n in 0..3 {
        let message = domain.message(&format!("kept-{n}"));
        assert!(deliver(&tenant, &from, &message).await.starts_with("250 "));
    }
    assert_eq!(server.dns.asked(&name), 1);
}
