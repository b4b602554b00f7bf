//! An IMAP client that says exactly what it is told to.

use std::net::SocketAddr;
use std::time::Duration;

use koltrix_mail::net::stream::{ChannelBindings, Stream};
use koltrix_mail::net::tls::ClientTls;
use tokio::net::TcpStream;

use super::server::{PASSWORD, Server, server};

/// How long a test waits for anything before it fails.
const LIMIT: Duration = Duration::from_secs(20);

/// A connection to the server.
pub struct Imap {
    stream: Stream,
    tags: usize,
}

impl Imap {
    /// Connects to a plain port and reads the greeting.
    pub async fn greeted(addr: SocketAddr) -> Self {
        let socket = TcpStream::connect(addr).await.unwrap();
        let mut imap = Self { stream: Stream::plain(socket, addr), tags: 0 };
        imap.wait_for("* OK").await;
        imap
    }

    /// Connects to the TLS port and reads the greeting.
    pub async fn greeted_tls(addr: SocketAddr) -> Self {
        let socket = TcpStream::connect(addr).await.unwrap();
        let plain = Self { stream: Stream::plain(socket, addr), tags: 0 };
        let mut imap = plain.handshake().await;
        imap.wait_for("* OK").await;
        imap
    }

    /// The client's side of a TLS handshake, now.
    pub async fn handshake(self) -> Self {
        let tls = ClientTls::opportunistic().unwrap();
        let upgraded = self.stream.upgrade_client(&tls, "localhost", LIMIT).await.unwrap();
        Self { stream: upgraded.stream, tags: self.tags }
    }

    /// Compresses what travels, as the server has agreed to.
    pub fn compress(&mut self) {
        self.stream.compress();
    }

    /// What SCRAM binds to on this connection.
    pub fn bindings(&self) -> ChannelBindings {
        self.stream.bindings()
    }

    /// Logs in over TLS.
    pub async fn login(server: &Server, address: &str, password: &str) -> Self {
        let mut imap = Self::greeted_tls(server.at.imap_tls.unwrap()).await;
        imap.ok(&format!("LOGIN {address} \"{password}\"")).await;
        imap
    }

    /// Sends bytes as they are.
    pub async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.stream.write_all(bytes.as_ref(), LIMIT).await.unwrap();
        self.stream.flush(LIMIT).await.unwrap();
    }

    /// Reads one line, without its CRLF; a literal's octets are not in it.
    pub async fn line(&mut self) -> String {
        loop {
            let buffered = self.stream.buffered();
            if let Some(end) = buffered.windows(2).position(|pair| pair == b"\r\n") {
                let line = String::from_utf8_lossy(&buffered[..end]).into_owned();
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

    async fn octets(&mut self, count: usize) -> Vec<u8> {
        let mut out = Vec::with_capacity(count);
        while out.len() < count {
            let take = self.stream.buffered().len().min(count - out.len());
            out.extend_from_slice(&self.stream.buffered()[..take]);
            self.stream.consume(take);
            if out.len() < count {
                assert!(
                    self.stream.fill(LIMIT).await.expect("a literal") > 0,
                    "closed in a literal"
                );
            }
        }
        out
    }

    /// Sends a command and reads to its tagged answer: all lines, that one
    /// last and without its tag. Literals stand in the lines as they are.
    pub async fn command(&mut self, command: &str) -> Vec<String> {
        self.tags += 1;
        let tag = format!("t{}", self.tags);
        self.send(format!("{tag} {command}\r\n")).await;
        let Reply { mut untagged, done } = self.until(&tag).await;
        untagged.push(done);
        untagged
    }

    /// As [`Imap::command`], which must be answered OK.
    #[track_caller]
    pub fn ok<'a>(&'a mut self, command: &'a str) -> impl Future<Output = Vec<String>> + 'a {
        let caller = std::panic::Location::caller();
        async move {
            let lines = self.command(command).await;
            assert!(lines.last().unwrap().starts_with("OK"), "{caller}: {command:?}: {lines:?}");
            lines
        }
    }

    /// Sends a command whose answer holds one literal and returns its octets.
    pub async fn literal(&mut self, command: &str) -> Vec<u8> {
        self.tags += 1;
        let tag = format!("t{}", self.tags);
        self.send(format!("{tag} {command}\r\n")).await;
        let line = self.line().await;
        let count = literal_size(&line).unwrap_or_else(|| panic!("{command:?}: {line:?}"));
        let octets = self.octets(count).await;
        self.wait_for(&format!("{tag} OK")).await;
        octets
    }

    /// Reads lines until one begins so.
    pub async fn wait_for(&mut self, start: &str) -> String {
        loop {
            let line = self.line().await;
            if line.starts_with(start) {
                return line;
            }
        }
    }

    /// Begins IDLE and waits until the server is in it.
    pub async fn idle(&mut self) {
        self.tags += 1;
        self.send(format!("t{} IDLE\r\n", self.tags)).await;
        self.wait_for("+").await;
    }

    /// Ends IDLE.
    pub async fn done(&mut self) {
        self.send("DONE\r\n").await;
        self.wait_for(&format!("t{} OK", self.tags)).await;
    }
}

/// What came of a command.
#[derive(Debug)]
pub struct Reply {
    /// The untagged responses, literals in place.
    pub untagged: Vec<String>,
    /// The tagged one, without its tag.
    pub done: String,
}

/// Dialogs, one command after the other.
impl Imap {
    /// Under TLS, greeted.
    pub async fn tls() -> Self {
        Self::greeted_tls(server().await.at.imap_tls.unwrap()).await
    }

    /// Logged in as the owner of a mailbox made by [`super::server::Tenant::mailbox`].
    pub async fn of(address: &str) -> Self {
        Self::login(server().await, address, PASSWORD).await
    }

    /// The same, with a mailbox open.
    pub async fn select(address: &str, mailbox: &str) -> Self {
        let mut imap = Self::of(address).await;
        imap.ok(&format!("SELECT {mailbox}")).await;
        imap
    }

    /// The next response, its literals in place.
    pub async fn response(&mut self) -> String {
        let mut response = self.line().await;
        while let Some(count) = literal_size(&response) {
            let octets = self.octets(count).await;
            let rest = self.line().await;
            response = format!("{response}\r\n{}{rest}", String::from_utf8_lossy(&octets));
        }
        response
    }

    /// The responses up to the one that is tagged so.
    pub async fn until(&mut self, tag: &str) -> Reply {
        let mut untagged = Vec::new();
        loop {
            let response = self.response().await;
            match response.strip_prefix(tag).and_then(|rest| rest.strip_prefix(' ')) {
                Some(done) => return Reply { untagged, done: done.to_owned() },
                None => untagged.push(response),
            }
        }
    }

    /// Says a command and hears its answers.
    pub async fn run(&mut self, command: &str) -> Reply {
        let mut untagged = self.command(command).await;
        let done = untagged.pop().unwrap();
        Reply { untagged, done }
    }

    /// Says a command that works; what it brings.
    pub async fn brings(&mut self, command: &str) -> Vec<String> {
        let reply = self.run(command).await;
        assert!(reply.done.starts_with("OK"), "{command}: {reply:?}");
        reply.untagged
    }

    /// Says a command that does not work; how it ends.
    pub async fn fails(&mut self, command: &str) -> String {
        let reply = self.run(command).await;
        assert!(!reply.done.starts_with("OK"), "{command}: {reply:?}");
        reply.done
    }

    /// Everything up to the end of the connection.
    pub async fn rest(&mut self) -> String {
        while self.stream.fill(LIMIT).await.expect("an end") > 0 {}
        String::from_utf8_lossy(self.stream.buffered()).into_owned()
    }

    /// Puts a message into a mailbox; how that ends.
    pub async fn append(&mut self, mailbox: &str, options: &str, message: &[u8]) -> String {
        let space = if options.is_empty() { "" } else { " " };
        let head = format!("a APPEND {mailbox}{space}{options} {{{}+}}\r\n", message.len());
        self.send([head.as_bytes(), message, b"\r\n"].concat()).await;
        self.until("a").await.done
    }

    /// Puts a small message with this subject into a mailbox.
    pub async fn put(&mut self, mailbox: &str, options: &str, subject: &str) {
        let message = format!(
            "From: Ann <ann@client.example>\r\nTo: Bob <bob@client.example>\r\n\
             Date: Wed, 17 Jul 1996 02:23:25 -0700\r\nSubject: {subject}\r\n\
             Message-ID: <{subject}@client.example>\r\n\r\nThe body of {subject}.\r\n"
        );
        let done = self.append(mailbox, options, message.as_bytes()).await;
        assert!(done.starts_with("OK [APPENDUID "), "{done}");
    }
}

/// `{n}` at the end of a line.
fn literal_size(line: &str) -> Option<usize> {
    line.strip_suffix('}')?.rsplit_once('{')?.1.parse().ok()
}
