//! Connections that come through a proxy: who is really there (`wire::proxy`).

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::wire::proxy::{HEAD, Head};

/// How long a proxy may take over its header, which it sends at once.
const LIMIT: Duration = Duration::from_secs(5);

/// Reads the header that a proxy sends before everything else, and not an octet more; says who it
/// speaks for. `proxy` is the proxy's own address.
///
/// # Errors
/// The connection ended, took too long or began with something else.
pub(super) async fn client(socket: &mut TcpStream, proxy: SocketAddr) -> io::Result<SocketAddr> {
    let reading = async {
        let mut head = [0; HEAD];
        socket.read_exact(&mut head).await?;
        let head = Head::parse(&head).ok_or(io::ErrorKind::InvalidData)?;
        let mut rest = vec![0; head.rest];
        socket.read_exact(&mut rest).await?;
        head.client(&rest, proxy).ok_or_else(|| io::ErrorKind::InvalidData.into())
    };
    timeout(LIMIT, reading).await?
}
