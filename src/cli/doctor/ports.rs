//! The ports: free to bind, or answered by a server of the right kind.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::Path;
use std::time::Duration;

use koltrix_mail::config::Config;
use koltrix_mail::net::hostname::hostname;
use koltrix_mail::net::listener::{BindError, Listener};
use koltrix_mail::net::stream::Stream;
use koltrix_mail::net::tls::{ClientTls, Roots, Unproven};
use tokio::net::TcpStream;

use super::{Finding, ok, problem};

/// For each step of asking who is there.
const PATIENCE: Duration = Duration::from_secs(3);

/// What a service says first, and whether under TLS; HTTP says nothing unasked.
struct Service {
    key: &'static str,
    address: SocketAddr,
    tls: bool,
    ask: &'static [u8],
    greeting: &'static str,
}

fn services(config: &Config) -> Vec<Service> {
    let mail = |key, address, tls, greeting| Service { key, address, tls, ask: b"", greeting };
    let web = |key, address, tls| {
        let ask = b"GET /healthz HTTP/1.0\r\n\r\n";
        Service { key, address, tls, ask, greeting: "HTTP/1." }
    };
    let mut services = vec![
        mail("smtp.listen", config.smtp.listen, false, "220 "),
        mail("submission.listen_starttls", config.submission.listen_starttls, false, "220 "),
        mail("submission.listen_tls", config.submission.listen_tls, true, "220 "),
        mail("imap.listen_starttls", config.imap.listen_starttls, false, "* OK "),
        mail("imap.listen_tls", config.imap.listen_tls, true, "* OK "),
        web("http.listen", config.http.listen, false),
        web("http.listen_tls", config.http.listen_tls, true),
    ];
    services.extend(config.metrics.listen.map(|address| web("metrics.listen", address, false)));
    services
}

pub(super) async fn look(config: &Config) -> Vec<Finding> {
    let host = hostname(&config.server.hostname);
    let mut findings = Vec::new();
    for service in services(config) {
        findings.push(one(&service, &host).await);
    }
    findings
}

async fn one(service: &Service, host: &str) -> Finding {
    let Service { key, address, .. } = *service;
    match Listener::bind(address, key).await {
        Ok(_) => ok(key, format!("{address} is free")),
        Err(error @ BindError::InUse { .. }) => match greeting(service, host).await {
            Ok(Greeting { text, proof }) if text.starts_with(service.greeting) => {
                served(key, &format!("{address} is served: {text}"), proof, host)
            }
            Ok(_) | Err(_) => problem(key, error.to_string(), "it is not a server of this kind"),
        },
        Err(error) => problem(key, error.to_string(), "see the message"),
    }
}

/// A port that is ours, and what clients there make of the certificate.
fn served(
    key: &'static str,
    found: &str,
    proof: Option<Result<(), Unproven>>,
    host: &str,
) -> Finding {
    match proof {
        None => ok(key, found),
        Some(Ok(())) => ok(key, format!("{found}; it proves to be {host}")),
        Some(Err(why)) => problem(
            key,
            format!("{found}; it does not prove to be {host}: {why}"),
            "clients warn or refuse: put a certificate of that name into server.certs_dir, or have \
             one asked for with acme.directory",
        ),
    }
}

/// What whoever is there says first.
struct Greeting {
    text: String,
    /// Under TLS, whether it is who it should be for anybody on this machine.
    proof: Option<Result<(), Unproven>>,
}

async fn greeting(service: &Service, host: &str) -> std::io::Result<Greeting> {
    let address = reachable(service.address);
    let socket = tokio::time::timeout(PATIENCE, TcpStream::connect(address)).await??;
    let mut stream = Stream::plain(socket, address);
    let mut proof = None;
    if service.tls {
        let tls = ClientTls::opportunistic().map_err(std::io::Error::other)?;
        stream = stream.upgrade_client(&tls, host, PATIENCE).await?.stream;
        let roots = Roots::load(Path::new("")).map_err(std::io::Error::other)?;
        proof = Some(stream.proves(&roots, host));
    }
    stream.write_all(service.ask, PATIENCE).await?;
    stream.flush(PATIENCE).await?;
    while !stream.buffered().contains(&b'\n') && stream.fill(PATIENCE).await? > 0 {}
    let text = String::from_utf8_lossy(stream.buffered());
    let text = text.lines().next().unwrap_or_default().to_owned();
    stream.close(PATIENCE).await;
    Ok(Greeting { text, proof })
}

/// Whoever listens on every address is reached on this machine's own.
fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncWriteExt as _;

    use super::*;

    async fn found(answer: &'static [u8]) -> Finding {
        let listener = Listener::bind(([127, 0, 0, 1], 0).into(), "smtp.listen").await.unwrap();
        let address = listener.address();
        let shutdown = koltrix_mail::net::shutdown::Shutdown::new();
        let limits = Config::parse("", |_| None).unwrap().limits;
        let served = shutdown.clone();
        tokio::spawn(async move {
            let talk = move |mut socket: TcpStream, _| async move {
                socket.write_all(answer).await.unwrap();
            };
            listener.serve(&limits, b"", served, talk).await;
        });
        let service =
            Service { key: "smtp.listen", address, tls: false, ask: b"", greeting: "220 " };
        let finding = one(&service, "mx.test").await;
        shutdown.request();
        finding
    }

    #[tokio::test]
    async fn a_port_in_use_is_well_when_the_right_server_is_there() {
        let well = found(b"220 mx.test ESMTP\r\n").await;
        assert!(well.ok && well.found.ends_with("220 mx.test ESMTP"), "{}", well.found);
        let wrong = found(b"SSH-2.0-x\r\n").await;
        assert!(!wrong.ok && wrong.found.contains("smtp.listen"), "{}", wrong.found);
        assert!(!found(b"").await.ok);
    }

    #[test]
    fn a_certificate_that_clients_refuse_is_a_problem() {
        let judged = |proof| served("imap.listen_tls", "here", proof, "mx.test");
        assert!(judged(None).ok && judged(Some(Ok(()))).ok);
        let refused = judged(Some(Err(Unproven::Expired)));
        assert!(!refused.ok && refused.found.contains("expired"), "{}", refused.found);
    }

    #[tokio::test]
    async fn a_free_port_is_well() {
        let service = Service {
            key: "smtp.listen",
            address: ([127, 0, 0, 1], 0).into(),
            tls: false,
            ask: b"",
            greeting: "220 ",
        };
        assert!(one(&service, "mx.test").await.ok);
    }
}
