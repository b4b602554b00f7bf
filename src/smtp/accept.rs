//! A message has arrived whole: hand it on, and answer for it.

use super::reply::Reply;
use super::server::Server;
use super::session::{Envelope, Recipients, Session};
use crate::domain::ids::QueueId;
use crate::mail::Error;
use crate::mail::incoming::Incoming;
use crate::mail::ingest::Arrival;
use crate::mail::submit::Submission;

/// Hands the message to its one door. `250` is said only once it is durable (RFC 5321 §6.1).
///
/// Past the time for processing, work is dropped and rolled back, and the client told to come
/// again before it gives up by itself (RFC 5321 §4.5.3.2.6 gives it ten minutes). The database ends
/// a statement a little earlier by itself (`Timeouts::statement`). Should a commit have gone
/// through all the same, the same message coming again is known.
pub(super) async fn accept(
    session: &Session,
    server: &Server,
    tls: Option<String>,
    envelope: Envelope,
    content: Incoming,
) -> Reply {
    let queue_id = QueueId::random();
    let size = content.len();
    // Boxed: a session that waits for its next command should not hold room for all of this.
    let work = Box::pin(hand_over(session, server, tls, queue_id, envelope, content));
    match tokio::time::timeout(server.timeouts.processing.duration(), work).await {
        Ok(Ok(())) => {
            tracing::info!(%queue_id, size, "message accepted");
            Reply::new(250, (2, 0, 0), format!("Ok: queued as {queue_id}"))
        }
        Ok(Err(Error::Rejected(reason))) => {
            tracing::info!(%queue_id, size, ?reason, "message refused");
            Reply::error(&Error::Rejected(reason))
        }
        Ok(Err(error)) => {
            tracing::warn!(%queue_id, size, %error, "message not accepted");
            Reply::error(&error)
        }
        Err(_) => {
            tracing::warn!(%queue_id, size, "message took too long");
            Reply::later()
        }
    }
}

async fn hand_over(
    session: &Session,
    server: &Server,
    tls: Option<String>,
    queue_id: QueueId,
    envelope: Envelope,
    content: Incoming,
) -> Result<(), Error> {
    let client = session.client(tls);
    let mail_from = envelope.mail_from;
    match (envelope.recipients, &session.login) {
        (Recipients::Local(recipients), _) => {
            let arrival = Arrival { queue_id, mail_from, recipients, client, content };
            server.services.ingest.accept(arrival).await
        }
        (Recipients::Any(recipients), Some(identity)) => {
            let identity = identity.clone();
            let submission =
                Submission { identity, queue_id, mail_from, recipients, client, content };
            server.services.submit.accept(submission).await
        }
        (Recipients::Any(_), None) => Err(Error::Denied),
    }
}
