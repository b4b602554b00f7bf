//! Where attachments lie: one contract, held by the directory and by S3, and
//! what the server does when the store is not there.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use koltrix_mail::app::{self, Running};
use koltrix_mail::config::{Config, ObjectKind, Secret};
use koltrix_mail::domain::ids::TenantId;
use koltrix_mail::mail::housekeeping::objects::{Ages, sweep};
use koltrix_mail::store::Error;
use koltrix_mail::store::db::Db;
use koltrix_mail::store::embedded::Durability;
use koltrix_mail::store::objects::{Dir, Objects, S3 as Bucket, S3Settings, object_key};

use crate::support::imap::Imap;
use crate::support::postgres;
use crate::support::s3::{BUCKET, S3};
use crate::support::server::{PASSWORD, configuration, server};
use crate::support::smtp::Smtp;

fn key(name: &str) -> String {
    object_key(TenantId(uuid::Uuid::new_v4()), name)
}

/// What whoever stores and reads attachments relies on.
async fn keeps_the_contract(objects: &Objects) {
    objects.ping().await.unwrap();
    let (key, content) = (key("abcdef"), Bytes::from(b"0123456789".repeat(100_000)));
    assert!(matches!(objects.get(&key, None).await, Err(Error::NotFound)));
    objects.put(&key, content.clone()).await.unwrap();
    assert_eq!(objects.get(&key, None).await.unwrap(), content);
    assert_eq!(objects.get(&key, Some(7..12)).await.unwrap(), "78901");
    assert_eq!(objects.get(&key, Some(999_999..1_000_000)).await.unwrap(), "9");
    assert_eq!(objects.get(&key, Some(5..5)).await.unwrap(), "");
    // A range that the object does not have is no empty answer.
    let beyond = objects.get(&key, Some(999_990..1_000_010)).await;
    assert!(matches!(beyond, Err(Error::Corrupt(_))), "{beyond:?}");
    // One that was written half is written again.
    objects.put(&key, content.slice(..10)).await.unwrap();
    objects.put(&key, content.clone()).await.unwrap();
    assert_eq!(objects.get(&key, None).await.unwrap(), content);
    objects.delete(&key).await.unwrap();
    objects.delete(&key).await.unwrap();
    assert!(matches!(objects.get(&key, None).await, Err(Error::NotFound)));
}

#[tokio::test]
async fn a_directory_keeps_the_contract() {
    let folder = tempfile::tempdir().unwrap();
    keeps_the_contract(&Dir::open(folder.path()).unwrap().into()).await;
}

#[tokio::test]
async fn a_bucket_keeps_the_contract() {
    let s3 = S3::start().await;
    keeps_the_contract(&Bucket::new(&s3.settings()).into()).await;
}

#[tokio::test]
async fn an_object_that_is_there_is_not_written_again() {
    let s3 = S3::start().await;
    let objects: Objects = Bucket::new(&s3.settings()).into();
    let key = key("once");
    objects.put(&key, Bytes::from_static(b"one")).await.unwrap();
    let written = || std::fs::metadata(s3.file(&key)).unwrap().modified().unwrap();
    let first = written();
    // Content is addressed by its digest: the same key and length is the same object.
    objects.put(&key, Bytes::from_static(b"one")).await.unwrap();
    assert_eq!(written(), first);
    // One that is old enough to be looked at by a sweep is made young again.
    let day = std::time::Duration::from_hours(24);
    let file = std::fs::File::open(s3.file(&key)).unwrap();
    file.set_modified(first - day).unwrap();
    objects.put(&key, Bytes::from_static(b"one")).await.unwrap();
    assert!(written() >= first);
}

#[tokio::test]
async fn a_bucket_that_cannot_be_used_says_so() {
    let mut s3 = S3::start().await;
    let missing = S3Settings { bucket: "elsewhere".to_owned(), ..s3.settings() };
    let missing = Objects::from(Bucket::new(&missing)).ping().await;
    assert!(matches!(&missing, Err(Error::Objects(text)) if text.contains("'elsewhere'")));
    let stranger = S3Settings { secret_key: "guessed".to_owned(), ..s3.settings() };
    let stranger: Objects = Bucket::new(&stranger).into();
    assert!(matches!(stranger.ping().await, Err(Error::Objects(_))));
    let put = stranger.put(&key("abc"), Bytes::from_static(b"x")).await;
    assert!(matches!(put, Err(Error::Objects(_))), "{put:?}");
    let objects: Objects = Bucket::new(&s3.settings()).into();
    s3.vanish().await;
    assert!(matches!(objects.ping().await, Err(Error::Objects(_))));
    let get = objects.get(&key("abc"), None).await;
    assert!(matches!(get, Err(Error::Objects(_))), "{get:?}");
}

/// A node that keeps its attachments in `s3`.
async fn node(s3: &S3) -> Running {
    let folder = postgres::folder().join(format!("node-{}", uuid::Uuid::new_v4().simple()));
    let dns = server().await.dns.addr();
    let mut config: Config = configuration(&folder, &postgres::url().await, dns, 25);
    let S3Settings { endpoint, region, bucket, access_key, secret_key } = s3.settings();
    config.objects.kind = ObjectKind::S3;
    config.objects.s3.endpoint = endpoint;
    config.objects.s3.region = region;
    config.objects.s3.bucket = bucket;
    config.objects.s3.access_key = Secret::new(access_key);
    config.objects.s3.secret_key = Secret::new(secret_key);
    let roles = "smtp,imap".parse().unwrap();
    Box::pin(app::start(Arc::new(config), roles, Durability::None)).await.unwrap()
}

/// A message whose one attachment is large enough to become an object.
fn message() -> String {
    let line = "QSBsaW5lIG9mIGEgZmlsZSB0aGF0IGlzIGxhcmdlIGVub3VnaCB0byBiZSBhbiBvYmplY3QuLi4u\r\n";
    format!(
        "From: a@client.example\r\nSubject: report\r\nMIME-Version: 1.0\r\n\
         Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nSee the file.\r\n--b\r\n\
         Content-Type: application/pdf\r\nContent-Disposition: attachment; filename=report.pdf\r\n\
         Content-Transfer-Encoding: base64\r\n\r\n{}--b--\r\n",
        line.repeat(1000)
    )
}

#[tokio::test]
async fn mail_lives_in_a_bucket_and_waits_for_it() {
    let mut s3 = S3::start().await;
    let node = node(&s3).await;
    let tenant = server().await.tenant().await;
    let bob = tenant.mailbox("bob").await;
    let (small, large) = ("From: a@client.example\r\n\r\nshort\r\n", message());

    let mut smtp = Smtp::greeted(node.addresses.smtp.unwrap()).await;
    smtp.ask("EHLO client.example", "250").await;
    smtp.deliver("a@client.example", &[&bob], large.as_bytes()).await;
    let (bucket, object): (String, String) = sqlx::query_as(sqlx::AssertSqlSafe(format!(
        "SELECT bucket, object_key FROM {}.attachments",
        tenant.schema
    )))
    .fetch_one(&server().await.pool)
    .await
    .unwrap();
    assert_eq!(bucket, BUCKET);
    assert_eq!(std::fs::metadata(s3.file(&object)).unwrap().len(), 57_000);

    let mut imap = Imap::greeted_tls(node.addresses.imap_tls.unwrap()).await;
    imap.ok(&format!("LOGIN {bob} \"{PASSWORD}\"")).await;
    imap.ok("SELECT INBOX").await;
    let fetched = imap.literal("FETCH 1 BODY.PEEK[]").await;
    assert!(fetched.ends_with(large.as_bytes()));

    // Without the store what needs it is put off; the rest goes on.
    s3.vanish().await;
    smtp.deliver("a@client.example", &[&bob], small.as_bytes()).await;
    smtp.ask("MAIL FROM:<b@client.example>", "250").await;
    smtp.ask(&format!("RCPT TO:<{bob}>"), "250").await;
    smtp.ask("DATA", "354").await;
    smtp.send(format!("{}.\r\n", large.replace("report", "second"))).await;
    smtp.expect("451 4.3.1 ").await;
    let refused = imap.command("FETCH 1 BODY.PEEK[]").await;
    assert!(refused.last().unwrap().starts_with("NO [UNAVAILABLE]"), "{refused:?}");
    assert!(imap.literal("FETCH 2 BODY.PEEK[]").await.ends_with(small.as_bytes()));

    s3.listen().await;
    assert!(imap.literal("FETCH 1 BODY.PEEK[]").await == fetched);
    smtp.deliver("b@client.example", &[&bob], large.as_bytes()).await;
}

/// Nobody waits a day in a test: whatever age an object has is enough, or none is.
const AT_ONCE: Ages = Ages { unused: Duration::ZERO, aside: Duration::ZERO };
const LATER: Ages = Ages { unused: Duration::ZERO, aside: Duration::from_hours(1) };

async fn sweeps(objects: Objects) {
    let server = server().await;
    let tenant = server.tenant().await;
    let db = Db::connect(&postgres::url().await, 2).await.unwrap();
    let owner = TenantId(tenant.id);
    let (kept, lost) = (object_key(owner, &"a1".repeat(32)), object_key(owner, &"b2".repeat(32)));
    for key in [&kept, &lost] {
        objects.put(key, Bytes::from_static(b"content")).await.unwrap();
    }
    let stranger = key("c3");
    objects.put(&stranger, Bytes::from_static(b"another's")).await.unwrap();
    let point_to = async |key: &str| {
        let schema = &tenant.schema;
        let insert = format!(
            "INSERT INTO {schema}.files (filename, size_bytes, sha256, bucket, object_key)
             VALUES ($1, 7, sha256('x'), 'b', $1)"
        );
        let insert = insert.replace("VALUES ($1", "VALUES (replace($1, '/', '-')");
        sqlx::query(sqlx::AssertSqlSafe(insert)).bind(key).execute(&server.pool).await.unwrap();
    };
    point_to(&kept).await;

    // Set aside it is found still, and set aside it stays for a while.
    for _ in 0..2 {
        assert_eq!(sweep(&db, &objects, LATER).await.unwrap(), 0);
        for key in [&kept, &lost, &stranger] {
            assert!(!objects.get(key, None).await.unwrap().is_empty());
        }
    }
    // Somebody was about to point to it: it comes back.
    point_to(&lost).await;
    assert_eq!(sweep(&db, &objects, AT_ONCE).await.unwrap(), 0);
    let page = objects.list(owner, None).await.unwrap();
    assert!(page.found.iter().all(|found| found.set_aside_from().is_none()), "{page:?}");
    assert_eq!(objects.get(&lost, None).await.unwrap(), "content");

    let gone = format!("DELETE FROM {}.files WHERE object_key = $1", tenant.schema);
    sqlx::query(sqlx::AssertSqlSafe(gone)).bind(&lost).execute(&server.pool).await.unwrap();
    let removed =
        sweep(&db, &objects, AT_ONCE).await.unwrap() + sweep(&db, &objects, AT_ONCE).await.unwrap();
    assert_eq!(removed, 1);
    assert!(matches!(objects.get(&lost, None).await, Err(Error::NotFound)));
    for key in [&kept, &stranger] {
        assert!(!objects.get(key, None).await.unwrap().is_empty());
    }
}

#[tokio::test]
async fn what_nothing_points_to_goes_from_a_directory() {
    let folder = tempfile::tempdir().unwrap();
    sweeps(Dir::open(folder.path()).unwrap().into()).await;
}

#[tokio::test]
async fn what_nothing_points_to_goes_from_a_bucket() {
    let s3 = S3::start().await;
    sweeps(Bucket::new(&s3.settings()).into()).await;
}
