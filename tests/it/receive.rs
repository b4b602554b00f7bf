//! Step 1 of the main job: what comes in by SMTP is stored, whole and once.

use std::net::SocketAddr;

use sqlx::{AssertSqlSafe, Row as _};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;

use crate::support::postgres::organisation;
use crate::support::server::server;

/// Sends one message and returns the reply to its end of data.
async fn send(to: SocketAddr, recipients: &[&str], content: &str) -> String {
    let mut smtp = BufReader::new(TcpStream::connect(to).await.unwrap());
    let mut last = reply(&mut smtp).await;
    let mut lines =
        vec!["EHLO client.example".to_owned(), "MAIL FROM:<s@client.example>".to_owned()];
    lines.extend(recipients.iter().map(|r| format!("RCPT TO:<{r}>")));
    lines.push("DATA".to_owned());
    for line in lines {
        smtp.write_all(format!("{line}\r\n").as_bytes()).await.unwrap();
        last = reply(&mut smtp).await;
        assert!(last.starts_with('2') || last.starts_with('3'), "{line}: {last}");
    }
    assert!(last.starts_with("354"), "{last}");
    smtp.write_all(format!("{content}.\r\n").as_bytes()).await.unwrap();
    reply(&mut smtp).await
}

async fn reply(smtp: &mut BufReader<TcpStream>) -> String {
    loop {
        let mut line = String::new();
        smtp.read_line(&mut line).await.unwrap();
        if line.get(3..4) != Some("-") {
            return line;
        }
    }
}

#[tokio::test]
async fn an_organisation_and_an_address_by_sql_alone_receive_mail_at_once() {
    let server = server().await;
    let organisation = organisation(&server.pool).await;
    let address = format!("bob@{}.example", organisation.slug);
    sqlx::query("INSERT INTO email_addresses (tenant_id, address) VALUES ($1, $2)")
        .bind(organisation.id)
        .bind(&address)
        .execute(&server.pool)
        .await
        .unwrap();
    let content = "From: S <s@client.example>\r\nSubject: hello\r\nMessage-ID: <1@client.example>\r\n\r\nHi Bob.\r\n";
    let answer = send(server.at.smtp.unwrap(), &[&address.to_uppercase()], content).await;
    assert!(answer.starts_with("250 2.0.0 Ok: queued as "), "{answer}");

    // The same again is the same message; another is another.
    let again = send(server.at.smtp.unwrap(), &[&address], content).await;
    assert!(again.starts_with("250 "), "{again}");
    let reply = content
        .replace("1@client", "2@client")
        .replace("\r\n\r\nHi", "\r\nIn-Reply-To: <1@client.example>\r\n\r\nHi");
    let tagged = address.replace('@', "+list@");
    assert!(send(server.at.smtp.unwrap(), &[&address, &tagged], &reply).await.starts_with("250 "));

    let rows = sqlx::query(AssertSqlSafe(format!(
        "SELECT e.subject, e.thread_id, f.name, x.uid, s.header FROM {0}.emails e
         JOIN {0}.email_sources s USING (id) JOIN {0}.folder_entries x ON x.email_id = e.id
         JOIN {0}.folders f ON f.id = x.folder_id ORDER BY x.uid",
        organisation.schema()
    )))
    .fetch_all(&server.pool)
    .await
    .unwrap();
    assert_eq!(
        rows.len(),
        2,
        "one entry each, although one came twice and one to two addresses of a mailbox"
    );
    assert_eq!(rows[0].get::<String, _>("subject"), "hello");
    assert_eq!(rows[0].get::<String, _>("name"), "INBOX");
    assert_eq!(
        rows[0].get::<uuid::Uuid, _>("thread_id"),
        rows[1].get::<uuid::Uuid, _>("thread_id")
    );
    let header = String::from_utf8(rows[0].get("header")).unwrap();
    assert!(header.starts_with(&format!("Return-Path: <s@client.example>\r\nDelivered-To: {address}\r\nAuthentication-Results: mx.koltrix.test;\r\n\tiprev=")), "{header}");
    let state: String = sqlx::query_scalar("SELECT onboarding_state FROM tenants WHERE id = $1")
        .bind(organisation.id)
        .fetch_one(&server.pool)
        .await
        .unwrap();
    assert_eq!(state, "domain_added", "the domain that the address implied is not proven");
}
