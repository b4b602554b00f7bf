//! Submits messages, one after the other over one connection.

use std::fmt::Write as _;
use std::ops::Range;

use base64::Engine as _;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::peer::Peer;
use crate::smtp::expect;

pub const PASSWORD: &str = "correct-horse-battery-staple";
const SIZE: usize = 10 * 1024;

trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<S: AsyncRead + AsyncWrite + Unpin + Send> Stream for S {}

type Connection = BufReader<Box<dyn Stream>>;

/// Submits the messages with these numbers; each goes to the destination that is next.
pub async fn submit(peer: Peer, numbers: Range<usize>, destinations: usize) {
    let tcp = TcpStream::connect(peer.submission).await.unwrap();
    tcp.set_nodelay(true).unwrap();
    let stream: Box<dyn Stream> = match &peer.tls {
        Some(tls) => {
            let name = ServerName::try_from("localhost").unwrap();
            Box::new(TlsConnector::from(tls.clone()).connect(name, tcp).await.unwrap())
        }
        None => Box::new(tcp),
    };
    let mut smtp = BufReader::new(stream);
    expect(&mut smtp, "220").await;
    say(&mut smtp, "EHLO load.example\r\n", &["250"]).await;
    if peer.tls.is_some() {
        let login = format!("\0user0@bench.test\0{PASSWORD}");
        let login = base64::engine::general_purpose::STANDARD.encode(login);
        say(&mut smtp, &format!("AUTH PLAIN {login}\r\n"), &["235"]).await;
    }
    for number in numbers {
        let domain = format!("d{}.load.test", number % destinations);
        let envelope =
            format!("MAIL FROM:<user0@bench.test>\r\nRCPT TO:<r{number}@{domain}>\r\nDATA\r\n");
        say(&mut smtp, &envelope, &["250", "250", "354"]).await;
        say(&mut smtp, &message(number, &domain), &["250"]).await;
    }
    say(&mut smtp, "QUIT\r\n", &["221"]).await;
}

fn message(number: usize, domain: &str) -> String {
    let id = uuid::Uuid::new_v4();
    let mut text = format!(
        "From: Load <user0@bench.test>\r\nTo: r{number}@{domain}\r\nSubject: A message of ten kilobytes\r\n\
         Message-ID: <{id}@bench.test>\r\nDate: Sun, 22 Nov 2026 12:00:00 +0000\r\nMIME-Version: 1.0\r\n\
         Content-Type: text/plain; charset=utf-8\r\n\r\n"
    );
    let mut line = 0;
    while text.len() < SIZE {
        line += 1;
        let _ = write!(text, "Line {line} of {id}, which is as long as lines of prose are.\r\n");
    }
    text.push_str(".\r\n");
    text
}

async fn say(smtp: &mut Connection, text: &str, codes: &[&str]) {
    smtp.write_all(text.as_bytes()).await.unwrap();
    smtp.flush().await.unwrap();
    for code in codes {
        expect(smtp, code).await;
    }
}
