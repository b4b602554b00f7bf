//! Connections that we open.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use tokio::net::TcpSocket;
use tokio::time::timeout;

use super::stream::Stream;

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The address of ours that it was to come from is none, or not of the other end's family.
    #[error("the source address {0} cannot be used: {1}")]
    Source(IpAddr, io::Error),
    /// The other end does not answer, or not in time.
    #[error(transparent)]
    Away(#[from] io::Error),
}

/// Connects in the clear, from `source` where one is given.
pub async fn connect(
    to: SocketAddr,
    source: Option<IpAddr>,
    limit: Duration,
) -> Result<Stream, ConnectError> {
    let socket = if to.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    if let Some(source) = source {
        let bound = socket.bind(SocketAddr::new(source, 0));
        bound.map_err(|error| ConnectError::Source(source, error))?;
    }
    let socket = timeout(limit, socket.connect(to)).await.map_err(io::Error::from)??;
    // Commands are small and each waits for its answer.
    socket.set_nodelay(true)?;
    Ok(Stream::plain(socket, to))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_connection_comes_from_the_address_that_was_chosen() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let to = listener.local_addr().unwrap();
        let limit = Duration::from_secs(5);
        let source = "127.0.0.9".parse().unwrap();
        let (ours, theirs) = tokio::join!(connect(to, Some(source), limit), listener.accept());
        assert!(ours.is_ok());
        assert_eq!(theirs.unwrap().1.ip(), source);
    }

    #[tokio::test]
    async fn an_address_that_is_not_ours_is_told_as_such() {
        let to = "127.0.0.1:9".parse().unwrap();
        for source in ["192.0.2.1", "2001:db8::1"] {
            let source = source.parse().unwrap();
            let error = connect(to, Some(source), Duration::from_secs(5)).await.err().unwrap();
            assert!(matches!(error, ConnectError::Source(at, _) if at == source), "{error}");
        }
    }
}
