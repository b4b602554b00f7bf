//! APPEND (RFC 3501 §6.3.11), with APPENDUID (RFC 4315 §3) and APPENDLIMIT (RFC 7889).

use std::time::Duration;

use tokio::time::Instant;

use crate::imap::answer::Answer;
use crate::imap::channel::{Channel, Gone};
use crate::imap::server::Server;
use crate::imap::status::{of_target, refused};
use crate::mail::client::Identity;
use crate::mail::incoming::Incoming;
use crate::mail::mailbox::Folder;
use crate::mail::{Error, Reason};
use crate::wire::imap::command::{Append, parse_append_tail};
use crate::wire::imap::frame::Event;
use crate::wire::imap::response::Code;

/// The head of the message's literal.
#[derive(Clone, Copy, Debug)]
pub(in crate::imap) struct Literal {
    /// Its size in bytes, as the client says.
    pub(in crate::imap) size: u64,
    /// Whether the client waits to be asked for it.
    pub(in crate::imap) sync: bool,
}

/// Reads a message and puts it into a mailbox. What can be refused is refused before the message
/// is asked for; whoever calls skips one that comes unasked.
pub(in crate::imap) async fn append(
    server: &Server,
    channel: &mut Channel,
    who: &Identity,
    append: Append,
    literal: Literal,
) -> Result<Answer, Gone> {
    let folder = match target(server, who, &append, literal.size).await {
        Ok(folder) => folder,
        Err(refusal) => return Ok(refusal),
    };
    if literal.sync {
        channel.out.continuation("Go ahead");
        channel.flush().await?;
    }
    let received = receive(server, channel, literal.size).await?;
    match channel.event().await? {
        Event::AppendTail(tail) if parse_append_tail(&tail).is_ok() => {}
        // Several messages in one command are MULTIAPPEND, which is not on offer.
        Event::AppendLiteral { .. } => return Ok(Answer::bad("One message at a time")),
        Event::Refused { why, .. } => return Ok(refused(why)),
        _ => return Ok(Answer::bad("Nothing belongs behind the message")),
    }
    Ok(match received {
        Ok(content) => put(server, who, &folder, &append, content).await,
        Err(error) => error.into(),
    })
}

/// Where the message goes, if it may.
async fn target(
    server: &Server,
    who: &Identity,
    append: &Append,
    size: u64,
) -> Result<Folder, Answer> {
    // TOOBIG before the literal is accepted (RFC 7889 §4).
    if size > server.limits.message_size.bytes() {
        return Err(Error::from(Reason::TooBig).into());
    }
    if size == 0 {
        return Err(Answer::no(Code::Cannot, "That message is empty"));
    }
    let services = &server.services;
    services.ingest.room(size).await?;
    services.mailboxes.folder(who, append.mailbox.as_str()).await.map_err(of_target)
}

/// Reads the message to its end, whatever becomes of it.
async fn receive(
    server: &Server,
    channel: &mut Channel,
    size: u64,
) -> Result<Result<Incoming, Error>, Gone> {
    let patience = server.timeouts.smtp_data.duration();
    let slowest = Duration::from_secs(size / u64::from(server.limits.minimum_rate.get()));
    let until = Instant::now() + patience + slowest;
    let mut incoming = server.services.ingest.incoming();
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
            written = incoming.write(unread.get(..len).unwrap_or_default()).await;
        }
        channel.consume(len);
        left -= len as u64;
    }
    channel.literal_taken();
    Ok(written.map(|()| incoming))
}

async fn put(
    server: &Server,
    who: &Identity,
    folder: &Folder,
    append: &Append,
    content: Incoming,
) -> Answer {
    let date = append.message.date.map(time::OffsetDateTime::unix_timestamp);
    let flags = &append.message.flags;
    match server.services.ingest.append(who, folder, flags, date, content).await {
        Ok(placed) => Answer::ok("Stored")
            .with(Code::AppendUid { uid_validity: placed.uidvalidity, uid: placed.uid }),
        Err(error) => of_target(error),
    }
}
