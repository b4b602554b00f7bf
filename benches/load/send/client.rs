//! Submits messages, one after the other over one connection.

use std::ops::Range;

use base64::Engine as _;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::peer::Peer;
use crate::smtp::{expect, message};

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
    say(&mut smtp, b"EHLO load.example\r\n", &["250"]).await;
    if peer.tls.is_some() {
        let login = format!("\0user0@bench.test\0{PASSWORD}");
        let login = base64::engine::general_purpose::STANDARD.encode(login);
        say(&mut smtp, format!("AUTH PLAIN {login}\r\n").as_bytes(), &["235"]).await;
    }
    for number in numbers {
        let recipient = format!("r{number}@d{}.load.test", number % destinations);
        let envelope = format!("MAIL FROM:<user0@bench.test>\r\nRCPT TO:<{recipient}>\r\nDATA\r\n");
        say(&mut smtp, envelope.as_bytes(), &["250", "250", "354"]).await;
        say(&mut smtp, &message("user0@bench.test", &recipient, SIZE), &["250"]).await;
    }
    say(&mut smtp, b"QUIT\r\n", &["221"]).await;
}

async fn say(smtp: &mut Connection, text: &[u8], codes: &[&str]) {
    smtp.write_all(text).await.unwrap();
    smtp.flush().await.unwrap();
    for code in codes {
        expect(smtp, code).await;
    }
}
