//! Connections that we open.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::timeout;

use super::stream::Stream;

/// Connects in the clear.
pub async fn connect(to: SocketAddr, limit: Duration) -> io::Result<Stream> {
    let socket = timeout(limit, TcpStream::connect(to)).await??;
    // Commands are small and each waits for its answer.
    socket.set_nodelay(true)?;
    Ok(Stream::plain(socket, to))
}
