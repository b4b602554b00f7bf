//! How soon an open client hears of a message.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;

use super::client::Client;
use super::messages::message;
use super::peer::Peer;

const MESSAGES: usize = 50;

/// From the final dot of a message over SMTP to `EXISTS` in a session that is idle: the median.
pub async fn median(peer: &Peer, smtp: SocketAddr) -> Duration {
    let mut client = Client::open(peer, 0).await;
    client.idle().await;
    let mut smtp = BufReader::new(TcpStream::connect(smtp).await.unwrap());
    reply(&mut smtp).await;
    ask(&mut smtp, b"EHLO client.example\r\n").await;
    let mut times = Vec::new();
    for n in 0..MESSAGES {
        ask(&mut smtp, b"MAIL FROM:<sender@client.example>\r\n").await;
        ask(&mut smtp, b"RCPT TO:<user0@bench.test>\r\n").await;
        ask(&mut smtp, b"DATA\r\n").await;
        let mut octets = message(99, n);
        octets.extend_from_slice(b"\r\n.\r\n");
        smtp.write_all(&octets).await.unwrap();
        let sent = Instant::now();
        client.until(b" EXISTS\r\n").await;
        times.push(sent.elapsed());
        reply(&mut smtp).await;
    }
    times.sort_unstable();
    times[MESSAGES / 2]
}

async fn ask(smtp: &mut BufReader<TcpStream>, command: &[u8]) {
    smtp.write_all(command).await.unwrap();
    reply(smtp).await;
}

async fn reply(smtp: &mut BufReader<TcpStream>) {
    let mut line = String::from("   -");
    while line.as_bytes().get(3) == Some(&b'-') {
        line.clear();
        smtp.read_line(&mut line).await.unwrap();
        assert!(line.starts_with(['2', '3']), "{line}");
    }
}
