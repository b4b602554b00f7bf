//! Reports of others about our domains become events.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use koltrix_mail::wire::report::pack;

use super::{number, until};
use crate::authenticity::{Sender, deliver};
use crate::support::server::{Tenant, server};

const SPF_HERE: &str = "v=spf1 ip4:127.0.0.0/8 -all";

/// A message of `sender` that brings `octets`.
fn bringing(sender: &Sender, kind: &str, name: &str, octets: &[u8]) -> String {
    let id = uuid::Uuid::new_v4().simple().to_string();
    let message =
        sender.message(&id).replace("Subject: ", "Subject: Report Domain: x Submitter: y ");
    let (header, _) = message.split_once("\r\n\r\n").unwrap();
    format!(
        "{header}\r\nMIME-Version: 1.0\r\nContent-Type: {kind}; name=\"{name}\"\r\n\
         Content-Transfer-Encoding: base64\r\n\r\n{}\r\n",
        STANDARD.encode(octets)
    )
}

fn dmarc(domain: &str, id: &str) -> String {
    format!(
        "<?xml version=\"1.0\"?><feedback><report_metadata><org_name>there.example</org_name>\
         <email>a@there.example</email><report_id>{id}</report_id><date_range><begin>1790000000</begin>\
         <end>1790086399</end></date_range></report_metadata><policy_published><domain>{domain}</domain>\
         <p>none</p></policy_published><record><row><source_ip>192.0.2.1</source_ip><count>3</count>\
         <policy_evaluated><disposition>none</disposition><dkim>fail</dkim><spf>pass</spf></policy_evaluated>\
         </row><identifiers><header_from>{domain}</header_from></identifiers></record></feedback>"
    )
}

fn tls(domain: &str) -> String {
    format!(
        r#"{{"organization-name": "There", "date-range": {{"start-datetime": "2026-11-22T00:00:00Z",
        "end-datetime": "2026-11-22T23:59:59Z"}}, "contact-info": "a@there.example", "report-id": "t1",
        "policies": [{{"policy": {{"policy-type": "sts", "policy-domain": "{domain}"}},
        "summary": {{"total-successful-session-count": 7, "total-failure-session-count": 1}},
        "failure-details": [{{"result-type": "certificate-expired", "failed-session-count": 1}}]}}]}}"#
    )
}

/// An archive with one file, stored as it is (APPNOTE 4.3).
fn zip(content: &[u8]) -> Vec<u8> {
    let size = u32::try_from(content.len()).unwrap().to_le_bytes();
    let mut crc = flate2::Crc::new();
    crc.update(content);
    let head = [b"PK\x03\x04\x14\0\0\0\0\0\0\0\0\0".as_slice(), &crc.sum().to_le_bytes()].concat();
    [&head[..], &size, &size, b"\x05\0\0\0a.xml", content].concat()
}

/// How many events of ours there are that fit.
fn events(tenant: &Tenant, what: &str) -> String {
    format!("SELECT count(*) FROM analytics_events WHERE tenant_id = '{}' AND {what}", tenant.id)
}

async fn bring(tenant: &Tenant, sender: &Sender, kind: &str, name: &str, octets: &[u8]) {
    let from = format!("ann@{}", sender.domain);
    let answer = deliver(tenant, &from, &bringing(sender, kind, name, octets)).await;
    assert!(answer.starts_with("250 "), "{answer}");
}

/// Waits until everything that came was looked at.
async fn read(tenant: &Tenant) {
    let left = format!("SELECT count(*) FROM arrived_reports WHERE tenant_id = '{}'", tenant.id);
    until(&left, 0).await;
}

#[tokio::test]
async fn a_report_becomes_an_event_once() {
    let tenant = server().await.tenant().await;
    tenant.mailbox("bob").await;
    let domain = &tenant.domain;
    let there = Sender::new(SPF_HERE, "v=DMARC1; p=reject").await;
    let packed = pack(dmarc(domain, "r1").as_bytes()).unwrap();
    for _ in 0..2 {
        bring(&tenant, &there, "application/gzip", "there!us!1!2.xml.gz", &packed).await;
    }
    bring(&tenant, &there, "application/zip", "a.zip", &zip(dmarc(domain, "r2").as_bytes())).await;
    let json = pack(tls(domain).as_bytes()).unwrap();
    bring(&tenant, &there, "application/tlsrpt+gzip", "there!us!1!2.json.gz", &json).await;
    read(&tenant).await;
    assert_eq!(number(&events(&tenant, "event = 'email.received'")).await, 4);
    for (what, count) in [
        ("event = 'dmarc.report'", 2),
        ("event = 'dmarc.report' AND properties ->> 'report_id' = 'r1'", 1),
        ("properties ->> 'organization' = 'there.example' AND properties ->> 'proof' = 'dmarc'", 2),
        ("(properties ->> 'messages')::int = 3 AND (properties ->> 'pass')::int = 3", 2),
        ("properties #>> '{rows,0,ip}' = '192.0.2.1'", 2),
        ("event = 'dmarc.report' AND occurred_at = to_timestamp(1790086399)", 2),
        (
            "event = 'tls.report' AND properties #>> '{failures,0,result}' = 'certificate-expired'",
            1,
        ),
        ("(properties ->> 'succeeded')::int = 7 AND (properties ->> 'failed')::int = 1", 1),
    ] {
        assert_eq!(number(&events(&tenant, what)).await, count, "{what}");
    }
}

#[tokio::test]
async fn what_is_rubbish_unproven_or_not_ours_is_mail_and_no_event() {
    let tenant = server().await.tenant().await;
    tenant.mailbox("bob").await;
    let honest = Sender::new(SPF_HERE, "v=DMARC1; p=none").await;
    let forged = Sender::new("v=spf1 ip4:192.0.2.1 -all", "v=DMARC1; p=none").await;
    let kind = "application/gzip";
    let ours = pack(dmarc(&tenant.domain, "r1").as_bytes()).unwrap();
    let others = pack(dmarc("somebody-else.example", "r2").as_bytes()).unwrap();
    let bomb = pack(&vec![b'<'; 30 * 1024 * 1024]).unwrap();
    bring(&tenant, &forged, kind, "a!b!1!2.xml.gz", &ours).await;
    bring(&tenant, &honest, kind, "a!b!1!2.xml.gz", &others).await;
    bring(&tenant, &honest, kind, "a!b!1!2.xml.gz", &bomb).await;
    bring(&tenant, &honest, kind, "a!b!1!2.xml.gz", b"\x1f\x8b rubbish").await;
    bring(&tenant, &honest, "application/zip", "a.zip", b"PK\x03\x04 rubbish").await;
    read(&tenant).await;
    assert_eq!(number(&events(&tenant, "event = 'email.received'")).await, 5);
    assert_eq!(number(&events(&tenant, "event LIKE '%report'")).await, 0);
}
