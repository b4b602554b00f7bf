//! STARTTLS (RFC 3207).

use super::channel::{Channel, Gone};
use super::reply::Reply;
use super::server::Server;

/// Says that TLS may begin, or why not.
pub(super) fn starttls(channel: &Channel) -> Result<Reply, Reply> {
    if channel.is_tls() {
        return Err(Reply::wrong_time("TLS is on already"));
    }
    Ok(Reply::new(220, (2, 0, 0), "Go ahead"))
}

/// Turns TLS on. What came in plain text after the command is thrown away: nobody can tell who sent
/// it (CVE-2011-0411). The session must start over (RFC 3207 §4.2).
pub(super) async fn upgrade(mut channel: Channel, server: &Server) -> Result<Channel, Gone> {
    channel.flush().await?;
    channel.upgrade(&server.tls, server.timeouts.tls_handshake.duration()).await.map_err(|error| {
        tracing::info!(%error, "no TLS");
        Gone::Closed
    })
}
