//! BDAT: the message in counted chunks (RFC 3030 §2).

use tokio::time::Instant;

use super::accept::accept;
use super::channel::{Channel, Gone};
use super::data::{fault, no_recipients, no_room};
use super::reply::Reply;
use super::server::Server;
use super::session::{Envelope, Phase, Session};
use crate::mail::incoming::Incoming;
use crate::wire::smtp::data::{ByteGuard, Fault};
use crate::wire::smtp::header_guard::HeaderGuard;

/// The chunks of one message so far.
pub(super) struct Chunks {
    /// What is kept of it, or why nothing is: then every further chunk is refused alike.
    content: Result<Incoming, Reply>,
    guard: Guard,
}

/// What is watched for while the octets pass.
enum Guard {
    /// Content of lines: no bare CR, bare LF or NUL anywhere.
    Lines(ByteGuard),
    /// Content that need not be lines has a header that is: fields could be smuggled in otherwise.
    Header(HeaderGuard),
}

impl Guard {
    fn feed(&mut self, piece: &[u8]) {
        match self {
            Self::Lines(guard) => guard.feed(piece),
            Self::Header(guard) => guard.feed(piece),
        }
    }

    fn spoiled(&self) -> bool {
        match self {
            Self::Lines(guard) => guard.spoiled(),
            Self::Header(guard) => guard.spoiled(),
        }
    }
}

impl Chunks {
    fn new(content: Result<Incoming, Reply>, binary: bool) -> Self {
        let guard = match binary {
            true => Guard::Header(HeaderGuard::default()),
            false => Guard::Lines(ByteGuard::default()),
        };
        Self { content, guard }
    }

    /// Checks a chunk of `size` octets against the limit before it is read. Chunks are summed:
    /// no one of them says how big the message is (RFC 3030 §2, RFC 1870).
    fn announce(&mut self, size: u64, limit: u64) {
        if let Ok(content) = &self.content
            && content.len().saturating_add(size) > limit
        {
            self.content = Err(fault(Fault::TooBig));
        }
    }

    async fn keep(&mut self, piece: &[u8]) {
        self.guard.feed(piece);
        if let Ok(content) = &mut self.content
            && let Err(error) = content.write(piece).await
        {
            self.content = Err(no_room(&error));
        }
    }

    fn finish(self) -> Result<Incoming, Reply> {
        let content = self.content?;
        if self.guard.spoiled() { Err(fault(Fault::BareByte)) } else { Ok(content) }
    }
}

/// Takes one chunk. Its octets are read in every case: they follow the command whatever is
/// answered (RFC 3030 §2).
pub(super) async fn bdat(
    session: &mut Session,
    server: &Server,
    channel: &mut Channel,
    size: u64,
    last: bool,
) -> Result<Reply, Gone> {
    let (envelope, mut chunks) = match session.take_phase() {
        Phase::Chunks(envelope, chunks) => (envelope, *chunks),
        Phase::Mail(envelope) => {
            let some = envelope.recipients.len() > 0;
            let content =
                if some { Ok(server.services.ingest.incoming()) } else { Err(no_recipients()) };
            let chunks = Chunks::new(content, envelope.binary);
            (envelope, chunks)
        }
        Phase::Idle => {
            let refusal = Reply::wrong_time("Say MAIL first");
            read(server, channel, &mut Chunks::new(Err(refusal.clone()), false), size).await?;
            return Ok(refusal);
        }
    };
    chunks.announce(size, server.limits.message_size.bytes());
    read(server, channel, &mut chunks, size).await?;
    if last {
        return Ok(end(session, server, channel, envelope, chunks).await);
    }
    let reply = match &chunks.content {
        Ok(_) => Reply::new(250, (2, 0, 0), format!("Ok: {size} octets received")),
        Err(refusal) => refusal.clone(),
    };
    session.phase = Phase::Chunks(envelope, Box::new(chunks));
    Ok(reply)
}

async fn end(
    session: &Session,
    server: &Server,
    channel: &Channel,
    envelope: Envelope,
    chunks: Chunks,
) -> Reply {
    let reply = match chunks.finish() {
        Ok(content) => accept(session, server, channel.tls(), envelope, content).await,
        Err(refusal) => refusal,
    };
    server.counted(reply)
}

/// Reads exactly `left` octets.
async fn read(
    server: &Server,
    channel: &mut Channel,
    chunks: &mut Chunks,
    mut left: u64,
) -> Result<(), Gone> {
    let mut pace = server.pace();
    while left > 0 {
        let unread = channel.unread();
        let take = usize::try_from(left).map_or(unread.len(), |left| left.min(unread.len()));
        chunks.keep(unread.get(..take).unwrap_or_default()).await;
        channel.consume(take);
        pace.received(take);
        left -= take as u64;
        if left > 0 {
            channel.fill(pace.deadline(Instant::now())).await?;
        }
    }
    Ok(())
}
