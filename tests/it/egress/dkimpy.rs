//! Our signatures, judged by an implementation that is not ours.

use std::io::Write as _;
use std::process::{Command, Stdio};

use sqlx::Row as _;

use super::Row;
use crate::support::server::{Server, Tenant, server};

/// Verifies the signature at `index` with the key records given by name.
const VERIFY: &str = "
import sys, json, dkim
keys = json.loads(sys.argv[1])
message = sys.stdin.buffer.read()
def txt(name, timeout=5):
    return keys[(name.decode() if isinstance(name, bytes) else name).rstrip('.')].encode()
print(all(dkim.DKIM(message).verify(idx=i, dnsfunc=txt) for i in range(2)))
";

/// The key records of a domain as they are to be published (RFC 6376 §3.6.1).
async fn records(server: &Server, tenant: &Tenant) -> String {
    let rows = sqlx::query(
        "SELECT k.selector || '._domainkey.' || d.domain,
            'v=DKIM1; k=' || split_part(k.algorithm, '-', 1) || '; p=' || translate(encode(k.public_key, 'base64'), E'\\n', '')
         FROM domain_keys k JOIN tenant_domains d ON d.id = k.domain_id WHERE k.tenant_id = $1",
    )
    .bind(tenant.id)
    .fetch_all(&server.pool)
    .await
    .unwrap();
    let records: serde_json::Map<String, serde_json::Value> =
        rows.iter().map(|row| (row.get(0), row.get::<String, _>(1).into())).collect();
    serde_json::Value::Object(records).to_string()
}

fn verified(message: &[u8], records: &str) -> String {
    let python = concat!(env!("CARGO_MANIFEST_DIR"), "/.tools/venv/bin/python3");
    let mut child = Command::new(python)
        .args(["-c", VERIFY, records])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("dkimpy: run scripts/setup tests");
    child.stdin.take().unwrap().write_all(message).unwrap();
    let output = child.wait_with_output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

#[tokio::test]
async fn both_signatures_of_a_delivered_message_verify_and_protect_it() {
    let server = server().await;
    let tenant = server.sender().await;
    let ann = tenant.mailbox("ann").await;
    let (mx, domain) = server.remote(true).await;
    let to = format!("bob@{domain}");
    let html = "<p>Grüße <a href=\"https://target.example/?a=1&amp;b=2\">x</a></p>";
    let row = Row { html: Some(html), tracked: true, ..Row::new(&ann, &to) };
    row.insert(&tenant).await;
    let message = mx.wait_for(1).await.remove(0).data;

    let records = records(server, &tenant).await;
    assert_eq!(verified(&message, &records), "True");
    let text = String::from_utf8(message).unwrap();
    let forged = text.replacen("\r\nFrom: ", "\r\nFrom: boss@bank.example\r\nFrom: ", 1);
    assert_ne!(forged, text);
    // dkimpy does not even answer for a message with two authors.
    assert_ne!(verified(forged.as_bytes(), &records), "True");
    let altered = text.replacen("</p>", "</P>", 1);
    assert_ne!(altered, text);
    assert_ne!(verified(altered.as_bytes(), &records), "True");
}
