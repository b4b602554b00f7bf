//! What we sign, verified by an implementation that is not ours: dkimpy.

use std::collections::HashMap;
use std::path::Path;
use std::process::Stdio;

use koltrix_mail::config::Config;
use koltrix_mail::domain::ids::TenantId;
use koltrix_mail::mail::dkim::sign;
use koltrix_mail::mail::domains::{Domains, Purpose, Site};
use koltrix_mail::mail::keys::Keys;
use koltrix_mail::net::dns::Resolver;
use koltrix_mail::store::db::Db;
use koltrix_mail::store::master_key::MasterKey;
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

use crate::support::postgres;
use crate::support::server::{configuration, server};

/// Reads `{"message": ..., "records": {name: text}}`, prints what it thinks of each signature.
const VERIFY: &str = r#"
import dkim, json, sys
job = json.load(sys.stdin)
message = job["message"].encode()
def txt(name, timeout=5):
    return job["records"].get(name.decode().rstrip(".")).encode()
for index in range(message.count(b"DKIM-Signature:")):
    try:
        print(dkim.DKIM(message).verify(idx=index, dnsfunc=txt))
    except dkim.ValidationError:
        print(False)
"#;

async fn verify(message: &str, records: &HashMap<String, String>) -> Vec<String> {
    let python = Path::new(env!("CARGO_MANIFEST_DIR")).join(".tools/venv/bin/python");
    let mut child = Command::new(&python)
        .args(["-c", VERIFY])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| {
            panic!("dkimpy in {}: {error}; `make test` installs it", python.display())
        });
    let job = serde_json::json!({ "message": message, "records": records }).to_string();
    child.stdin.take().unwrap().write_all(job.as_bytes()).await.unwrap();
    let output = child.wait_with_output().await.unwrap();
    assert!(output.status.success());
    String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
}

#[tokio::test]
async fn both_signatures_hold_with_the_records_we_ask_to_publish() {
    let server = server().await;
    let tenant = server.tenant().await;
    let config: Config = configuration(
        &postgres::folder().join("dkim"),
        &postgres::url().await,
        server.dns.addr(),
        25,
    );
    let db = Db::connect(config.database.url.expose(), 2).await.unwrap();
    // The keys of the server that runs may be made first: they are sealed alike.
    let master = MasterKey::load(&postgres::folder().join("server"), None).unwrap();
    let keys = Keys::new(db.clone(), &master).unwrap();
    let domains = Domains::new(db, Resolver::new(&config.dns).unwrap(), Site::new(&config));
    let domain = domains.find(None, &tenant.domain).await.unwrap();
    // Asking too early must not hide the keys later.
    keys.signers(TenantId(tenant.id), &tenant.domain).await.unwrap();
    let wanted = loop {
        keys.ensure_all().await.unwrap();
        let wanted = domains.dns_records(&domain).await.unwrap();
        if !wanted.keys_pending {
            break wanted;
        }
    };
    let published = wanted.records.into_iter().filter(|r| r.purpose == Purpose::Dkim);
    let records: HashMap<String, String> = published.map(|r| (r.name, r.value)).collect();
    assert_eq!(records.len(), 2);

    let message = format!(
        "From: Jo <jo@{}>\r\nTo: a@b.example,\r\n\tc@d.example\r\nTo:  second\r\nSubject: =?utf-8?q?h=C3=A9?=\r\n\
         X-Other: 1\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n  Dear  all, \t\r\n\r\nh\u{e9}\r\n.\r\n\r\n\r\n",
        tenant.domain
    );
    let signers = keys.signers(TenantId(tenant.id), &tenant.domain).await.unwrap();
    let fields = sign(message.as_bytes(), &signers, 1_750_000_000).unwrap();
    let signed = format!("{}{message}", String::from_utf8(fields).unwrap());
    assert_eq!(verify(&signed, &records).await, ["True", "True"], "{signed}");
    let changed = signed.replace("Dear", "Fear");
    assert_eq!(verify(&changed, &records).await, ["False", "False"]);

    // Nobody else signs for the domain.
    let other = server.tenant().await;
    assert!(keys.signers(TenantId(other.id), &tenant.domain).await.unwrap().is_empty());
}
