//! An SMTP client that says exactly what it is told to, byte for byte.

use std::net::SocketAddr;
use std::time::Duration;

use koltrix_mail::net::stream::{ChannelBindings, Stream};
use koltrix_mail::net::tls::{ClientTls, Roots};
use tokio::net::TcpStream;

/// How long a test waits for anything before it fails.
const LIMIT: Duration = Duration::from_secs(20);

/// A connection to a server.
pub struct Smtp {
    stream: Stream,
}

impl Smtp {
    /// Connects and says nothing, reads nothing.
    pub async fn connect(addr: SocketAddr) -> Self {
        let socket = TcpStream::connect(addr).await.unwrap();
        Self { stream: Stream::plain(socket, addr) }
    }

    /// Connects and reads the greeting.
    pub async fn greeted(addr: SocketAddr) -> Self {
        let mut smtp = Self::connect(addr).await;
        smtp.expect("220 ").await;
        smtp
    }

    /// Connects to a TLS port and reads the greeting.
    pub async fn greeted_tls(addr: SocketAddr) -> Self {
        let mut smtp = Self::connect(addr).await.handshake().await.unwrap();
        smtp.expect("220 ").await;
        smtp
    }

    /// The client's side of a TLS handshake, now.
    pub async fn handshake(self) -> std::io::Result<Self> {
        self.handshake_with("localhost").await
    }

    /// The same, asking for a host of this name.
    pub async fn handshake_with(self, host: &str) -> std::io::Result<Self> {
        let tls = ClientTls::opportunistic().unwrap();
        let upgraded = self.stream.upgrade_client(&tls, host, LIMIT).await?;
        Ok(Self { stream: upgraded.stream })
    }

    /// Whether the server has proven to `roots` that it is `host`.
    pub fn proves(&self, roots: &Roots, host: &str) -> bool {
        self.stream.proves(roots, host).is_ok()
    }

    /// What SCRAM binds to on this connection.
    pub fn bindings(&self) -> ChannelBindings {
        self.stream.bindings()
    }

    /// STARTTLS as it should be done, EHLO on both sides of it.
    pub async fn starttls(mut self) -> Self {
        self.ask("EHLO client.test", "250").await;
        self.ask("STARTTLS", "220 ").await;
        let mut smtp = self.handshake().await.unwrap();
        smtp.ask("EHLO client.test", "250").await;
        smtp
    }

    /// Sends bytes as they are.
    pub async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.stream.write_all(bytes.as_ref(), LIMIT).await.unwrap();
        self.stream.flush(LIMIT).await.unwrap();
    }

    /// Reads one reply: its lines without CRLF, joined by LF.
    pub async fn reply(&mut self) -> String {
        let mut lines = Vec::new();
        loop {
            let line = self.line().await;
            let last = line.as_bytes().get(3) != Some(&b'-');
            lines.push(line);
            if last {
                return lines.join("\n");
            }
        }
    }

    async fn line(&mut self) -> String {
        loop {
            let buffered = self.stream.buffered();
            if let Some(end) = buffered.windows(2).position(|pair| pair == b"\r\n") {
                let line = String::from_utf8(buffered[..end].to_vec()).unwrap();
                self.stream.consume(end + 2);
                return line;
            }
            let count = self.stream.fill(LIMIT).await.expect("an answer");
            assert!(
                count > 0,
                "closed after {:?}",
                String::from_utf8_lossy(self.stream.buffered())
            );
        }
    }

    /// Reads one reply that must begin so.
    #[track_caller]
    pub fn expect<'a>(&'a mut self, start: &'a str) -> impl Future<Output = String> + 'a {
        let caller = std::panic::Location::caller();
        async move {
            let reply = self.reply().await;
            assert!(reply.starts_with(start), "{caller}: wanted {start:?}, got {reply:?}");
            reply
        }
    }

    /// Sends a line and reads a reply that must begin so.
    #[track_caller]
    pub fn ask<'a>(
        &'a mut self,
        line: &'a str,
        start: &'a str,
    ) -> impl Future<Output = String> + 'a {
        let caller = std::panic::Location::caller();
        async move {
            self.send(format!("{line}\r\n")).await;
            let reply = self.reply().await;
            assert!(reply.starts_with(start), "{caller}: {line:?} wanted {start:?}, got {reply:?}");
            reply
        }
    }

    /// One message in one transaction, after EHLO; returns the final answer.
    pub async fn deliver(&mut self, from: &str, to: &[&str], content: &[u8]) -> String {
        self.ask(&format!("MAIL FROM:<{from}>"), "250").await;
        for recipient in to {
            self.ask(&format!("RCPT TO:<{recipient}>"), "250").await;
        }
        self.ask("DATA", "354").await;
        self.send(koltrix_mail::wire::smtp::stuff::encode(content)).await;
        self.expect("250 ").await
    }

    /// Waits until the server has closed the connection; it must say nothing more.
    pub async fn expect_closed(mut self) {
        assert_eq!(String::from_utf8_lossy(self.stream.buffered()), "");
        match self.stream.fill(LIMIT).await {
            Ok(0) => {}
            Ok(_) => panic!("{:?}", String::from_utf8_lossy(self.stream.buffered())),
            Err(error) => assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset),
        }
    }
}
