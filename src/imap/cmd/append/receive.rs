//! A literal on its way from the client to the spool.

use std::time::Duration;

use tokio::time::Instant;

use crate::imap::channel::{Channel, Gone};
use crate::imap::server::Server;
use crate::mail::Error;
use crate::mail::incoming::Incoming;

/// Reads a literal of `size` octets to its end, whatever becomes of it.
pub(super) async fn receive(
    server: &Server,
    channel: &mut Channel,
    size: u64,
    content: &mut Incoming,
) -> Result<Result<(), Error>, Gone> {
    let patience = server.timeouts.smtp_data.duration();
    let slowest = Duration::from_secs(size / u64::from(server.limits.minimum_rate.get()));
    let until = Instant::now() + patience + slowest;
    let mut written = Ok(());
    let mut left = size;
    while left > 0 {
        if channel.unread().is_empty() {
            let limit = until.saturating_duration_since(Instant::now()).min(patience);
            channel.fill(limit).await?;
        }
        let unread = channel.unread();
        let len = usize::try_from(left).map_or(unread.len(), |left| left.min(unread.len()));
        if written.is_ok() {
            written = content.write(unread.get(..len).unwrap_or_default()).await;
        }
        channel.consume(len);
        left -= len as u64;
    }
    channel.literal_taken();
    // What follows in the same command has its time, too.
    channel.wait_for(server.timeouts.imap_idle.duration());
    Ok(written)
}
