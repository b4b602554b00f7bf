//! Moving mail to Junk and out of it says something about its sender.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::{deliver, folder_of, node, one};
use crate::support::imap::Imap;
use crate::support::open_folder;
use crate::support::server::{PASSWORD, server};
use crate::support::wait::until;

fn message(from: &str, subject: &str) -> String {
    format!(
        "From: {from}\r\nSubject: {subject}\r\nDate: Fri, 21 Nov 1997 09:55:06 -0600\r\n\
         Message-ID: <{subject}@x.test>\r\n\r\nHi\r\n"
    )
}

#[tokio::test]
async fn what_readers_put_into_junk_comes_there_next_time() {
    let server = server().await;
    let (tenant, other) = (server.tenant().await, server.tenant().await);
    let (bob, _) = (tenant.mailbox("bob").await, other.mailbox("bob").await);
    let to = server.at.smtp.unwrap();
    let shop = format!("Shop <Offers@shop-{}.test>", uuid::Uuid::new_v4().simple());
    for n in 0..4 {
        let message = message(&shop, &format!("offer-{n}"));
        assert!(deliver(to, &tenant, "s@client.test", &message).await.starts_with("250 "));
    }
    assert_eq!(folder_of(&tenant, "offer-3").await, "inbox");
    let mut imap = Imap::select(&bob, "INBOX").await;
    imap.brings("UID MOVE 1:3 Junk").await;
    imap.brings("UID COPY 4 Archive").await;
    let counted = "SELECT concat_ws(' ', junk_count, ham_count) FROM {org}.sender_reputation
        WHERE sender LIKE 'offers@shop-%'";
    assert_eq!(one::<String>(&tenant, counted).await, "3 0");

    let next = message(&shop, "offer-next");
    assert!(deliver(to, &tenant, "s@client.test", &next).await.starts_with("250 "));
    assert_eq!(folder_of(&tenant, "offer-next").await, "junk");
    let told: bool = one(
        &tenant,
        "SELECT verdict->'spam'->'symbols' @> '[{\"name\": \"SENDER_JUNKED\"}]' AND spam_score >= 6
         FROM {org}.emails WHERE subject = 'offer-next'",
    )
    .await;
    assert!(told);
    let header: Vec<u8> = one(
        &tenant,
        "SELECT s.header FROM {org}.email_sources s JOIN {org}.emails e USING (id)
         WHERE e.subject = 'offer-next'",
    )
    .await;
    let header = String::from_utf8(header).unwrap();
    assert!(header.contains("\r\nX-Spam-Status: Yes, score="), "{header}");
    // What one organisation says is nothing to another.
    assert!(deliver(to, &other, "s@client.test", &next).await.starts_with("250 "));
    assert_eq!(folder_of(&other, "offer-next").await, "inbox");

    // And back again; thrown away from Junk, it is junk still.
    imap.brings("SELECT Junk").await;
    imap.brings("UID MOVE 1 Trash").await;
    imap.brings("UID MOVE 2:4 INBOX").await;
    assert_eq!(one::<String>(&tenant, counted).await, "3 3");
    let again = message(&shop, "offer-again");
    assert!(deliver(to, &tenant, "s@client.test", &again).await.starts_with("250 "));
    assert_eq!(folder_of(&tenant, "offer-again").await, "inbox");
}

#[tokio::test]
async fn rspamd_is_told_and_nobody_waits_for_it() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let controller = format!("http://{}", listener.local_addr().unwrap());
    let folder = open_folder();
    let node = node(folder.path(), |config| {
        // Nobody listens there: mail goes on without a score of its.
        config.spam.rspamd_url = "http://127.0.0.1:1".into();
        config.spam.rspamd_controller_url = controller;
        config.spam.rspamd_password = koltrix_mail::config::Secret::new("q".into());
    })
    .await;
    let tenant = server().await.tenant().await;
    let bob = tenant.mailbox("bob").await;
    let message = message("x@y.test", "lesson");
    let to = node.addresses.smtp.unwrap();
    assert!(deliver(to, &tenant, "s@client.test", &message).await.starts_with("250 "));
    assert_eq!(folder_of(&tenant, "lesson").await, "inbox");
    let by: String = one(&tenant, "SELECT verdict->'spam'->>'source' FROM {org}.emails").await;
    assert_eq!(by, "builtin");

    let mut imap = Imap::greeted_tls(node.addresses.imap_tls.unwrap()).await;
    imap.brings(&format!("LOGIN {bob} \"{PASSWORD}\"")).await;
    imap.brings("SELECT INBOX").await;
    imap.brings("UID MOVE 1 Junk").await;
    let (mut socket, _) =
        tokio::time::timeout(Duration::from_secs(20), listener.accept()).await.unwrap().unwrap();
    let mut asked = Vec::new();
    while !asked.ends_with(b"\r\n\r\nHi\r\n") {
        assert!(socket.read_buf(&mut asked).await.unwrap() > 0);
    }
    let asked = String::from_utf8(asked).unwrap();
    assert!(asked.starts_with("POST /learnspam HTTP/1.1\r\n"), "{asked}");
    assert!(asked.contains("\r\npassword: q\r\n"), "{asked}");
    socket.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}").await.unwrap();
    let left = format!("SELECT count(*) FROM spam_lessons WHERE tenant_id = '{}'", tenant.id);
    let taught = async || one::<i64>(&tenant, &left).await == 0;
    until("taught", Duration::from_secs(30), taught).await;
    node.stop().await;
}
