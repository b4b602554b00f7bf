//! AUTH (RFC 4954).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::channel::{Channel, Gone, Heard};
use super::reply::Reply;
use super::server::{Kind, Server};
use super::session::{Phase, Session};
use crate::mail::Error;
use crate::mail::login::sasl::{End, Step};
use crate::wire::smtp::auth::Auth;
use crate::wire::smtp::line::MAX_AUTH;

/// What was heard instead of a message: a refusal, or nothing any more.
enum No {
    Said(Reply),
    Gone(Gone),
}

impl From<Gone> for No {
    fn from(gone: Gone) -> Self {
        Self::Gone(gone)
    }
}

/// Logs in, or says why not.
pub(super) async fn auth(
    session: &mut Session,
    server: &Server,
    channel: &mut Channel,
    auth: Auth,
) -> Result<Reply, Gone> {
    if let Err(refusal) = may_log_in(session, server, channel) {
        return Ok(refusal);
    }
    match exchange(session, server, channel, auth).await {
        Ok(reply) | Err(No::Said(reply)) => Ok(reply),
        Err(No::Gone(gone)) => Err(gone),
    }
}

/// Carries the messages of a mechanism. Where it ends with one of ours, the client takes note of
/// that with an empty line, since a reply to AUTH carries no data.
async fn exchange(
    session: &mut Session,
    server: &Server,
    channel: &mut Channel,
    auth: Auth,
) -> Result<Reply, No> {
    let login = &server.services.login;
    let begun = auth.mechanism.and_then(|with| login.sasl(with, channel.bindings(), session.peer));
    let Some(mut sasl) = begun else {
        return Ok(Reply::new(504, (5, 5, 4), "EHLO tells which mechanisms work here"));
    };
    let mut message = match auth.initial {
        Some(secret) => decoded(secret.0.as_bytes())?,
        None => ask(channel, sasl.opening()).await?,
    };
    loop {
        match sasl.answer(&message).await {
            Step::Challenge(challenge) => message = ask(channel, &challenge).await?,
            Step::End(end) => return Ok(outcome(session, end)),
        }
    }
}

/// Only on submission, only under TLS (RFC 8314 §3.3), only once, only between transactions
/// (RFC 4954 §4).
fn may_log_in(session: &Session, server: &Server, channel: &Channel) -> Result<(), Reply> {
    if server.kind != Kind::Submission {
        return Err(Reply::new(502, (5, 5, 1), "Nobody logs in here: use the submission ports"));
    }
    if !channel.is_tls() {
        return Err(Reply::new(538, (5, 7, 11), "Say STARTTLS first"));
    }
    if session.hello.is_none() {
        return Err(Reply::wrong_time("Say EHLO first"));
    }
    if session.login.is_some() {
        return Err(Reply::wrong_time("You are logged in already"));
    }
    if !matches!(session.phase, Phase::Idle) {
        return Err(Reply::wrong_time("Not within a transaction"));
    }
    Ok(())
}

/// What the client answers to `challenge`.
async fn ask(channel: &mut Channel, challenge: &[u8]) -> Result<Vec<u8>, No> {
    channel.say(&Reply::bare(334, STANDARD.encode(challenge)));
    match channel.line(|_| MAX_AUTH, None).await? {
        Heard::Line(line) => decoded(&line),
        Heard::TooLong => Err(No::Said(Reply::new(500, (5, 5, 6), "That is too long"))),
        Heard::Broken => Err(No::Said(Reply::broken_line())),
    }
}

fn decoded(encoded: &[u8]) -> Result<Vec<u8>, No> {
    if encoded == b"*" {
        return Err(No::Said(Reply::new(501, (5, 7, 0), "As you wish")));
    }
    STANDARD.decode(encoded).map_err(|_| No::Said(unreadable()))
}

/// What the client is told of a login, which the session remembers.
fn outcome(session: &mut Session, end: End) -> Reply {
    match end {
        End::In(identity) => {
            tracing::info!(mailbox = %identity.address_id, "logged in");
            session.login = Some(identity);
            Reply::new(235, (2, 7, 0), "Welcome")
        }
        End::Unreadable => unreadable(),
        // Alike for every failure (RFC 4954 §6).
        End::Failed(Error::Denied) => {
            tracing::info!("login denied");
            Reply::new(535, (5, 7, 8), "Wrong user name or password")
        }
        End::Failed(error) => {
            tracing::warn!(%error, "login failed");
            Reply::new(454, (4, 7, 0), "Logging in does not work now, try again later")
        }
    }
}

fn unreadable() -> Reply {
    Reply::new(501, (5, 5, 2), "That cannot be read")
}
