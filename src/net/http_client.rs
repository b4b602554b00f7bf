//! One small HTTP request to a service that the operator has named, such as rspamd, or that a caller
//! has found.
//!
//! No redirects, no proxies: the address comes from the settings or the caller and from nowhere else.
//! Under TLS the service has to prove its name.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::client::conn::http1;
use hyper::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderMap, HeaderValue};
use hyper::{Method, Request};
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::tls::{ClientTls, Roots, TlsError};

/// Octets of an answer that are read.
const MAX_ANSWER: usize = 1024 * 1024;

/// A service at `http://host:port` or `https://host:port`.
#[derive(Clone)]
pub struct HttpService {
    /// `host:port`.
    authority: String,
    /// What stands before each path.
    prefix: String,
    limit: Duration,
    /// Under TLS, with the name that is to be proven.
    tls: Option<(ClientTls, ServerName<'static>)>,
    /// Where it is, unless the authority says so.
    at: Option<SocketAddr>,
    /// Octets of an answer that are read.
    most: usize,
}

impl std::fmt::Debug for HttpService {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HttpService").field("authority", &self.authority).finish_non_exhaustive()
    }
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// The address is not `http://host[:port][/prefix]`, or `https://` where that is asked for.
    #[error("not an address such as \"http://127.0.0.1:11333\"")]
    Address,
    /// TLS is not possible here.
    #[error("{0}")]
    Tls(#[from] TlsError),
    /// The service does not prove to have its name.
    #[error("{0}")]
    Unproven(String),
    /// The service was too slow.
    #[error("no answer in time")]
    Late,
    /// It could not be reached.
    #[error("{0}")]
    Connection(#[from] io::Error),
    /// It does not speak HTTP as it should, or says too much.
    #[error("{0}")]
    Protocol(String),
}

/// What it said.
#[derive(Debug)]
pub struct HttpAnswer {
    /// The status, such as 200.
    pub status: u16,
    /// How long it may be kept, where that is said (RFC 9111 §5.2.2.1).
    pub max_age: Option<Duration>,
    /// What the body is said to be, in lower case and without parameters; empty where nothing is.
    pub media_type: String,
    /// At most one mebibyte, or what was asked for.
    pub body: Bytes,
}

impl HttpService {
    /// The service at `url`; a request takes `limit` at most, all of it.
    pub fn new(url: &str, limit: Duration) -> Result<Self, HttpError> {
        let rest = url.strip_prefix("http://").ok_or(HttpError::Address)?;
        let (authority, prefix) = address(rest, 80)?;
        Ok(Self { authority, prefix, limit, tls: None, at: None, most: MAX_ANSWER })
    }

    /// The service at `url`, which begins with `https://`, as `roots` vouch for it.
    pub fn secure(url: &str, limit: Duration, roots: &Roots) -> Result<Self, HttpError> {
        let rest = url.strip_prefix("https://").ok_or(HttpError::Address)?;
        let (authority, prefix) = address(rest, 443)?;
        let host = authority.rsplit_once(':').map_or("", |(host, _)| host);
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        let name = ServerName::try_from(host).map_err(|_| HttpError::Address)?;
        let tls = Some((ClientTls::verified(roots)?, name));
        Ok(Self { authority, prefix, limit, tls, at: None, most: MAX_ANSWER })
    }

    /// The service that `host` has at `at`, under TLS and proven as `tls` asks for; of an answer at
    /// most `most` octets are taken.
    pub fn found(
        host: &str,
        at: SocketAddr,
        tls: ClientTls,
        (limit, most): (Duration, usize),
    ) -> Result<Self, HttpError> {
        let name = ServerName::try_from(host.to_owned()).map_err(|_| HttpError::Address)?;
        let (authority, prefix) = (host.to_owned(), String::new());
        Ok(Self { authority, prefix, limit, tls: Some((tls, name)), at: Some(at), most })
    }

    /// POST with these header fields; a value that is none is left out.
    pub async fn post(
        &self,
        path: &str,
        fields: &[(&str, &str)],
        body: Bytes,
    ) -> Result<HttpAnswer, HttpError> {
        let request = self.request(Method::POST, path, fields, body)?;
        timeout(self.limit, self.exchange(request)).await.map_err(|_| HttpError::Late)?
    }

    /// GET.
    pub async fn get(&self, path: &str) -> Result<HttpAnswer, HttpError> {
        let request = self.request(Method::GET, path, &[], Bytes::new())?;
        timeout(self.limit, self.exchange(request)).await.map_err(|_| HttpError::Late)?
    }

    fn request(
        &self,
        method: Method,
        path: &str,
        fields: &[(&str, &str)],
        body: Bytes,
    ) -> Result<Request<Full<Bytes>>, HttpError> {
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.prefix))
            .header("Host", &self.authority)
            .header("Connection", "close");
        for (name, value) in fields {
            // CR, LF and NUL make no value (CWE-93).
            if HeaderValue::try_from(*value).is_ok() {
                request = request.header(*name, *value);
            }
        }
        request.body(Full::new(body)).map_err(|error| protocol(&error))
    }

    async fn exchange(&self, request: Request<Full<Bytes>>) -> Result<HttpAnswer, HttpError> {
        let socket = match self.at {
            Some(at) => TcpStream::connect(at).await?,
            None => TcpStream::connect(&self.authority).await?,
        };
        match &self.tls {
            None => converse(socket, request, self.most).await,
            Some((tls, name)) => {
                let stream = tls.connector().connect(name.clone(), socket).await;
                converse(stream.map_err(handshake)?, request, self.most).await
            }
        }
    }
}

/// `host:port` and what stands behind it, of an address without its scheme.
fn address(rest: &str, port: u16) -> Result<(String, String), HttpError> {
    let (host, prefix) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    if host.is_empty() {
        return Err(HttpError::Address);
    }
    let has_port = host.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok());
    let authority = if has_port { host.to_owned() } else { format!("{host}:{port}") };
    Ok((authority, prefix.trim_end_matches('/').to_owned()))
}

/// A certificate that proves nothing is told from a connection that broke.
fn handshake(error: io::Error) -> HttpError {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    match inner {
        Some(rustls::Error::InvalidCertificate(_)) => HttpError::Unproven(error.to_string()),
        _ => HttpError::Connection(error),
    }
}

/// One request, one answer.
async fn converse(
    socket: impl AsyncRead + AsyncWrite + Unpin,
    request: Request<Full<Bytes>>,
    most: usize,
) -> Result<HttpAnswer, HttpError> {
    let (mut sender, connection) =
        http1::handshake(TokioIo::new(socket)).await.map_err(|e| protocol(&e))?;
    let answer = async {
        let answer = sender.send_request(request).await.map_err(|e| protocol(&e))?;
        let (status, max_age) = (answer.status().as_u16(), max_age(answer.headers()));
        let media_type = media_type(answer.headers());
        let body = Limited::new(answer.into_body(), most).collect().await;
        let body = body.map_err(|e| protocol(&e))?.to_bytes();
        Ok(HttpAnswer { status, max_age, media_type, body })
    };
    // The connection ends with the answer; whatever it says then is nothing new.
    tokio::pin!(answer);
    tokio::select! {
        answer = &mut answer => answer,
        _ = connection => answer.await,
    }
}

fn max_age(headers: &HeaderMap) -> Option<Duration> {
    let said = headers.get_all(CACHE_CONTROL).into_iter().filter_map(|value| value.to_str().ok());
    let mut directives = said.flat_map(|value| value.split(',')).map(str::trim);
    let seconds = directives.find_map(|directive| directive.strip_prefix("max-age="))?;
    Some(Duration::from_secs(seconds.parse().ok()?))
}

fn media_type(headers: &HeaderMap) -> String {
    let said = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    said.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

fn protocol(error: &dyn std::fmt::Display) -> HttpError {
    HttpError::Protocol(error.to_string())
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    use super::*;

    /// Answers one request with `says`, and returns what was asked.
    async fn double(says: &'static str) -> (String, tokio::task::JoinHandle<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/base/", listener.local_addr().unwrap());
        let asked = tokio::spawn(async move {
            let (mut socket, _) = listener.accept().await.unwrap();
            let mut text = Vec::new();
            while !text.ends_with(b"body") {
                socket.read_buf(&mut text).await.unwrap();
            }
            socket.write_all(says.as_bytes()).await.unwrap();
            String::from_utf8(text).unwrap()
        });
        (url, asked)
    }

    #[tokio::test]
    async fn one_request_one_answer() {
        let (url, asked) = double("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}").await;
        let service = HttpService::new(&url, Duration::from_secs(5)).unwrap();
        let fields = [("IP", "192.0.2.1"), ("From", "a\r\nX: y"), ("Rcpt", "b")];
        let answer = service.post("/checkv2", &fields, Bytes::from_static(b"body")).await.unwrap();
        assert_eq!((answer.status, answer.body.as_ref()), (200, &b"{}"[..]));
        let asked = asked.await.unwrap();
        assert!(asked.starts_with("POST /base/checkv2 HTTP/1.1\r\n"), "{asked}");
        assert!(asked.contains("\r\nip: 192.0.2.1\r\n") && asked.contains("\r\nrcpt: b\r\n"));
        assert!(!asked.contains("X: y"), "{asked}");
    }

    #[tokio::test]
    async fn who_does_not_answer_is_not_waited_for() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let service = HttpService::new(&url, Duration::from_millis(50)).unwrap();
        let answer = service.post("/", &[], Bytes::new()).await;
        assert!(matches!(answer, Err(HttpError::Late)), "{answer:?}");
        drop(listener);
        let answer = service.post("/", &[], Bytes::new()).await;
        assert!(matches!(answer, Err(HttpError::Connection(_) | HttpError::Late)), "{answer:?}");
    }

    #[tokio::test]
    async fn what_is_not_http_is_an_error() {
        let (url, _asked) = double("220 mx ESMTP\r\n").await;
        let service = HttpService::new(&url, Duration::from_secs(5)).unwrap();
        let answer = service.post("/", &[], Bytes::from_static(b"body")).await;
        assert!(matches!(answer, Err(HttpError::Protocol(_))), "{answer:?}");
        for bad in ["https://a", "a:1", "http://"] {
            assert!(matches!(
                HttpService::new(bad, Duration::from_secs(1)),
                Err(HttpError::Address)
            ));
        }
    }
}
