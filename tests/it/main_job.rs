//! Step 1 of the main job on real size: a message of 3 MB with a PDF and an
//! inline image, from the last dot to the client that was waiting for it.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use sqlx::{AssertSqlSafe, Row as _};

use crate::support::imap::Imap;
use crate::support::server::{PASSWORD, Server, Tenant, server};
use crate::support::smtp::Smtp;

/// Octets that do not compress and are the same each time for one seed.
fn noise(seed: u8, len: usize) -> Vec<u8> {
    let block = |n: usize| digest(&SHA256, &[&[seed], n.to_be_bytes().as_slice()].concat());
    (0..len.div_ceil(32)).flat_map(|n| block(n).as_ref().to_vec()).take(len).collect()
}

fn base64_lines(octets: &[u8]) -> String {
    let text = base64::engine::general_purpose::STANDARD.encode(octets);
    text.as_bytes().chunks(76).fold(String::new(), |mut out, line| {
        let _ = write!(out, "{}\r\n", std::str::from_utf8(line).unwrap());
        out
    })
}

/// What a mail program sends: text and HTML with an image in it, and a PDF.
fn message(id: &str, refers_to: Option<&str>, pdf: &[u8], image: &[u8]) -> String {
    let references = refers_to.map(|r| format!("References: <{r}>\r\n")).unwrap_or_default();
    format!(
        "From: Ann <ann@client.example>\r\nTo: bob\r\nSubject: =?utf-8?q?Angebot_f=C3=BCr_Bob?=\r\n\
         Message-ID: <{id}>\r\n{references}Date: Sun, 22 Nov 2026 12:00:00 +0000\r\nMIME-Version: 1.0\r\n\
         Content-Type: multipart/mixed; boundary=outer\r\n\r\nA preamble.\r\n--outer\r\n\
         Content-Type: multipart/related; boundary=inner\r\n\r\n--inner\r\n\
         Content-Type: text/html; charset=utf-8\r\n\r\n<p>See <img src=\"cid:logo\"></p>\r\n.\r\n..dots\r\n\r\n--inner\r\n\
         Content-Type: image/png; name=logo.png\r\nContent-ID: <logo>\r\nContent-Disposition: inline\r\n\
         Content-Transfer-Encoding: base64\r\n\r\n{}--inner--\r\n--outer\r\n\
         Content-Type: application/pdf\r\nContent-Disposition: attachment; filename=\"Angebot.pdf\"\r\n\
         Content-Transfer-Encoding: base64\r\n\r\n{}--outer--\r\nAn epilogue.\r\n",
        base64_lines(image),
        base64_lines(pdf),
    )
}

fn objects(server: &Server, tenant: &Tenant) -> Vec<(PathBuf, Vec<u8>)> {
    let mut files = Vec::new();
    let mut folders = vec![server.objects.join(tenant.id.to_string())];
    while let Some(folder) = folders.pop() {
        let Ok(entries) = std::fs::read_dir(folder) else { continue };
        for path in entries.map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                folders.push(path);
            } else {
                let octets = std::fs::read(&path).unwrap();
                files.push((path, octets));
            }
        }
    }
    files
}

#[tokio::test]
async fn three_megabytes_arrive_whole_and_the_waiting_client_is_told() {
    let server = server().await;
    let tenant = server.tenant().await;
    let bob = tenant.mailbox("bob").await;
    let (pdf, image) = (noise(1, 2_000_000), noise(2, 60_000));
    let sent = message("m1@client.example", None, &pdf, &image);

    let mut waiting = Imap::login(server, &bob, PASSWORD).await;
    waiting.ok("SELECT INBOX").await;
    waiting.idle().await;

    let mut smtp = Smtp::greeted(server.at.smtp.unwrap()).await;
    smtp.ask("EHLO client.example", "250").await;
    smtp.deliver("ann@client.example", &[&bob], sent.as_bytes()).await;
    let answered = Instant::now();
    waiting.wait_for("* 1 EXISTS").await;
    assert!(answered.elapsed() < Duration::from_secs(1), "{:?}", answered.elapsed());
    waiting.done().await;

    // What was sent, byte for byte, behind our own trace fields.
    let fetched = waiting.literal("FETCH 1 BODY.PEEK[]").await;
    let trace = fetched.len() - sent.len();
    assert!(fetched[trace..] == *sent.as_bytes(), "the message is not what was sent");
    let fields = std::str::from_utf8(&fetched[..trace]).unwrap();
    assert!(fields.starts_with("Return-Path: <ann@client.example>\r\nDelivered-To: "), "{fields}");
    assert!(fields.contains("\r\nReceived: from client.example "), "{fields}");

    // Any range of it, also one that begins and ends inside the PDF.
    let range = waiting.literal("FETCH 1 BODY.PEEK[]<1000003.4099>").await;
    assert!(range == fetched[1_000_003..1_004_102]);
    let part = waiting.literal("FETCH 1 BODY.PEEK[2]").await;
    assert!(part == base64_lines(&pdf).trim_end_matches("\r\n").as_bytes());

    // The PDF is an object of its own content, and the row points at it.
    let stored = objects(server, &tenant);
    assert_eq!(stored.len(), 2);
    assert!(stored.iter().any(|(_, octets)| *octets == pdf));
    let row = sqlx::query(AssertSqlSafe(format!(
        "SELECT object_key, encode(sha256, 'hex') AS sha, size_bytes, encoded FROM {}.attachments
         WHERE filename = 'Angebot.pdf'",
        tenant.schema
    )))
    .fetch_one(&server.pool)
    .await
    .unwrap();
    let sha: String = digest(&SHA256, &pdf).as_ref().iter().map(|b| format!("{b:02x}")).collect();
    assert_eq!(row.get::<String, _>("sha"), sha);
    assert_eq!(row.get::<String, _>("object_key"), format!("{}/{sha}", tenant.id));
    assert_eq!(
        (row.get::<i64, _>("size_bytes"), row.get::<bool, _>("encoded")),
        (2_000_000, false)
    );

    // The same PDF again is the same object; References join the thread.
    let second = message("m2@client.example", Some("m1@client.example"), &pdf, &image);
    smtp.deliver("ann@client.example", &[&bob], second.as_bytes()).await;
    assert_eq!(objects(server, &tenant).len(), 2);
    let threads: Vec<uuid::Uuid> = sqlx::query_scalar(AssertSqlSafe(format!(
        "SELECT DISTINCT thread_id FROM {}.emails",
        tenant.schema
    )))
    .fetch_all(&server.pool)
    .await
    .unwrap();
    assert_eq!(threads.len(), 1);
}
