//! Clients that are not ours do a day's work: `tests/clients/` holds a script for each, and
//! `scripts/setup tests` installs them.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use tokio::process::Command;

use crate::support::postgres;
use crate::support::server::{PASSWORD, server};

/// How long a script may take: each runs its client a few times.
const LIMIT: Duration = Duration::from_mins(3);
/// Python with what `scripts/setup-clients` puts beside it.
const WITH_PACKAGES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/.tools/venv/bin/python3");

/// Runs a script of `tests/clients` on two new mailboxes of one organisation.
async fn run(python: &str, script: &str) {
    let server = server().await;
    let tenant = server.tenant().await;
    let (ann, bob) = (tenant.mailbox("ann").await, tenant.mailbox("bob").await);
    let ports = [server.at.imap_starttls, server.at.imap_tls, server.at.submission_tls];
    let mut command = Command::new(python);
    command
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients").join(script))
        .args(ports.map(|at| at.unwrap().port().to_string()))
        .arg(postgres::folder().join("server/certs/ca.pem"))
        .args([PASSWORD, &ann, &bob])
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .stdin(Stdio::null())
        .kill_on_drop(true);
    let done = tokio::time::timeout(LIMIT, command.output()).await;
    let done = done.unwrap_or_else(|_| panic!("{script} does not end"));
    let done = done.unwrap_or_else(|e| panic!("{python}: {e}: run scripts/setup tests"));
    assert!(done.status.success(), "{script}: {}", String::from_utf8_lossy(&done.stderr));
}

#[tokio::test]
async fn curl() {
    run("python3", "curl.py").await;
}

#[tokio::test]
async fn fetchmail() {
    run("python3", "fetchmail.py").await;
}

#[tokio::test]
async fn imapclient() {
    run(WITH_PACKAGES, "imapclient_daily.py").await;
}

#[tokio::test]
async fn imapfilter() {
    run("python3", "imapfilter.py").await;
}

#[tokio::test]
async fn imaplib() {
    run("python3", "imaplib_daily.py").await;
}

#[tokio::test]
async fn interimap() {
    run("python3", "interimap.py").await;
}

#[tokio::test]
async fn mbsync() {
    run("python3", "mbsync.py").await;
}

#[tokio::test]
async fn neomutt() {
    run("python3", "neomutt.py").await;
}

#[tokio::test]
async fn offlineimap() {
    run("python3", "offlineimap.py").await;
}
