//! Python programs of other people that judge what we send.

use std::io::Write as _;
use std::process::{Command, Stdio};

use sqlx::Row as _;

use super::server::{Server, Tenant};

/// The key records of a domain as they are to be published (RFC 6376 §3.6.1), and a policy that
/// refuses what is not proven: names and texts in JSON.
pub async fn records(server: &Server, tenant: &Tenant) -> String {
    let rows = sqlx::query(
        "SELECT k.selector || '._domainkey.' || d.domain,
            'v=DKIM1; k=' || split_part(k.algorithm, '-', 1) || '; p=' || translate(encode(k.public_key, 'base64'), E'\\n', '')
         FROM domain_keys k JOIN tenant_domains d ON d.id = k.domain_id WHERE k.tenant_id = $1",
    )
    .bind(tenant.id)
    .fetch_all(&server.pool)
    .await
    .unwrap();
    let mut records: serde_json::Map<String, serde_json::Value> =
        rows.iter().map(|row| (row.get(0), row.get::<String, _>(1).into())).collect();
    records.insert(format!("_dmarc.{}", tenant.domain), "v=DMARC1; p=reject".into());
    serde_json::Value::Object(records).to_string()
}

/// What a script prints that reads a message and has these records as its name service.
pub fn ask(script: &str, message: &[u8], records: &str) -> String {
    let python = concat!(env!("CARGO_MANIFEST_DIR"), "/.tools/venv/bin/python3");
    let mut child = Command::new(python)
        .args(["-c", script, records])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("dkimpy and authheaders: run scripts/setup tests");
    child.stdin.take().unwrap().write_all(message).unwrap();
    let output = child.wait_with_output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}
