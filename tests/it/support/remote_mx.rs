//! Somebody else's mail server: it keeps what it is given and answers as told.

mod certs;
mod session;

use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;

pub use certs::{certify, trusted_roots};

/// What the server does when a line of the client begins with the rule's text.
/// `CONNECT` stands for a new connection, `.` for the end of the data,
/// `TLS` for the handshake after STARTTLS (`Drop` alone makes sense there).
#[derive(Clone, Debug)]
pub enum Step {
    /// Answers with these lines, without the final CRLF.
    Reply(String),
    /// Answers, then closes the connection.
    ReplyAndClose(String),
    /// Closes the connection at once.
    Drop,
    /// Never answers.
    Silence,
}

/// One message as it came, the dots of transparency taken away.
#[derive(Clone, Debug)]
pub struct Received {
    /// Which connection, counted from 1.
    pub connection: usize,
    /// The address that the client came from.
    pub from: IpAddr,
    /// The name in EHLO.
    pub helo: String,
    /// Whether it came under TLS.
    pub tls: bool,
    /// MAIL FROM with its parameters, after the colon.
    pub mail_from: String,
    /// Each accepted RCPT TO with its parameters, after the colon.
    pub rcpt_to: Vec<String>,
    /// The content.
    pub data: Vec<u8>,
    /// Whether it was answered with 2xx.
    pub accepted: bool,
}

/// The server. It stops listening when dropped.
pub struct RemoteMx {
    addr: SocketAddr,
    shared: Arc<Shared>,
    /// What it shows in a handshake, in DER; empty without TLS.
    pub certificate: Vec<u8>,
    listening: tokio::task::JoinHandle<()>,
}

struct Shared {
    rules: Mutex<Vec<(String, Step, Option<usize>)>>,
    extensions: Mutex<Vec<&'static str>>,
    tls: Option<TlsAcceptor>,
    seen: watch::Sender<Seen>,
}

#[derive(Clone, Default)]
struct Seen {
    connections: usize,
    commands: Vec<String>,
    messages: Vec<Received>,
}

impl RemoteMx {
    /// Starts on `addr` (port 0 for a free one) with PIPELINING, 8BITMIME,
    /// SMTPUTF8, DSN, SIZE and, with `tls`, STARTTLS with a certificate of its own.
    pub async fn start(addr: SocketAddr, tls: bool) -> Self {
        Self::start_with(addr, tls.then(certs::unknown)).await
    }

    /// As [`Self::start`], with a certificate for `host` that [`trusted_roots`] vouch for.
    pub async fn start_proven(addr: SocketAddr, host: &str) -> Self {
        Self::start_with(addr, Some(certs::proven(host))).await
    }

    async fn start_with(addr: SocketAddr, tls: Option<certs::Pair>) -> Self {
        let certificate = tls.as_ref().map(|(chain, _)| chain[0].to_vec()).unwrap_or_default();
        let listener = TcpListener::bind(addr).await.unwrap();
        let addr = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            rules: Mutex::default(),
            extensions: Mutex::new(vec![
                "PIPELINING",
                "8BITMIME",
                "SMTPUTF8",
                "DSN",
                "SIZE 52428800",
            ]),
            tls: tls.map(acceptor),
            seen: watch::channel(Seen::default()).0,
        });
        let listening = tokio::spawn(accept(listener, Arc::clone(&shared)));
        Self { addr, shared, certificate, listening }
    }

    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// From now on, a line that begins so (any case) is answered so. The rule
    /// made last is asked first.
    pub fn on(&self, begin: &str, step: Step) -> &Self {
        self.rule(begin, step, None)
    }

    /// As [`Self::on`], for the next `times` such lines only.
    pub fn times(&self, times: usize, begin: &str, step: Step) -> &Self {
        self.rule(begin, step, Some(times))
    }

    fn rule(&self, begin: &str, step: Step, times: Option<usize>) -> &Self {
        self.shared.rules.lock().unwrap().push((begin.to_ascii_uppercase(), step, times));
        self
    }

    /// Forgets all rules.
    pub fn well(&self) -> &Self {
        self.shared.rules.lock().unwrap().clear();
        self
    }

    /// What EHLO offers beside STARTTLS.
    pub fn offer(&self, extensions: &[&'static str]) -> &Self {
        *self.shared.extensions.lock().unwrap() = extensions.to_vec();
        self
    }

    /// How many connections have come.
    pub fn connections(&self) -> usize {
        self.shared.seen.borrow().connections
    }

    /// Every command line so far, of all connections.
    pub fn commands(&self) -> Vec<String> {
        self.shared.seen.borrow().commands.clone()
    }

    /// Every message whose end has come, answered or not.
    pub fn messages(&self) -> Vec<Received> {
        self.shared.seen.borrow().messages.clone()
    }

    /// Every message that was answered with 2xx.
    pub fn accepted(&self) -> Vec<Received> {
        self.messages().into_iter().filter(|message| message.accepted).collect()
    }

    /// Waits until `count` messages have been accepted and returns them all.
    pub async fn wait_for(&self, count: usize) -> Vec<Received> {
        self.wait_until(&format!("{count} messages"), |mx| mx.accepted().len() >= count).await;
        self.accepted()
    }

    /// Waits until something is true of what was seen; 30 seconds at most.
    pub async fn wait_until(&self, what: &str, reached: impl Fn(&Self) -> bool) {
        let mut seen = self.shared.seen.subscribe();
        let wait = async {
            while !reached(self) {
                seen.changed().await.unwrap();
            }
        };
        let waited = tokio::time::timeout(Duration::from_secs(30), wait).await;
        assert!(waited.is_ok(), "no {what} within 30 s; commands: {:#?}", self.commands());
    }
}

impl Drop for RemoteMx {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

impl Shared {
    fn step(&self, line: &str) -> Option<Step> {
        let line = line.to_ascii_uppercase();
        let mut rules = self.rules.lock().unwrap();
        let (_, step, left) = rules
            .iter_mut()
            .rev()
            .find(|(begin, _, left)| line.starts_with(begin.as_str()) && *left != Some(0))?;
        if let Some(left) = left {
            *left -= 1;
        }
        Some(step.clone())
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    while let Ok((stream, _)) = listener.accept().await {
        shared.seen.send_modify(|seen| seen.connections += 1);
        let connection = shared.seen.borrow().connections;
        tokio::spawn(session::serve(stream, Arc::clone(&shared), connection));
    }
}

fn acceptor((chain, key): certs::Pair) -> TlsAcceptor {
    let provider = Arc::new(tokio_rustls::rustls::crypto::aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .unwrap();
    TlsAcceptor::from(Arc::new(config))
}

/// What a server with a proven name does a handshake with.
pub fn proven_acceptor(host: &str) -> TlsAcceptor {
    acceptor(certs::proven(host))
}
