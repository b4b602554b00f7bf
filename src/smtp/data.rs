//! DATA: the message itself (RFC 5321 §4.1.1.4).

use tokio::time::Instant;

use super::accept::accept;
use super::channel::{Channel, Gone};
use super::reply::Reply;
use super::server::Server;
use super::session::{Phase, Session};
use crate::mail::Error;
use crate::mail::incoming::Incoming;
use crate::wire::smtp::data::{DotReader, Fault};

/// Takes the message and ends the transaction, whatever becomes of it.
pub(super) async fn data(
    session: &mut Session,
    server: &Server,
    channel: &mut Channel,
) -> Result<Reply, Gone> {
    let envelope = match session.take_phase() {
        Phase::Mail(envelope) if envelope.recipients.len() > 0 && !envelope.binary => envelope,
        phase => {
            let refusal = out_of_order(&phase);
            session.phase = phase;
            return Ok(refusal);
        }
    };
    channel.say(&Reply::bare(354, "Go ahead, end with <CRLF>.<CRLF>"));
    channel.flush().await?;
    let reply = match receive(server, channel).await? {
        Ok(content) => accept(session, server, channel.tls(), envelope, content).await,
        Err(refusal) => refusal,
    };
    Ok(server.counted(reply))
}

fn out_of_order(phase: &Phase) -> Reply {
    match phase {
        Phase::Idle => Reply::wrong_time("Say MAIL first"),
        // RFC 3030 §3: DATA could not carry it.
        Phase::Mail(envelope) if envelope.binary => {
            Reply::wrong_time("A message with BODY=BINARYMIME comes by BDAT")
        }
        // RFC 2920 §3.1 (and RFC 5321 §3.3) ask for 554 where every RCPT was refused.
        Phase::Mail(_) => no_recipients(),
        Phase::Chunks(..) => Reply::wrong_time("The message comes by BDAT already"),
    }
}

/// Every RCPT was refused, or there was none.
pub(super) fn no_recipients() -> Reply {
    Reply::new(554, (5, 5, 1), "No valid recipients")
}

/// The message was spoiled on its way.
pub(super) fn fault(fault: Fault) -> Reply {
    match fault {
        Fault::BareByte => {
            Reply::new(554, (5, 6, 0), "The message holds a bare CR, a bare LF or a NUL")
        }
        Fault::TooBig => Reply::new(552, (5, 3, 4), "The message is too big"),
    }
}

/// The message could not be kept.
pub(super) fn no_room(error: &Error) -> Reply {
    tracing::warn!(%error, "a message could not be spooled");
    Reply::no_room(452)
}

/// Reads to the true end of the message, even where it is refused long before: its rest must not
/// be taken for commands.
async fn receive(server: &Server, channel: &mut Channel) -> Result<Result<Incoming, Reply>, Gone> {
    let mut reader = DotReader::new(server.limits.message_size.bytes());
    let mut pace = server.pace();
    let mut content = Ok(server.services.ingest.incoming());
    let mut piece = Vec::new();
    loop {
        piece.clear();
        let fed = reader.feed(channel.unread(), &mut piece);
        channel.consume(fed.consumed);
        pace.received(fed.consumed);
        if let Some(found) = reader.fault() {
            content = content.and(Err(fault(found)));
        }
        content = keep(content, &piece).await;
        if fed.done {
            return Ok(content);
        }
        channel.fill(pace.deadline(Instant::now())).await?;
    }
}

/// Adds a piece, unless the message is refused already.
async fn keep(content: Result<Incoming, Reply>, piece: &[u8]) -> Result<Incoming, Reply> {
    let mut incoming = content?;
    incoming.write(piece).await.map_err(|error| no_room(&error))?;
    Ok(incoming)
}
