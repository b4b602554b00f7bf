//! EHLO and HELO (RFC 5321 §4.1.1.1).

use super::reply::Reply;
use super::server::{Kind, Server};
use super::session::{Hello, Session};
use super::xclient;
use crate::wire::smtp::xclient::ATTRIBUTES;

/// Greets the client and starts over (RFC 5321 §4.1.4: EHLO also resets).
pub(super) fn ehlo(session: &mut Session, server: &Server, tls: bool, name: String) -> Reply {
    session.reset();
    session.hello = Some(Hello { name, esmtp: true });
    let mut lines = [vec![server.hostname.clone()], extensions(server, tls)].concat();
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
fn extensions(server: &Server, tls: bool) -> Vec<String> {
    let mut list = vec![
        "PIPELINING".to_owned(),
        format!("SIZE {}", server.limits.message_size.bytes()),
        "8BITMIME".to_owned(),
        "SMTPUTF8".to_owned(),
        "CHUNKING".to_owned(),
        "DSN".to_owned(),
        "ENHANCEDSTATUSCODES".to_owned(),
    ];
    if !tls {
        list.push("STARTTLS".to_owned());
    } else if server.kind == Kind::Submission {
        list.push("AUTH PLAIN LOGIN".to_owned());
    }
    list
}
