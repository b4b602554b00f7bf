//! An HTTP client that sends exactly what it is told to.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use super::remote_mx::trusted_roots;

/// How long a test waits for an answer before it fails.
const LIMIT: Duration = Duration::from_secs(20);

/// A browser, as far as the server can tell.
pub const BROWSER: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0";

/// An answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// Names in lower case, and values.
    pub headers: Vec<(String, String)>,
    /// What came after them.
    pub body: Vec<u8>,
}

impl Answer {
    /// The value of a header field; empty without it.
    pub fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }

    /// The body as text.
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }
}

/// Sends these octets and reads the answer until the server closes.
pub async fn raw(addr: SocketAddr, request: &[u8]) -> Answer {
    converse(TcpStream::connect(addr).await.unwrap(), request).await
}

async fn converse(mut stream: impl AsyncRead + AsyncWrite + Unpin, request: &[u8]) -> Answer {
    // A server that has heard enough may close before all is sent.
    let _ = stream.write_all(request).await;
    let mut octets = Vec::new();
    let read = stream.read_to_end(&mut octets);
    let _ = tokio::time::timeout(LIMIT, read).await.expect("an answer in time");
    let end = octets.windows(4).position(|four| four == b"\r\n\r\n").expect("a whole header");
    let head = std::str::from_utf8(&octets[..end]).unwrap();
    let mut lines = head.split("\r\n");
    let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
    let headers = lines
        .map(|line| line.split_once(": ").unwrap())
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect();
    Answer { status, headers, body: octets[end + 4..].to_vec() }
}

/// One request with this User-Agent.
pub async fn ask(addr: SocketAddr, method: &str, path: &str, agent: &str) -> Answer {
    let request = format!(
        "{method} {path} HTTP/1.1\r\nHost: track.test\r\nUser-Agent: {agent}\r\nConnection: close\r\n\r\n"
    );
    raw(addr, request.as_bytes()).await
}

/// One GET by a browser.
pub async fn get(addr: SocketAddr, path: &str) -> Answer {
    ask(addr, "GET", path, BROWSER).await
}

/// One GET under TLS of a server that proves this name to whoever trusts [`trusted_roots`].
pub async fn get_tls(addr: SocketAddr, name: &str, path: &str) -> Answer {
    let mut roots = RootCertStore::empty();
    for root in CertificateDer::pem_file_iter(trusted_roots()).unwrap() {
        roots.add(root.unwrap()).unwrap();
    }
    let provider = Arc::new(tokio_rustls::rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let socket = TcpStream::connect(addr).await.unwrap();
    let host = ServerName::try_from(name.to_owned()).unwrap();
    let stream = TlsConnector::from(Arc::new(config)).connect(host, socket).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: {name}\r\nConnection: close\r\n\r\n");
    converse(stream, request.as_bytes()).await
}
