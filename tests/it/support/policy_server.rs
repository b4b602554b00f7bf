//! Where a domain keeps its policy of TLS (MTA-STS): an HTTPS server on an address of its own.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicU16, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use super::dns::Dns;
use super::remote_mx;

/// The server. It stops when dropped.
pub struct PolicyServer {
    serving: tokio::task::JoinHandle<()>,
    asked: Arc<AtomicUsize>,
}

/// The port that all of them listen on in this run.
pub fn port() -> u16 {
    static PORT: OnceLock<u16> = OnceLock::new();
    *PORT.get_or_init(|| {
        std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
    })
}

impl PolicyServer {
    /// Announces a policy for `domain` in `dns` and serves it. Its server is the only one named, in
    /// `mode`.
    pub async fn start(dns: &Dns, domain: &str, mode: &str, mx: &str) -> Self {
        let text = format!("version: STSv1\nmode: {mode}\nmx: {mx}\nmax_age: 86400\n");
        let head = "HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8";
        let answer = format!("{head}\r\nContent-Length: {}\r\n\r\n{text}", text.len());
        Self::saying(dns, domain, &format!("mta-sts.{domain}"), answer).await
    }

    /// As [`Self::start`], with this answer, and a certificate for this host.
    pub async fn saying(dns: &Dns, domain: &str, proven: &str, answer: String) -> Self {
        static NEXT: AtomicU16 = AtomicU16::new(1);
        let [high, low] = NEXT.fetch_add(1, Ordering::Relaxed).to_be_bytes();
        let ip = IpAddr::V4(Ipv4Addr::new(127, 78, high, low));
        let listener = TcpListener::bind(SocketAddr::new(ip, port())).await.unwrap();
        dns.ip(&format!("mta-sts.{domain}"), ip);
        dns.txt(&format!("_mta-sts.{domain}"), "v=STSv1; id=1;");
        let asked = Arc::new(AtomicUsize::new(0));
        let acceptor = remote_mx::proven_acceptor(proven);
        let serving = tokio::spawn(serve(listener, acceptor, answer, Arc::clone(&asked)));
        Self { serving, asked }
    }

    /// How often the policy was asked for.
    pub fn asked(&self) -> usize {
        self.asked.load(Ordering::Relaxed)
    }
}

impl Drop for PolicyServer {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn serve(
    listener: TcpListener,
    acceptor: TlsAcceptor,
    answer: String,
    asked: Arc<AtomicUsize>,
) {
    let mut open = JoinSet::new();
    while let Ok((socket, _)) = listener.accept().await {
        open.spawn(tell(socket, acceptor.clone(), answer.clone(), Arc::clone(&asked)));
    }
}

/// Answers one question; nothing else is asked of it.
async fn tell(socket: TcpStream, acceptor: TlsAcceptor, answer: String, asked: Arc<AtomicUsize>) {
    let Ok(mut stream) = acceptor.accept(socket).await else { return };
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        // Whoever asks may be killed meanwhile.
        let Ok(1..) = stream.read_buf(&mut request).await else { return };
    }
    assert!(request.starts_with(b"GET /.well-known/mta-sts.txt HTTP/1.1\r\n"));
    asked.fetch_add(1, Ordering::Relaxed);
    let _ = stream.write_all(answer.as_bytes()).await;
    let _ = stream.shutdown().await;
}
