//! EHLO and HELO (RFC 5321 §4.1.1.1).

use std::time::Duration;

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::channel::Channel;
use super::reply::Reply;
use super::server::{Kind, Server};
use super::session::{Hello, Session};
use super::xclient;
use crate::wire::sasl::Mechanism;
use crate::wire::smtp::xclient::ATTRIBUTES;

/// The least seconds after which a message may be asked to go back (RFC 2852 §4).
pub(super) const LEAST_BY: i64 = 10;

/// Greets the client and starts over (RFC 5321 §4.1.4: EHLO also resets).
pub(super) fn ehlo(
    session: &mut Session,
    server: &Server,
    channel: &Channel,
    name: String,
) -> Reply {
    session.reset();
    session.hello = Some(Hello { name, esmtp: true });
    let mut lines = [vec![server.hostname.clone()], extensions(server, channel)].concat();
    if xclient::is_trusted(session, server) {
        lines.push(format!("XCLIENT {ATTRIBUTES}"));
    }
    Reply::bare(250, lines.join("\n"))
}

/// The old greeting, without extensions.
pub(super) fn helo(session: &mut Session, server: &Server, name: String) -> Reply {
    session.reset();
    session.hello = Some(Hello { name, esmtp: false });
    Reply::bare(250, server.hostname.clone())
}

/// What is offered now: only what works, and AUTH only where it may be used (RFC 8314 §3.3).
fn extensions(server: &Server, channel: &Channel) -> Vec<String> {
    let mut list = vec![
        "PIPELINING".to_owned(),
        format!("SIZE {}", server.limits.message_size.bytes()),
        "8BITMIME".to_owned(),
        "SMTPUTF8".to_owned(),
        "CHUNKING".to_owned(),
        "BINARYMIME".to_owned(),
        "DSN".to_owned(),
        "ENHANCEDSTATUSCODES".to_owned(),
        // RFC 9422 §3: past them a transaction or a session is not gone on with.
        format!("LIMITS RCPTMAX={}", server.limits.recipients),
    ];
    if let Some(line) = future_release(server.hold_at_most) {
        list.push(line);
    }
    if !channel.is_tls() {
        list.push("STARTTLS".to_owned());
        return list;
    }
    // RFC 8689 §3: offered under TLS only.
    list.push("REQUIRETLS".to_owned());
    if server.kind == Kind::Submission {
        let mechanisms = server.services.login.mechanisms(!channel.bindings().is_empty());
        let names: Vec<&str> = mechanisms.map(Mechanism::name).collect();
        list.push(format!("DELIVERBY {LEAST_BY}"));
        list.push(format!("AUTH {}", names.join(" ")));
    }
    list
}

/// `FUTURERELEASE max-interval max-datetime` (RFC 4865 §3), where a message may be sent later.
fn future_release(most: Duration) -> Option<String> {
    let last = (OffsetDateTime::now_utc() + most).replace_nanosecond(0).ok()?;
    let offer = format!("FUTURERELEASE {} {}", most.as_secs(), last.format(&Rfc3339).ok()?);
    (!most.is_zero()).then_some(offer)
}
