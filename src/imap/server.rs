//! The IMAP server: what its connections share.

use tracing::Instrument as _;

use super::capability::{self, Stage};
use super::conn::Conn;
use crate::config::{Limits, Timeouts};
use crate::mail::body::Bodies;
use crate::mail::ingest::Ingest;
use crate::mail::login::Login;
use crate::mail::mailbox::Mailboxes;
use crate::net::shutdown::Shutdown;
use crate::net::stream::Stream;
use crate::net::tls::ServerTls;

/// What a client hears that is one too many.
pub const BUSY: &[u8] = b"* BYE Too many connections, come again later\r\n";

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

/// An IMAP server. Cheap to clone.
#[derive(Clone)]
pub struct Server {
    /// How long each phase may take.
    pub(super) timeouts: Timeouts,
    /// The largest message and the slowest sender taken.
    pub(super) limits: Limits,
    /// Whom the commands ask.
    pub(super) services: Services,
    /// What STARTTLS turns on.
    pub(super) tls: ServerTls,
    append_limit: String,
}

impl Server {
    /// A server within these bounds.
    pub fn new(limits: Limits, timeouts: Timeouts, services: Services, tls: ServerTls) -> Self {
        let append_limit = format!("APPENDLIMIT={}", limits.message_size.bytes());
        Self { timeouts, limits, services, tls, append_limit }
    }

    /// Talks with one client until either side has had enough: under TLS already, or in plain text
    /// with STARTTLS on offer. When `stop` is requested the command in hand is finished first.
    pub async fn serve(&self, stream: Stream, stop: Shutdown) {
        let peer = stream.peer().ip();
        let span = tracing::info_span!("imap", session = %uuid::Uuid::new_v4(), %peer);
        Conn::new(self, stream, stop).run().instrument(span).await;
    }

    /// What a client may know of the server at a stage.
    pub(super) fn capabilities(&self, stage: Stage) -> Vec<&str> {
        capability::names(stage, &self.append_limit)
    }
}
