//! What domains are told of their mail (RFC 9990).

use koltrix_mail::wire::report::Found;

use super::{counted, home, number, report, send, until};
use crate::authenticity::{Sender, deliver};
use crate::support::server::{REPORTS_FROM, server};

const SPF_HERE: &str = "v=spf1 ip4:127.0.0.0/8 -all";

fn asking(address: &str) -> String {
    format!("v=DMARC1; p=quarantine; rua=mailto:{address}!10m")
}

#[tokio::test]
async fn a_domain_is_told_what_came_in_its_name() {
    home().await;
    let server = server().await;
    let (mx, elsewhere) = server.remote(true).await;
    let tenant = server.tenant().await;
    tenant.mailbox("bob").await;
    let asker = Sender::new(SPF_HERE, &asking(&format!("dmarc@{elsewhere}"))).await;
    let domain = &asker.domain;
    server.dns.txt(&format!("{domain}._report._dmarc.{elsewhere}"), "v=DMARC1");
    let crook = Sender::new(SPF_HERE, "").await;
    let (ann, other) = (format!("ann@{domain}"), format!("x@{}", crook.domain));
    // A report of theirs is told of by nobody.
    let theirs = asker.message("Report Domain: us").replace("<Report Domain: us@", "<r@");
    assert!(deliver(&tenant, &ann, &theirs).await.starts_with("250 "));
    for n in 0..2 {
        let message = asker.message(&format!("good-{n}"));
        assert!(deliver(&tenant, &ann, &message).await.starts_with("250 "));
    }
    assert!(deliver(&tenant, &other, &asker.message("forged")).await.starts_with("250 "));
    let signed = asker.signed(&asker.message("signed"));
    assert!(deliver(&tenant, &other, &signed).await.starts_with("250 "));
    until(&counted("dmarc", domain), 4).await;

    let sent = send(domain).await;
    assert_eq!((&sent[0]["kind"], &sent[0]["total"]), (&"dmarc".into(), &4.into()));
    let received = mx.wait_for(1).await.remove(0);
    assert!(received.mail_from.starts_with(&format!("<{REPORTS_FROM}>")), "{received:?}");
    assert_eq!(received.rcpt_to.len(), 1);
    let (header, found) = report(&received);
    let subject =
        format!("Subject: Report Domain: {domain} Submitter: reports.koltrix.test Report-ID: <");
    assert!(header.contains(&subject), "{header}");
    assert!(header.contains("DKIM-Signature: ") && header.contains("d=reports.koltrix.test"));
    let Found::Dmarc(report) = found else { panic!("{found:?}") };
    assert_eq!(report.report_metadata.org_name, "Koltrix Test");
    assert_eq!(report.policy_published.domain, *domain);
    assert_eq!(report.policy_published.p, "quarantine");
    let mut told: Vec<String> = Vec::new();
    for record in &report.record {
        let (row, evaluated) = (&record.row, &record.row.policy_evaluated);
        assert_eq!(
            (row.source_ip.as_str(), &record.identifiers.header_from),
            ("127.0.0.1", domain)
        );
        let envelope = if record.identifiers.envelope_from == *domain { "own" } else { "other" };
        let words = [&evaluated.disposition, &evaluated.dkim, &evaluated.spf];
        told.push(format!("{} {} {} {envelope} {}", words[0], words[1], words[2], row.count));
    }
    told.sort();
    assert_eq!(
        told,
        ["none fail pass own 2", "none pass fail other 1", "quarantine fail fail other 1"]
    );
}

#[tokio::test]
async fn nobody_is_told_who_did_not_agree() {
    home().await;
    let server = server().await;
    let (mx, elsewhere) = server.remote(false).await;
    let tenant = server.tenant().await;
    tenant.mailbox("bob").await;
    let asker = Sender::new(SPF_HERE, &asking(&format!("victim@{elsewhere}"))).await;
    let silent = Sender::new(SPF_HERE, "v=DMARC1; p=none").await;
    for sender in [&silent, &asker] {
        let from = format!("ann@{}", sender.domain);
        assert!(deliver(&tenant, &from, &sender.message("hello")).await.starts_with("250 "));
    }
    until(&counted("dmarc", &asker.domain), 1).await;
    assert_eq!(number(&counted("dmarc", &silent.domain)).await, 0);
    send(&asker.domain).await;
    let queued =
        format!("SELECT count(*) FROM outbound_messages WHERE recipient_domain = '{elsewhere}'");
    assert_eq!(number(&queued).await, 0);
    assert_eq!(mx.connections(), 0);
}
