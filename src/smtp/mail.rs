//! MAIL: a transaction begins (RFC 5321 §4.1.1.2).

use std::collections::HashSet;
use std::time::Duration;

use time::OffsetDateTime;
use tokio::time::Instant;

use super::ehlo::LEAST_BY;
use super::reply::Reply;
use super::server::{Kind, Server};
use super::session::{Envelope, Phase, Recipients, Session};
use crate::domain::deliver_by::{ByMode, DeliverBy};
use crate::domain::envelope::MailFrom;
use crate::mail::Error;
use crate::wire::smtp::deliver_by::By;
use crate::wire::smtp::mail::{Hold, Mail};

/// Begins a transaction, or says why not.
pub(super) async fn mail(session: &mut Session, server: &Server, tls: bool, mail: Mail) -> Reply {
    match begin(session, server, tls, mail).await {
        Ok(envelope) => {
            session.phase = Phase::Mail(envelope);
            Reply::ok((2, 1, 0), "Ok")
        }
        Err(reply) => reply,
    }
}

async fn begin(
    session: &Session,
    server: &Server,
    tls: bool,
    mail: Mail,
) -> Result<Envelope, Reply> {
    if session.hello.is_none() {
        return Err(Reply::wrong_time("Say EHLO first"));
    }
    if !matches!(session.phase, Phase::Idle) {
        return Err(Reply::wrong_time("One transaction at a time"));
    }
    may_require_tls(&mail, tls)?;
    may_send(session, server, tls, &mail).await?;
    if !server.messages.admit(session.peer, Instant::now()) {
        return Err(Reply::new(450, (4, 7, 1), "Too many messages from your address"));
    }
    has_room(server, mail.size.unwrap_or(0)).await?;
    let recipients = match server.kind {
        Kind::Ingress => Recipients::Local(Vec::new()),
        Kind::Submission => Recipients::Any(Vec::new()),
    };
    let release_at = match mail.hold {
        Some(hold) => Some(release(server, hold)?),
        None => None,
    };
    let deliver_by = match mail.by {
        Some(by) => Some(deliver_by(server, by, release_at)?),
        None => None,
    };
    let mail_from = MailFrom { release_at, deliver_by, ..mail.from };
    let size = mail.size.unwrap_or(0);
    Ok(Envelope { mail_from, size, binary: mail.binary, recipients, seen: HashSet::new() })
}

/// Anybody may on ingress; on submission the owner of the address (RFC 6409 §4.3, §6.1).
async fn may_send(session: &Session, server: &Server, tls: bool, mail: &Mail) -> Result<(), Reply> {
    if server.kind == Kind::Ingress {
        return Ok(());
    }
    let Some(login) = &session.login else {
        let text = if tls { "Log in first" } else { "Say STARTTLS first, then log in" };
        return Err(Reply::new(530, (5, 7, 0), text));
    };
    let allowed = server.services.submit.may_send(login, &mail.from.reverse_path).await;
    allowed.map_err(|error| {
        log(&error);
        Reply::error(&error)
    })
}

/// When a message that is to be sent later is due, within what EHLO offered (RFC 4865 §3).
fn release(server: &Server, hold: Hold) -> Result<OffsetDateTime, Reply> {
    let (now, most) = (OffsetDateTime::now_utc(), server.hold_at_most);
    if most.is_zero() {
        return Err(not_offered());
    }
    let at = match hold {
        Hold::For(seconds) => now + Duration::from_secs(seconds.into()),
        Hold::Until(at) => at,
    };
    if at > now + most {
        return Err(Reply::new(501, (5, 5, 4), "That is later than a message is kept here"));
    }
    Ok(at)
}

/// By when a message is to be delivered (RFC 2852 §4): counted from now, and not before it is
/// sent at all.
fn deliver_by(
    server: &Server,
    by: By,
    release_at: Option<OffsetDateTime>,
) -> Result<DeliverBy, Reply> {
    if server.kind == Kind::Ingress {
        return Err(not_offered());
    }
    let at = OffsetDateTime::now_utc() + time::Duration::seconds(by.seconds);
    if by.mode == ByMode::Return && (by.seconds < LEAST_BY || release_at.is_some_and(|r| r >= at)) {
        return Err(Reply::new(555, (5, 5, 4), "That is too soon for a message to go back"));
    }
    Ok(DeliverBy { at, mode: by.mode, trace: by.trace })
}

fn not_offered() -> Reply {
    Reply::new(555, (5, 5, 4), "A parameter that is not offered here")
}

/// RFC 8689 §4.1: the last step was under TLS, or there is nothing to require.
fn may_require_tls(mail: &Mail, tls: bool) -> Result<(), Reply> {
    if mail.from.require_tls && !tls {
        return Err(Reply::new(530, (5, 7, 10), "REQUIRETLS needs TLS: say STARTTLS first"));
    }
    Ok(())
}

/// RFC 1870 §6.1
async fn has_room(server: &Server, size: u64) -> Result<(), Reply> {
    if size > server.limits.message_size.bytes() {
        return Err(Reply::new(552, (5, 3, 4), "The message would be too big"));
    }
    server.services.ingest.room(size).await.map_err(|error| {
        log(&error);
        Reply::no_room(452)
    })
}

fn log(error: &Error) {
    if !matches!(error, Error::Rejected(_)) {
        tracing::warn!(%error, "MAIL failed");
    }
}
