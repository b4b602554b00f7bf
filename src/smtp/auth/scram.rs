//! SCRAM-SHA-256 and -PLUS as AUTH speaks them (RFC 5802, RFC 7677; RFC 4954 §4).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::{No, answer, denied, outcome, unreadable};
use crate::mail::login::scram::Channel as Bound;
use crate::smtp::channel::Channel;
use crate::smtp::reply::Reply;
use crate::smtp::server::Server;
use crate::smtp::session::Session;
use crate::wire::scram::ClientFirst;
use crate::wire::smtp::auth::Secret;

/// First message, challenge, proof; and our own proof, which the client takes note of with an empty
/// line, since a reply to AUTH carries no data.
pub(super) async fn scram(
    session: &mut Session,
    server: &Server,
    channel: &mut Channel,
    initial: Option<Secret>,
    plus: bool,
) -> Result<Reply, No> {
    let first = answer(channel, initial, "").await?;
    let first = ClientFirst::parse(&first).ok_or_else(|| No::Said(unreadable()))?;
    let (login, peer) = (&server.services.login, session.peer);
    let bound = Bound { plus, exporter: channel.exporter() };
    let exchange = match login.scram(first, bound, peer).await {
        Ok(exchange) => exchange,
        Err(error) => return Ok(outcome(session, Err(error))),
    };
    let challenge = STANDARD.encode(exchange.challenge());
    let proof = answer(channel, None, challenge).await?;
    let (identity, proof) = match login.scram_proof(exchange, &proof, peer).await {
        Ok(proven) => proven,
        Err(error) => return Ok(outcome(session, Err(error))),
    };
    let last = answer(channel, None, STANDARD.encode(proof)).await?;
    if !last.is_empty() {
        return Ok(denied());
    }
    Ok(outcome(session, Ok(identity)))
}
