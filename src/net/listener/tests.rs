use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::*;
use crate::config::Config;

/// A server that echoes, with these bounds.
async fn echo(connections: usize, per_address: usize) -> (SocketAddr, Shutdown, JoinHandle<()>) {
    let text =
        format!("[limits]\nconnections = {connections}\nconnections_per_address = {per_address}");
    let limits = Config::parse(&text, |_| None).unwrap().limits;
    let listener = Listener::bind("127.0.0.1:0".parse().unwrap(), "smtp.listen").await.unwrap();
    let (address, shutdown) = (listener.address(), Shutdown::new());
    let token = shutdown.clone();
    let server = tokio::spawn(async move {
        let handler = |mut socket: TcpStream, _| async move {
            let mut buffer = [0; 64];
            while let Ok(count @ 1..) = socket.read(&mut buffer).await {
                socket.write_all(&buffer[..count]).await.unwrap();
            }
        };
        listener.serve(&limits, b"421 too many\r\n", token, handler).await;
    });
    (address, shutdown, server)
}

/// Whether a connection made now is echoed rather than refused.
async fn is_served(address: SocketAddr) -> bool {
    let mut client = TcpStream::connect(address).await.unwrap();
    let mut answer = [0; 1];
    // Once refused, the connection may be reset at any point.
    client.write_all(b"x").await.is_ok()
        && client.read_exact(&mut answer).await.is_ok()
        && answer == *b"x"
}

async fn served(address: SocketAddr) -> TcpStream {
    let mut client = TcpStream::connect(address).await.unwrap();
    client.write_all(b"hello").await.unwrap();
    let mut answer = [0; 5];
    client.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"hello");
    client
}

#[tokio::test]
async fn an_address_over_its_bound_is_refused_in_words() {
    let (address, _shutdown, _server) = echo(10, 2).await;
    let (first, _second) = (served(address).await, served(address).await);
    let mut third = TcpStream::connect(address).await.unwrap();
    let mut answer = String::new();
    third.read_to_string(&mut answer).await.unwrap();
    assert_eq!(answer, "421 too many\r\n");
    drop(first);
    while !is_served(address).await {}
}

#[tokio::test]
async fn at_the_bound_of_all_connections_the_next_waits() {
    let (address, _shutdown, _server) = echo(1, 10).await;
    let first = served(address).await;
    let mut second = TcpStream::connect(address).await.unwrap();
    second.write_all(b"x").await.unwrap();
    let mut answer = [0; 1];
    let early = timeout(Duration::from_millis(100), second.read_exact(&mut answer)).await;
    assert!(early.is_err());
    drop(first);
    second.read_exact(&mut answer).await.unwrap();
}

#[tokio::test]
async fn the_end_stops_accepting_and_lets_connections_finish() {
    let (address, shutdown, server) = echo(10, 10).await;
    let mut client = served(address).await;
    shutdown.request();
    server.await.unwrap();
    assert!(TcpStream::connect(address).await.is_err());
    client.write_all(b"still").await.unwrap();
    client.read_exact(&mut [0; 5]).await.unwrap();
    assert!(!shutdown.finish(Duration::from_millis(20)).await);
    drop(client);
    assert!(shutdown.finish(Duration::from_secs(10)).await);
}

#[tokio::test]
async fn a_port_in_use_is_named_with_its_option() {
    let held = Listener::bind("127.0.0.1:0".parse().unwrap(), "imap.listen_tls").await.unwrap();
    let address = held.address();
    let error = Listener::bind(address, "imap.listen_tls").await.err().unwrap();
    let port = address.port();
    assert_eq!(
        error.to_string(),
        format!(
            "port {port} is in use: stop the program that holds it, or choose another one with imap.listen_tls"
        )
    );
    let error = Listener::bind("192.0.2.1:0".parse().unwrap(), "http.listen").await.err().unwrap();
    assert!(error.to_string().starts_with("cannot listen on 192.0.2.1:0, as http.listen says:"));
}
