//! The connection as the verbs see it: lines and content in, replies out, all with deadlines.

use std::io;
use std::time::Duration;

use tokio::time::Instant;

use super::reply::Reply;
use crate::net::shutdown::Shutdown;
use crate::net::stream::{ChannelBindings, Stream};
use crate::net::tls::ServerTls;
use crate::wire::smtp::line::{Framer, Step};

/// A stream, and the replies not yet sent over it.
pub(super) struct Channel {
    stream: Stream,
    framer: Framer,
    out: Vec<u8>,
    /// How long a command may take to arrive, and a reply to be taken.
    patience: Duration,
}

/// What came instead of a line.
pub(super) enum Heard {
    /// A line, its CRLF taken off.
    Line(Vec<u8>),
    /// A line over the limit; it has been thrown away.
    TooLong,
    /// A bare CR, a bare LF or a NUL: the conversation is over.
    Broken,
}

/// Why the conversation cannot go on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Gone {
    /// The peer closed the connection, or it broke.
    Closed,
    /// The peer took too long.
    Late,
    /// The server is stopping, and nothing was in hand.
    Stopping,
}

impl Channel {
    /// Over `stream`; `patience` is the time a whole command line may take.
    pub(super) fn new(stream: Stream, patience: Duration) -> Self {
        Self { stream, framer: Framer::default(), out: Vec::new(), patience }
    }

    /// Whether TLS is on.
    pub(super) fn is_tls(&self) -> bool {
        self.stream.is_tls()
    }

    /// Protocol and cipher, where TLS is on.
    pub(super) fn tls(&self) -> Option<String> {
        self.stream.tls().map(|info| info.to_string())
    }

    /// What a login can be bound to.
    pub(super) fn bindings(&self) -> ChannelBindings {
        self.stream.bindings()
    }

    /// Turns TLS on. What is unread is thrown away: it came in plain text.
    pub(super) async fn upgrade(self, tls: &ServerTls, limit: Duration) -> io::Result<Self> {
        let upgraded = self.stream.upgrade_server(tls, limit).await?;
        if upgraded.discarded > 0 {
            tracing::info!(bytes = upgraded.discarded, "plain text after STARTTLS thrown away");
        }
        Ok(Self::new(upgraded.stream, self.patience))
    }

    /// Bytes received and not yet looked at.
    pub(super) fn unread(&self) -> &[u8] {
        self.stream.buffered()
    }

    /// Marks `count` of the unread bytes as read.
    pub(super) fn consume(&mut self, count: usize) {
        self.stream.consume(count);
    }

    /// Waits for the next line. `limit` says how long it may be, given what is there of it.
    ///
    /// Replies wait until the peer has nothing more to be answered, so that a pipelined group is
    /// answered as one (RFC 2920 §3.2). With `stop`, the wait ends when the server stops.
    pub(super) async fn line(
        &mut self,
        limit: impl Fn(&[u8]) -> usize,
        stop: Option<&Shutdown>,
    ) -> Result<Heard, Gone> {
        let deadline = Instant::now() + self.patience;
        loop {
            let unread = self.stream.buffered();
            match self.framer.step(unread, limit(unread)) {
                Step::Line { len } => {
                    let line = unread.get(..len - 2).unwrap_or_default().to_vec();
                    self.stream.consume(len);
                    return Ok(Heard::Line(line));
                }
                Step::TooLong { consumed } => {
                    self.stream.consume(consumed);
                    return Ok(Heard::TooLong);
                }
                Step::Broken => return Ok(Heard::Broken),
                Step::More { consumed } => {
                    self.stream.consume(consumed);
                    self.flush().await?;
                    self.fill_or_stop(deadline, stop).await?;
                }
            }
        }
    }

    async fn fill_or_stop(
        &mut self,
        deadline: Instant,
        stop: Option<&Shutdown>,
    ) -> Result<(), Gone> {
        let Some(stop) = stop else { return self.fill(deadline).await };
        tokio::select! {
            filled = self.fill(deadline) => filled,
            () = stop.requested() => Err(Gone::Stopping),
        }
    }

    /// Waits until more bytes are unread than now.
    pub(super) async fn fill(&mut self, deadline: Instant) -> Result<(), Gone> {
        match self.stream.fill(deadline.saturating_duration_since(Instant::now())).await {
            Ok(0) => Err(Gone::Closed),
            Ok(_) => Ok(()),
            Err(error) => Err(gone(&error)),
        }
    }

    /// Takes a reply to send with the next [`Channel::flush`].
    pub(super) fn say(&mut self, reply: &Reply) {
        reply.encode(&mut self.out);
    }

    /// Sends what was said.
    pub(super) async fn flush(&mut self) -> Result<(), Gone> {
        if self.out.is_empty() {
            return Ok(());
        }
        let sent = self.stream.write_all(&self.out, self.patience).await;
        self.out.clear();
        sent.map_err(|error| gone(&error))?;
        self.stream.flush(self.patience).await.map_err(|error| gone(&error))
    }

    /// Sends what was said and closes. The peer may be gone; nothing more is owed to it.
    pub(super) async fn close(mut self) {
        let _: Result<(), Gone> = self.flush().await;
        self.stream.close(GOODBYE).await;
    }
}

/// How long the peer may take over the end of the connection.
const GOODBYE: Duration = Duration::from_secs(5);

fn gone(error: &io::Error) -> Gone {
    match error.kind() {
        io::ErrorKind::TimedOut => Gone::Late,
        _ => Gone::Closed,
    }
}
