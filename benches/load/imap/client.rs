//! An IMAP client that reads as fast as it can, and looks at as little as it can.

use std::sync::Arc;

use rustls::pki_types::ServerName;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::peer::Peer;

pub const PASSWORD: &str = "correct-horse-battery-staple";

pub struct Client {
    stream: BufReader<TlsStream<TcpStream>>,
    line: Vec<u8>,
}

impl Client {
    /// Connected, greeted, not logged in.
    pub async fn connect(peer: &Peer) -> Self {
        let tcp = TcpStream::connect(peer.imap).await.unwrap();
        tcp.set_nodelay(true).unwrap();
        let name = ServerName::try_from("localhost").unwrap();
        let tls = TlsConnector::from(Arc::clone(&peer.tls)).connect(name, tcp).await.unwrap();
        let mut client =
            Self { stream: BufReader::with_capacity(64 * 1024, tls), line: Vec::new() };
        client.line().await;
        client
    }

    /// Logged in, with INBOX open.
    pub async fn open(peer: &Peer, user: usize) -> Self {
        let mut client = Self::connect(peer).await;
        client.ask(&format!("LOGIN user{user}@bench.test \"{PASSWORD}\"")).await;
        client.ask("SELECT INBOX").await;
        client
    }

    /// Says `command`; returns how many lines came before the `OK`.
    pub async fn ask(&mut self, command: &str) -> usize {
        self.stream.write_all(format!("a {command}\r\n").as_bytes()).await.unwrap();
        self.answer().await
    }

    /// APPEND, with the literal sent at once (LITERAL+).
    pub async fn append(&mut self, message: &[u8]) {
        let mut octets = format!("a APPEND INBOX () {{{}+}}\r\n", message.len()).into_bytes();
        octets.extend_from_slice(message);
        octets.extend_from_slice(b"\r\n");
        self.stream.write_all(&octets).await.unwrap();
        self.stream.flush().await.unwrap();
        self.answer().await;
    }

    /// Begins IDLE.
    pub async fn idle(&mut self) {
        self.stream.write_all(b"a IDLE\r\n").await.unwrap();
        self.stream.flush().await.unwrap();
        self.until(b"+ Idling\r\n").await;
    }

    /// Reads up to a line with this end.
    pub async fn until(&mut self, end: &[u8]) {
        self.line().await;
        while !self.line.ends_with(end) {
            self.line().await;
        }
    }

    async fn answer(&mut self) -> usize {
        self.stream.flush().await.unwrap();
        let mut lines = 0;
        loop {
            self.line().await;
            if let Some(said) = self.line.strip_prefix(b"a ") {
                assert!(said.starts_with(b"OK"), "{}", String::from_utf8_lossy(said));
                return lines;
            }
            lines += 1;
            while let Some(literal) = literal(&self.line) {
                self.skip(literal).await;
                self.line().await;
            }
        }
    }

    async fn line(&mut self) {
        self.line.clear();
        self.stream.read_until(b'\n', &mut self.line).await.unwrap();
        assert!(!self.line.is_empty(), "the server hung up");
    }

    async fn skip(&mut self, mut left: usize) {
        while left > 0 {
            let there = self.stream.fill_buf().await.unwrap().len();
            assert!(there > 0, "the server hung up");
            let take = there.min(left);
            self.stream.consume(take);
            left -= take;
        }
    }
}

/// The length of the literal that a line announces at its end.
fn literal(line: &[u8]) -> Option<usize> {
    let line = line.strip_suffix(b"}\r\n")?;
    let open = line.iter().rposition(|&octet| octet == b'{')?;
    std::str::from_utf8(line.get(open + 1..)?).ok()?.parse().ok()
}
