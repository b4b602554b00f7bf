//! AUTH (RFC 4954), with PLAIN (RFC 4616), LOGIN and SCRAM.

mod scram;

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::channel::{Channel, Gone, Heard};
use super::reply::Reply;
use super::server::{Kind, Server};
use super::session::{Phase, Session};
use crate::mail::Error;
use crate::mail::client::Identity;
use crate::wire::sasl::Plain;
use crate::wire::smtp::auth::{Auth, Mechanism, Secret};
use crate::wire::smtp::line::MAX_AUTH;

/// A user name and a password.
struct Credentials {
    user: String,
    password: String,
}

/// What was heard instead of credentials: a refusal, or nothing any more.
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

async fn exchange(
    session: &mut Session,
    server: &Server,
    channel: &mut Channel,
    auth: Auth,
) -> Result<Reply, No> {
    let credentials = match auth.mechanism {
        Mechanism::Plain => plain(channel, auth.initial).await?,
        Mechanism::Login => login(channel, auth.initial).await?,
        Mechanism::Scram { plus } => {
            return scram::scram(session, server, channel, auth.initial, plus).await;
        }
        Mechanism::Other => {
            return Ok(Reply::new(504, (5, 5, 4), "EHLO tells which mechanisms work here"));
        }
    };
    let Credentials { user, password } = credentials;
    let checked = server.services.login.check(&user, &password, session.peer).await;
    Ok(outcome(session, checked))
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

async fn plain(channel: &mut Channel, initial: Option<Secret>) -> Result<Credentials, No> {
    let message = answer(channel, initial, "").await?;
    let plain = Plain::parse(&message).ok_or_else(|| No::Said(unreadable()))?;
    // Acting as somebody else is not offered, so it is refused like any wrong name.
    if !plain.authzid.is_empty() && plain.authzid != plain.authcid {
        return Err(No::Said(denied()));
    }
    Ok(Credentials { user: plain.authcid, password: plain.password })
}

async fn login(channel: &mut Channel, initial: Option<Secret>) -> Result<Credentials, No> {
    // "Username:" and "Password:" in base64: what clients of this mechanism wait for.
    let user = text(answer(channel, initial, "VXNlcm5hbWU6").await?)?;
    let password = text(answer(channel, None, "UGFzc3dvcmQ6").await?)?;
    Ok(Credentials { user, password })
}

fn text(bytes: Vec<u8>) -> Result<String, No> {
    String::from_utf8(bytes).map_err(|_| No::Said(unreadable()))
}

/// The initial response, or the answer to `challenge`, decoded.
async fn answer(
    channel: &mut Channel,
    initial: Option<Secret>,
    challenge: impl Into<Cow<'static, str>>,
) -> Result<Vec<u8>, No> {
    let encoded = match initial {
        Some(secret) => secret.0.into_bytes(),
        None => ask(channel, challenge.into()).await?,
    };
    if encoded == b"*" {
        return Err(No::Said(Reply::new(501, (5, 7, 0), "As you wish")));
    }
    STANDARD.decode(&encoded).map_err(|_| No::Said(unreadable()))
}

async fn ask(channel: &mut Channel, challenge: Cow<'static, str>) -> Result<Vec<u8>, No> {
    channel.say(&Reply::bare(334, challenge));
    match channel.line(|_| MAX_AUTH, None).await? {
        Heard::Line(line) => Ok(line),
        Heard::TooLong => Err(No::Said(Reply::new(500, (5, 5, 6), "That is too long"))),
        Heard::Broken => Err(No::Said(Reply::broken_line())),
    }
}

/// What the client is told of a login, which the session remembers.
fn outcome(session: &mut Session, checked: Result<Identity, Error>) -> Reply {
    match checked {
        Ok(identity) => {
            tracing::info!(mailbox = %identity.address_id, "logged in");
            session.login = Some(identity);
            Reply::new(235, (2, 7, 0), "Welcome")
        }
        Err(Error::Denied) => {
            tracing::info!("login denied");
            denied()
        }
        Err(error) => {
            tracing::warn!(%error, "login failed");
            Reply::new(454, (4, 7, 0), "Logging in does not work now, try again later")
        }
    }
}

/// Alike for every failure (RFC 4954 §6).
fn denied() -> Reply {
    Reply::new(535, (5, 7, 8), "Wrong user name or password")
}

fn unreadable() -> Reply {
    Reply::new(501, (5, 5, 2), "That cannot be read")
}
