//! The doubles do what the tests that lean on them believe.

use std::sync::Arc;

use hickory_resolver::TokioResolver;
use hickory_resolver::config::{NameServerConfig, ResolverConfig};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::proto::rr::{RData, RecordType};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::dns::Dns;
use crate::support::remote_mx::{RemoteMx, Step};

fn resolver(dns: &Dns) -> TokioResolver {
    let mut server = NameServerConfig::udp_and_tcp(dns.addr().ip());
    for connection in &mut server.connections {
        connection.port = dns.addr().port();
    }
    let config = ResolverConfig::from_parts(None, Vec::new(), vec![server]);
    TokioResolver::builder_with_config(config, TokioRuntimeProvider::default()).build().unwrap()
}

#[tokio::test]
async fn dns_answers_what_it_was_told() {
    let dns = Dns::start().await;
    let long = "x".repeat(300);
    dns.mx("a.test", 10, "mx.a.test")
        .ip("mx.a.test", "127.0.0.9".parse().unwrap())
        .ip("mx.a.test", "::1".parse().unwrap())
        .txt("a.test", &long)
        .cname("www.a.test", "mx.a.test")
        .ptr("127.0.0.9".parse().unwrap(), "mx.a.test")
        .broken("b.test", true);
    let resolver = resolver(&dns);

    let mx = resolver.mx_lookup("a.test.").await.unwrap();
    let RData::MX(mx) = &mx.answers()[0].data else { panic!("{mx:?}") };
    assert_eq!((mx.preference, mx.exchange.to_string().as_str()), (10, "mx.a.test."));
    let txt = resolver.txt_lookup("a.test.").await.unwrap();
    let RData::TXT(txt) = &txt.answers()[0].data else { panic!("{txt:?}") };
    assert_eq!(txt.txt_data.concat(), long.as_bytes());
    assert_eq!(resolver.lookup_ip("www.a.test.").await.unwrap().iter().count(), 2);
    let ptr = resolver.reverse_lookup("127.0.0.9".parse::<std::net::IpAddr>().unwrap()).await;
    assert_eq!(ptr.unwrap().answers().len(), 1);

    let missing = resolver.mx_lookup("c.test.").await.unwrap_err();
    assert!(missing.is_nx_domain(), "{missing}");
    let no_mx = resolver.mx_lookup("mx.a.test.").await.unwrap_err();
    assert!(no_mx.is_no_records_found() && !no_mx.is_nx_domain(), "{no_mx}");
    let broken = resolver.mx_lookup("b.test.").await.unwrap_err();
    assert!(!broken.is_no_records_found(), "{broken}");
    dns.remove("a.test", RecordType::MX);
    assert!(dns.asked("a.test") >= 2);
}

/// Sends each piece after the answer to the one before; all that came back.
async fn talk(stream: &mut TcpStream, pieces: &[&str]) -> String {
    let mut answers = String::new();
    let mut buffer = [0; 4096];
    for piece in pieces {
        stream.write_all(piece.as_bytes()).await.unwrap();
        let count = stream.read(&mut buffer).await.unwrap();
        answers.push_str(std::str::from_utf8(&buffer[..count]).unwrap());
    }
    answers
}

#[tokio::test]
async fn remote_mx_keeps_messages_and_obeys_its_rules() {
    let mx = RemoteMx::start("127.0.0.1:0".parse().unwrap(), true).await;
    mx.offer(&["PIPELINING"])
        .on("RCPT TO:<no@", Step::Reply("550 5.1.1 No such user".into()))
        .times(1, ".", Step::Reply("451 4.0.0 Later".into()));
    let mut stream = TcpStream::connect(mx.addr()).await.unwrap();
    assert!(talk(&mut stream, &[""]).await.starts_with("220 "));
    let hello = talk(&mut stream, &["EHLO me.test\r\n"]).await;
    assert_eq!(hello, "250-remote.test\r\n250-PIPELINING\r\n250 STARTTLS\r\n");
    for _ in 0..2 {
        let envelope = ["MAIL FROM:<>\r\n", "RCPT TO:<no@x>\r\n", "RCPT TO:<yes@x>\r\n"];
        talk(&mut stream, &envelope).await;
        talk(&mut stream, &["DATA\r\n", "a: b\r\n\r\n..c\r\n.\r\n"]).await;
    }
    let accepted = mx.wait_for(1).await;
    assert_eq!((mx.messages().len(), accepted.len(), mx.connections()), (2, 1, 1));
    assert_eq!(accepted[0].data, b"a: b\r\n\r\n.c\r\n");
    assert_eq!(accepted[0].rcpt_to, ["<yes@x>"]);
    assert_eq!((accepted[0].helo.as_str(), accepted[0].tls), ("me.test", false));
    assert_eq!((accepted[0].mail_from.as_str(), accepted[0].connection), ("<>", 1));

    mx.well().on("NOOP", Step::Drop).on("RSET", Step::ReplyAndClose("421 Bye".into()));
    assert_eq!(talk(&mut stream, &["NOOP\r\n"]).await, "");
    mx.on("CONNECT", Step::Silence);
    let silent = TcpStream::connect(mx.addr()).await.unwrap();
    mx.wait_until("second connection", |mx| mx.connections() == 2).await;
    drop(silent);
}

#[tokio::test]
async fn remote_mx_speaks_tls() {
    let mx = Arc::new(RemoteMx::start("127.0.0.1:0".parse().unwrap(), true).await);
    mx.on("TLS", Step::Drop);
    let mut stream = TcpStream::connect(mx.addr()).await.unwrap();
    let talked = talk(&mut stream, &["", "EHLO me.test\r\n", "STARTTLS\r\n"]).await;
    assert!(talked.ends_with("220 2.0.0 Go ahead\r\n"));
    assert_eq!(stream.read(&mut [0; 1]).await.unwrap(), 0);
    assert_eq!(mx.commands(), ["EHLO me.test", "STARTTLS"]);
}
