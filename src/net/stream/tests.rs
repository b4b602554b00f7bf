use tokio::net::TcpListener;

use super::*;

pub(super) const LIMIT: Duration = Duration::from_secs(10);
pub(super) const SOON: Duration = Duration::from_millis(50);

pub(super) async fn pair() -> (Stream, Stream) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (client, server) = tokio::join!(TcpStream::connect(address), listener.accept());
    let (socket, peer) = server.unwrap();
    (Stream::plain(client.unwrap(), address), Stream::plain(socket, peer))
}

fn server_tls() -> ServerTls {
    let dir = tempfile::tempdir().unwrap();
    ServerTls::open(dir.path().into(), "mail.example.org").unwrap()
}

pub(super) async fn read(stream: &mut Stream, length: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    while bytes.len() < length && stream.fill(LIMIT).await.unwrap() > 0 {
        bytes.extend_from_slice(stream.buffered());
        stream.consume(usize::MAX);
    }
    bytes
}

#[tokio::test]
async fn input_before_tls_is_dropped_and_told() {
    let (mut client, mut server) = pair().await;
    let (command, injected) = (b"STARTTLS\r\n", b"RCPT TO:<injected@example.org>\r\n");
    client.write_all(&[&command[..], injected].concat(), LIMIT).await.unwrap();
    while server.buffered().len() < command.len() + injected.len() {
        assert!(server.fill(LIMIT).await.unwrap() > 0);
    }
    server.consume(command.len());
    let (tls, from) = (server_tls(), ClientTls::opportunistic().unwrap());
    let (server, client) = tokio::join!(
        server.upgrade_server(&tls, LIMIT),
        client.upgrade_client(&from, "mx.example.org", LIMIT)
    );
    let (mut server, client) = (server.unwrap(), client.unwrap());
    assert_eq!(server.discarded, injected.len());
    assert_eq!(server.stream.buffered(), b"");
    assert_eq!(client.discarded, 0);
    let mut client = client.stream;
    client.write_all(b"EHLO x\r\n", LIMIT).await.unwrap();
    client.flush(LIMIT).await.unwrap();
    assert_eq!(read(&mut server.stream, 8).await, b"EHLO x\r\n");
}

#[tokio::test]
async fn both_ends_know_what_protects_them() {
    let (client, server) = pair().await;
    assert!(!client.is_tls() && client.tls().is_none());
    let (tls, from) = (server_tls(), ClientTls::opportunistic().unwrap());
    let (server, client) = tokio::join!(
        server.upgrade_server(&tls, LIMIT),
        client.upgrade_client(&from, "anything.example", LIMIT)
    );
    let (server, client) = (server.unwrap().stream, client.unwrap().stream);
    assert!(client.is_tls() && server.is_tls());
    assert_eq!(server.tls(), client.tls());
    let info = server.tls().unwrap().to_string();
    assert!(info.starts_with("TLSv1.3 TLS_AES_"), "{info}");
    let again = server.upgrade_server(&tls, LIMIT).await.err().unwrap();
    assert_eq!(again.kind(), io::ErrorKind::InvalidInput);
}

#[tokio::test]
async fn much_data_passes_under_tls_and_its_end_is_seen() {
    let (client, server) = pair().await;
    let (tls, from) = (server_tls(), ClientTls::opportunistic().unwrap());
    let (server, client) = tokio::join!(
        server.upgrade_server(&tls, LIMIT),
        client.upgrade_client(&from, "127.0.0.1", LIMIT)
    );
    let (mut server, mut client) = (server.unwrap().stream, client.unwrap().stream);
    let sent: Vec<u8> = (0..3_000_000_u32).map(|i| (i % 251) as u8).collect();
    let expected = sent.clone();
    let writer = tokio::spawn(async move {
        client.write_all(&sent, LIMIT).await.unwrap();
        client.close(LIMIT).await;
    });
    assert!(read(&mut server, usize::MAX).await == expected);
    drop(server);
    writer.await.unwrap();
}

#[tokio::test]
async fn a_peer_that_drops_tls_without_a_word_has_ended() {
    let (client, server) = pair().await;
    let (tls, from) = (server_tls(), ClientTls::opportunistic().unwrap());
    let (server, client) = tokio::join!(
        server.upgrade_server(&tls, LIMIT),
        client.upgrade_client(&from, "localhost", LIMIT)
    );
    drop(client);
    let mut server = server.unwrap().stream;
    while server.fill(LIMIT).await.unwrap() > 0 {}
    assert_eq!(server.fill(LIMIT).await.unwrap(), 0);
}

#[tokio::test]
async fn silence_ends_every_wait() {
    let (client, mut server) = pair().await;
    let error = server.fill(SOON).await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    let tls = server_tls();
    let error = server.upgrade_server(&tls, SOON).await.err().unwrap();
    assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    drop(client);
}

#[tokio::test]
async fn a_peer_that_does_not_read_ends_a_write() {
    let (_client, mut server) = pair().await;
    let error = server.write_all(&vec![0; 64 << 20], SOON).await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::TimedOut);
}
