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

/// A connection that is not secret.
struct Insecure {
    /// As it was, where it can still be used.
    left: Option<Conversation<Stream>>,
    handshake: Handshake,
    why: String,
}

impl Dialer {
    /// Connects, with TLS where it is offered and works (RFC 3207, RFC 7435): a host whose handshake
    /// fails is asked again in the clear, unless the domain wants its servers to prove their names
    /// (RFC 8461 §5): then only one that does is used. How that went is `seen`.
    ///
    /// # Errors
    /// The reply that turned us away.
    pub async fn open(&self, target: &Target, seen: &Sightings) -> Result<Session, Reply> {
        let conversation = self.greet(target).await?;
        match self.start_tls(conversation, target).await {
            Ok(stream) => self.secured(stream, target, seen).await,
            Err(Insecure { left, handshake, why }) => {
                seen.saw(target, handshake);
                if target.must_prove() {
                    if let Some(conversation) = left {
                        conversation.quit().await;
                    }
                    return Err(outcome::tls_needed(why));
                }
                let conversation = match left {
                    Some(conversation) => conversation,
                    None => self.greet(target).await?,
                };
                Ok(Session::new(target, conversation, format!("none: {why}")))
            }
        }
    }

    /// The connection under TLS, with whoever it is.
    async fn start_tls(
        &self,
        conversation: Conversation<Stream>,
        target: &Target,
    ) -> Result<Stream, Insecure> {
        let not_offered = |left, why: &str| Insecure {
            left,
            handshake: Handshake::NotOffered,
            why: why.to_owned(),
        };
        if !conversation.offer().starttls {
            return Err(not_offered(Some(conversation), "the server does not offer STARTTLS"));
        }
        let failed = |why| Insecure { left: None, handshake: Handshake::Failed, why };
        let stream = match conversation.start_tls().await {
            Ok(stream) => stream,
            Err(refused) if refused.is_usable() => {
                return Err(not_offered(Some(refused), "the server refuses STARTTLS"));
            }
            Err(_) => return Err(failed("the connection broke at STARTTLS".to_owned())),
        };
        match stream.upgrade_client(&self.tls, &target.host, self.deadlines.connect).await {
            Ok(secret) => Ok(secret.stream),
            Err(error) => {
                tracing::info!(host = %target.host, %error, "TLS failed");
                Err(failed(format!("the handshake failed: {error}")))
            }
        }
    }

    /// Goes on under TLS, with whom the policy allows.
    async fn secured(
        &self,
        stream: Stream,
        target: &Target,
        seen: &Sightings,
    ) -> Result<Session, Reply> {
        let proof = stream.proves(&self.roots, &target.host);
        seen.saw(target, Handshake::Done(proof));
        if let Err(unproven) = proof
            && target.must_prove()
        {
            stream.close(self.deadlines.connect).await;
            return Err(outcome::tls_needed(unproven));
        }
        let info = stream.tls().map(|tls| tls.to_string()).unwrap_or_default();
        let tls = format!("{info}, {}", target.sts.why(proof));
        let conversation = Conversation::resume(stream, &self.us, self.deadlines).await?;
        Ok(Session { verified: proof.is_ok(), ..Session::new(target, conversation, tls) })
    }

    async fn greet(&self, target: &Target) -> Result<Conversation<Stream>, Reply> {
        let stream =
            connect(target.at, self.deadlines.connect).await.map_err(outcome::connection)?;
        Conversation::greet(stream, &self.us, self.deadlines).await
    }
}

impl Session {
    fn new(target: &Target, conversation: Conversation<Stream>, tls: String) -> Self {
        let (host, ip) = (Some(target.host.clone()), Some(target.at.ip()));
        let via = Via { host, ip, tls: Some(tls) };
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
