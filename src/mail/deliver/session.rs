//! A connection to one host: opened, made secret where the host can, used for
//! one message after the other.

use std::num::NonZeroUsize;

use crate::domain::outcome::{Reply, Via};
use crate::mail::deliver::conversation::{Conversation, Deadlines};
use crate::mail::deliver::envelope::Envelope;
use crate::mail::deliver::fates::Fate;
use crate::mail::deliver::mx::Target;
use crate::mail::outcome::{self, Phase};
use crate::mail::reporting::tls::{Handshake, Sightings};
use crate::net::connect::connect;
use crate::net::stream::Stream;
use crate::net::tls::{ClientTls, Roots};

/// How we open connections.
#[derive(Clone)]
pub struct Dialer {
    /// Our name in EHLO.
    pub us: String,
    /// For STARTTLS.
    pub tls: ClientTls,
    /// Who may say that a host is what it is called.
    pub roots: Roots,
    /// How long each step may take.
    pub deadlines: Deadlines,
}

/// An open connection.
pub struct Session {
    conversation: Conversation<Stream>,
    via: Via,
    /// Under TLS, with the host that was meant.
    verified: bool,
    /// Transactions so far.
    messages: usize,
}

impl Dialer {
    /// Connects, with TLS where it is offered and works (RFC 3207, RFC 7435):
    /// a host whose handshake fails is asked again in the clear. How that went is `seen`.
    ///
    /// # Errors
    /// The reply that turned us away.
    pub async fn open(&self, target: &Target, seen: &Sightings) -> Result<Session, Reply> {
        let conversation = self.greet(target).await?;
        if !conversation.offer().starttls {
            seen.saw(target, Handshake::NotOffered);
            return Ok(Session::new(target, conversation, None));
        }
        let stream = match conversation.start_tls().await {
            Ok(stream) => stream,
            Err(refused) if refused.is_usable() => {
                seen.saw(target, Handshake::NotOffered);
                return Ok(Session::new(target, refused, None));
            }
            Err(_) => {
                seen.saw(target, Handshake::Failed);
                return self.in_the_clear(target).await;
            }
        };
        let limit = self.deadlines.connect;
        match stream.upgrade_client(&self.tls, &target.host, limit).await {
            Ok(secret) => {
                seen.saw(target, Handshake::Done);
                let tls = secret.stream.tls().map(|tls| tls.to_string());
                let verified = secret.stream.is_verified(&self.roots, &target.host);
                let conversation =
                    Conversation::resume(secret.stream, &self.us, self.deadlines).await?;
                Ok(Session { verified, ..Session::new(target, conversation, tls) })
            }
            Err(error) => {
                seen.saw(target, Handshake::Failed);
                tracing::info!(host = %target.host, %error, "TLS failed; going on in the clear");
                self.in_the_clear(target).await
            }
        }
    }

    async fn in_the_clear(&self, target: &Target) -> Result<Session, Reply> {
        let conversation = self.greet(target).await?;
        Ok(Session::new(target, conversation, None))
    }

    async fn greet(&self, target: &Target) -> Result<Conversation<Stream>, Reply> {
        let stream =
            connect(target.at, self.deadlines.connect).await.map_err(outcome::connection)?;
        Conversation::greet(stream, &self.us, self.deadlines).await
    }
}

impl Session {
    fn new(target: &Target, conversation: Conversation<Stream>, tls: Option<String>) -> Self {
        let via = Via { host: Some(target.host.clone()), ip: Some(target.at.ip()), tls };
        Self { conversation, via, verified: false, messages: 0 }
    }

    /// Where this is.
    pub fn via(&self) -> &Via {
        &self.via
    }

    /// Whether the host reports to the sender itself (RFC 3461).
    pub fn reports(&self) -> bool {
        self.conversation.offer().dsn
    }

    /// Whether the host sees to the time that a sender set (RFC 2852).
    pub fn keeps_time(&self) -> bool {
        self.conversation.offer().deliver_by.is_some()
    }

    /// Recipients that the host takes in one transaction (RFC 9422).
    pub fn most_recipients(&self) -> usize {
        self.conversation.offer().most_recipients.map_or(usize::MAX, NonZeroUsize::get)
    }

    /// Whether it can be used for another message (RFC 9422: as many as the host takes).
    pub fn is_usable(&self) -> bool {
        let most = self.conversation.offer().most_messages;
        self.conversation.is_usable() && most.is_none_or(|most| self.messages < most.get())
    }

    /// Whether nothing was sent yet.
    pub fn is_new(&self) -> bool {
        self.messages == 0
    }

    /// Whether the host still answers.
    pub async fn is_alive(&mut self) -> bool {
        self.is_usable() && self.conversation.reset().await
    }

    /// Hands over one message, unless the host cannot take it.
    pub async fn transact(&mut self, envelope: &Envelope, content: &[u8]) -> Vec<Fate> {
        let offer = self.conversation.offer();
        if let Some(reply) = envelope.obstacle(content, offer, self.verified) {
            return envelope.recipients.iter().map(|_| (Phase::Mail, reply.clone())).collect();
        }
        self.messages += 1;
        self.conversation.transact(envelope, content).await
    }

    /// Says goodbye.
    pub async fn quit(self) {
        self.conversation.quit().await;
    }
}
