//! STARTTLS (RFC 3501 §6.2.1).

use crate::imap::answer::Answer;
use crate::imap::channel::{Channel, Gone};
use crate::imap::dispatch::Done;
use crate::imap::server::Server;
use crate::imap::session::Then;

/// Says that TLS may begin, or why not.
pub(in crate::imap) fn starttls(channel: &Channel) -> Done {
    if channel.is_tls() {
        return Answer::bad("TLS is on already").into();
    }
    Done { answer: Answer::ok("Begin TLS now"), then: Then::StartTls }
}

/// Turns TLS on, behind the answer. The session has to start over.
pub(in crate::imap) async fn upgrade(
    mut channel: Channel,
    server: &Server,
) -> Result<Channel, Gone> {
    channel.flush().await?;
    channel.upgrade(&server.tls, server.timeouts.tls_handshake.duration()).await.map_err(|error| {
        tracing::info!(%error, "no TLS");
        Gone::Closed
    })
}
