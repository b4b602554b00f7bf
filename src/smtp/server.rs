//! The SMTP server: what its connections share.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use tracing::Instrument as _;
use uuid::Uuid;

use super::channel::Channel;
use super::conn::Conn;
use super::pace::Pace;
use super::reply::Reply;
use super::session::Session;
use super::starttls;
use crate::config::{Limits, Timeouts};
use crate::domain::network::Network;
use crate::mail::directory::Postmaster;
use crate::mail::gate::Gate;
use crate::mail::ingest::Ingest;
use crate::mail::login::Login;
use crate::mail::metrics::Metrics;
use crate::mail::recipients::Recipients;
use crate::mail::submit::Submit;
use crate::net::listener::Listener;
use crate::net::rate::Rate;
use crate::net::shutdown::Shutdown;
use crate::net::stream::Stream;
use crate::net::tls::ServerTls;

/// Which conversation a listener has.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// Mail from other servers, for mailboxes of ours (RFC 5321).
    Ingress,
    /// Mail from the owners of mailboxes, for anybody, after AUTH (RFC 6409).
    Submission,
}

/// Whom the verbs ask.
#[derive(Clone)]
pub struct Services {
    /// Who is behind an address.
    pub recipients: Recipients,
    /// Who is behind `<Postmaster>`.
    pub postmaster: Postmaster,
    /// Whether strangers may come in.
    pub gate: Gate,
    /// Who may log in.
    pub login: Login,
    /// The door for mail that comes in.
    pub ingest: Ingest,
    /// The door for mail that goes out.
    pub submit: Submit,
    /// What counts the messages.
    pub metrics: Metrics,
}

impl Kind {
    /// The word for it in metrics.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Ingress => "smtp",
            Self::Submission => "submission",
        }
    }
}

/// How the connections of a listener begin.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Start {
    /// In plain text, with STARTTLS on offer.
    Plain,
    /// With a TLS handshake (RFC 8314 §3).
    Tls,
}

/// One kind of SMTP server.
pub struct Server {
    /// Which conversation it has.
    pub kind: Kind,
    /// The name it greets with.
    pub hostname: String,
    /// Bounds on what one peer may ask for.
    pub limits: Limits,
    /// How long each phase may take.
    pub timeouts: Timeouts,
    /// Whom the verbs ask.
    pub services: Services,
    /// What STARTTLS turns on.
    pub tls: ServerTls,
    /// How often a client may say MAIL.
    pub messages: Rate,
    /// How long a message is kept back at most; zero where that is not offered.
    pub hold_at_most: Duration,
    /// Who may say XCLIENT.
    pub xclient: Vec<Network>,
}

/// What a client over the limit of connections hears (RFC 5321 §3.8).
const TOO_MANY: &[u8] = b"421 4.7.0 Too many connections from your address\r\n";

impl Server {
    /// Serves a listener until the end is asked for. Conversations in hand go on in tasks of
    /// `shutdown`; each finishes the transaction it is in.
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

    /// Talks with one peer until either side has had enough.
    async fn talk(&self, stream: Stream, start: Start, stop: Shutdown) {
        let peer = stream.peer().ip();
        let span = tracing::info_span!("smtp", session = %Uuid::new_v4(), %peer);
        async {
            let mut channel = Channel::new(stream, self.timeouts.smtp_command.duration());
            if start == Start::Tls {
                let Ok(secured) = starttls::upgrade(channel, self).await else { return };
                channel = secured;
            }
            let session = Session::new(peer);
            Conn { server: self, channel, session, stop, errors: 0 }.run().await;
        }
        .instrument(span)
        .await;
    }

    /// The answer to a whole message, on its way to the client.
    pub(super) fn counted(&self, reply: Reply) -> Reply {
        self.services.metrics.received(self.kind.as_str(), reply.code());
        reply
    }

    /// Watches content that begins to arrive now.
    pub(super) fn pace(&self) -> Pace {
        let rate = self.limits.minimum_rate.get();
        Pace::new(Instant::now(), self.timeouts.smtp_data.duration(), rate)
    }
}
