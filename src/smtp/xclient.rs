//! XCLIENT: servers in front that are trusted to say for whom they speak.

use super::reply::Reply;
use super::server::Server;
use super::session::{Hello, Phase, Session};
use crate::wire::smtp::xclient::XClient;

/// Whether the other end of this connection may say it.
pub(super) fn is_trusted(session: &Session, server: &Server) -> bool {
    server.xclient.iter().any(|network| network.contains(session.connected))
}

/// Begins the session of the client that is told of, as if it had connected by itself.
pub(super) fn xclient(session: &mut Session, server: &Server, said: XClient) -> Reply {
    if !is_trusted(session, server) {
        return Reply::new(550, (5, 7, 0), "You are not trusted to say that");
    }
    if !matches!(session.phase, Phase::Idle) {
        return Reply::wrong_time("Not within a transaction");
    }
    let peer = said.addr.unwrap_or(session.peer);
    let told = said.helo.map(|name| Hello { name, esmtp: said.esmtp });
    tracing::info!(client = %peer, "a server in front speaks for a client");
    *session = Session { peer, told, ..Session::new(session.connected) };
    Reply::bare(220, format!("{} ESMTP", server.hostname))
}
