//! The IMAP server: what its connections share.

use std::sync::Arc;

use tokio::time::Instant;
use tracing::Instrument as _;
use uuid::Uuid;

use super::capability::{self, Stage};
use super::channel::Channel;
use super::cmd::starttls;
use super::conn::Conn;
use crate::config::{Limits, Timeouts};
use crate::mail::body::Bodies;
use crate::mail::ingest::Ingest;
use crate::mail::login::Login;
use crate::mail::mailbox::Mailboxes;
use crate::net::listener::Listener;
use crate::net::shutdown::Shutdown;
use crate::net::stream::Stream;
use crate::net::tls::ServerTls;

/// Whom the commands ask.
#[derive(Clone)]
pub struct Services {
    /// Who may log in.
    pub login: Login,
    /// Folders and messages.
    pub mailboxes: Mailboxes,
    /// The octets of messages.
    pub bodies: Bodies,
    /// The door for messages that a client brings.
    pub ingest: Ingest,
}

/// How the connections of a listener begin.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Start {
    /// In plain text, with STARTTLS on offer.
    Plain,
    /// With a TLS handshake (RFC 8314 §3).
    Tls,
}

/// What a client over the limit of connections hears.
const TOO_MANY: &[u8] = b"* BYE Too many connections from your address\r\n";

/// An IMAP server.
pub struct Server {
    /// How long each phase may take.
    pub(super) timeouts: Timeouts,
    /// The largest message and the slowest sender taken.
    pub(super) limits: Limits,
    /// Whom the commands ask.
    pub(super) services: Services,
    /// What STARTTLS turns on.
    pub(super) tls: ServerTls,
    /// What it can do within its limits.
    bounds: Vec<String>,
}

impl Server {
    /// A server within these bounds.
    pub fn new(limits: Limits, timeouts: Timeouts, services: Services, tls: ServerTls) -> Self {
        let bounds = capability::bounds(&limits);
        Self { timeouts, limits, services, tls, bounds }
    }

    /// Serves a listener until the end is asked for. Conversations in hand go on in tasks of
    /// `shutdown`; each finishes its command and says goodbye.
    pub async fn serve(self: Arc<Self>, listener: Listener, start: Start, shutdown: Shutdown) {
        let (limits, stop) = (self.limits.clone(), shutdown.clone());
        // A client that waits for a handshake could not read it.
        let refusal = if start == Start::Plain { TOO_MANY } else { b"" };
        let handler = move |socket, peer| {
            let (server, stop) = (Arc::clone(&self), stop.clone());
            async move { server.talk(Stream::plain(socket, peer), start, stop).await }
        };
        listener.serve(&limits, refusal, shutdown, handler).await;
    }

    /// Talks with one client until either side has had enough.
    async fn talk(&self, stream: Stream, start: Start, stop: Shutdown) {
        let peer = stream.peer().ip();
        let span = tracing::info_span!("imap", session = %Uuid::new_v4(), %peer);
        async {
            let until = Instant::now() + self.timeouts.imap_login.duration();
            let mut channel = Channel::new(stream, stop, until);
            if start == Start::Tls {
                let Ok(secured) = starttls::upgrade(channel, self).await else { return };
                channel = secured;
            }
            Conn::new(self, channel).run().await;
        }
        .instrument(span)
        .await;
    }

    /// What a client may know of the server at a stage.
    pub(super) fn capabilities(&self, stage: Stage) -> Vec<&str> {
        let mechanisms = match stage {
            Stage::Tls { bindable } => self.services.login.mechanisms(bindable).collect(),
            Stage::Plain | Stage::LoggedIn { .. } => Vec::new(),
        };
        capability::names(stage, &mechanisms, &self.bounds)
    }
}
