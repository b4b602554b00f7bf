//! The connection as the commands see it: commands in, answers out, all with deadlines.

use std::future::pending;
use std::io;
use std::net::IpAddr;
use std::pin::pin;
use std::time::Duration;

use tokio::time::Instant;

use crate::net::shutdown::Shutdown;
use crate::net::stream::{ChannelBindings, Stream};
use crate::net::tls::ServerTls;
use crate::wire::imap::frame::{Event, Framer, Limits};
use crate::wire::imap::response::Writer;

/// How long a client may take to take some of an answer.
const TAKING: Duration = Duration::from_mins(5);
/// How long it may take over the end of the connection.
const GOODBYE: Duration = Duration::from_secs(5);
/// Answers of this many bytes are sent before more is written.
const FULL: usize = 32 * 1024;
/// What an answer may leave allocated while the client says nothing.
const QUIET: usize = 1024;

/// Why the conversation cannot go on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Gone {
    /// The client closed the connection, or it broke.
    Closed,
    /// The client took too long.
    Late,
    /// The server is stopping.
    Stopping,
    /// An answer was begun that cannot be finished: only an end of the connection tells the
    /// client so.
    Spoilt,
}

/// A stream, the command in hand, and the answers not yet sent.
pub(super) struct Channel {
    stream: Stream,
    framer: Framer,
    stop: Shutdown,
    /// Until when the client has to say something.
    until: Instant,
    /// Answers to send with the next [`Channel::flush`].
    pub(super) out: Writer,
}

/// The way out alone, for whoever holds the [`Writer`] already.
pub(super) struct Sink<'a> {
    stream: &'a mut Stream,
    sent: usize,
}

impl Channel {
    /// Over `stream`, for a client that has not logged in and has to until then.
    pub(super) fn new(stream: Stream, stop: Shutdown, until: Instant) -> Self {
        let framer = Framer::new(Limits::BEFORE_LOGIN);
        Self { stream, framer, stop, until, out: Writer::new() }
    }

    /// Where the client connects from.
    pub(super) fn peer(&self) -> IpAddr {
        self.stream.peer().ip()
    }

    /// Whether TLS is on.
    pub(super) fn is_tls(&self) -> bool {
        self.stream.is_tls()
    }

    /// What a login can be bound to.
    pub(super) fn bindings(&self) -> ChannelBindings {
        self.stream.bindings()
    }

    /// Turns TLS on. What is unread is thrown away: it came in plain text (CVE-2011-0411).
    pub(super) async fn upgrade(self, tls: &ServerTls, limit: Duration) -> io::Result<Self> {
        let upgraded = self.stream.upgrade_server(tls, limit).await?;
        if upgraded.discarded > 0 {
            tracing::info!(bytes = upgraded.discarded, "plain text after STARTTLS thrown away");
        }
        Ok(Self::new(upgraded.stream, self.stop, self.until))
    }

    /// Whether what travels is compressed.
    pub(super) fn is_compressed(&self) -> bool {
        self.stream.is_compressed()
    }

    /// Compresses what travels from here on, behind what was written (RFC 4978 §3).
    pub(super) async fn compress(&mut self) -> Result<(), Gone> {
        self.flush().await?;
        self.stream.compress();
        Ok(())
    }

    /// The bounds of a client that has logged in.
    pub(super) fn trust(&mut self) {
        self.framer.set_limits(Limits::AFTER_LOGIN);
    }

    /// From now on the client has this long to say something.
    pub(super) fn wait_for(&mut self, limit: Duration) {
        self.until = Instant::now() + limit;
    }

    /// Whether the server is stopping.
    pub(super) fn is_stopping(&self) -> bool {
        self.stop.is_requested()
    }

    /// The next event is the next line, whatever stands in it.
    pub(super) fn expect_line(&mut self) {
        self.framer.expect_line();
    }

    /// The message of APPEND has been read.
    pub(super) fn literal_taken(&mut self) {
        self.framer.literal_taken();
    }

    /// What comes next from the client, unless the time is up or the server stops. Answers wait until everything that
    /// the client has sent is answered. With nothing to send this can be cancelled without loss.
    ///
    /// Continuation requests are answered here; [`Event::NeedMore`] and
    /// [`Event::NeedContinuation`] are never returned.
    pub(super) async fn event(&mut self) -> Result<Event, Gone> {
        loop {
            if let Some(event) = self.event_or(pending()).await? {
                return Ok(event);
            }
        }
    }

    /// The same, or `None` once `news` is ready and the client has nothing more to say for now.
    pub(super) async fn event_or(
        &mut self,
        news: impl Future<Output = ()>,
    ) -> Result<Option<Event>, Gone> {
        let mut news = pin!(news);
        loop {
            let unread = self.stream.buffered();
            let mut input = unread;
            let event = self.framer.feed(&mut input);
            let used = unread.len() - input.len();
            self.stream.consume(used);
            match event {
                Event::NeedMore => {
                    self.flush().await?;
                    self.rest();
                    let left = self.until.saturating_duration_since(Instant::now());
                    tokio::select! {
                        filled = fill(&mut self.stream, left) => filled?,
                        () = self.stop.requested() => return Err(Gone::Stopping),
                        () = &mut news => return Ok(None),
                    }
                }
                Event::NeedContinuation { .. } => self.out.continuation("Go ahead"),
                event => return Ok(Some(event)),
            }
        }
    }

    /// Bytes received and not yet looked at.
    pub(super) fn unread(&self) -> &[u8] {
        self.stream.buffered()
    }

    /// Marks `count` of the unread bytes as read.
    pub(super) fn consume(&mut self, count: usize) {
        self.stream.consume(count);
    }

    /// Waits until more bytes are unread than now, also while the server stops: for what belongs
    /// to the command in hand.
    pub(super) async fn fill(&mut self, limit: Duration) -> Result<(), Gone> {
        fill(&mut self.stream, limit).await
    }

    /// The answers, and the way out, apart.
    pub(super) fn split(&mut self) -> (&mut Writer, Sink<'_>) {
        (&mut self.out, Sink { stream: &mut self.stream, sent: 0 })
    }

    /// Sends what was written.
    pub(super) async fn flush(&mut self) -> Result<(), Gone> {
        let (out, mut sink) = self.split();
        sink.send(out.buffer()).await
    }

    /// Sends what was written if that is much.
    pub(super) async fn flush_if_full(&mut self) -> Result<(), Gone> {
        if self.out.buffer().len() < FULL { Ok(()) } else { self.flush().await }
    }

    /// Gives back memory before a wait, which may be a long one.
    fn rest(&mut self) {
        if self.out.buffer().capacity() > QUIET {
            *self.out.buffer() = Vec::new();
        }
    }

    /// Sends what was written and closes. The client may be gone; nothing more is owed to it.
    pub(super) async fn close(mut self) {
        let _: Result<(), Gone> = self.flush().await;
        self.stream.close(GOODBYE).await;
    }

    /// Closes without a word.
    pub(super) async fn abandon(self) {
        self.stream.close(GOODBYE).await;
    }
}

impl Sink<'_> {
    /// Sends `bytes` and empties them.
    pub(super) async fn send(&mut self, bytes: &mut Vec<u8>) -> Result<(), Gone> {
        if bytes.is_empty() {
            return Ok(());
        }
        self.sent += bytes.len();
        let sent = self.stream.write_all(bytes, TAKING).await;
        bytes.clear();
        sent.map_err(|error| gone(&error))?;
        self.stream.flush(TAKING).await.map_err(|error| gone(&error))
    }

    /// Whether anything has been sent this way.
    pub(super) fn has_sent(&self) -> bool {
        self.sent > 0
    }
}

async fn fill(stream: &mut Stream, limit: Duration) -> Result<(), Gone> {
    match stream.fill(limit).await {
        Ok(0) => Err(Gone::Closed),
        Ok(_) => Ok(()),
        Err(error) => Err(gone(&error)),
    }
}

fn gone(error: &io::Error) -> Gone {
    match error.kind() {
        io::ErrorKind::TimedOut => Gone::Late,
        _ => Gone::Closed,
    }
}
