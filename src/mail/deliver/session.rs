//! A connection to one host: opened, made secret where the host can, used for
//! one message after the other.

use std::num::NonZeroUsize;

use crate::domain::outcome::{Reply, Via};
use crate::mail::deliver::conversation::{Conversation, Deadlines};
use crate::mail::deliver::envelope::Envelope;
use crate::mail::deliver::fates::Fate;
use crate::mail::deliver::route::Login;
use crate::mail::deliver::target::Target;
use crate::mail::outcome::{self, Phase};
use crate::mail::reporting::Tally;
use crate::mail::reporting::tls::{Handshake, Sightings};
use crate::net::connect::{ConnectError, connect};
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
    under_tls: bool,
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

/// A host that did not take us: what it said, or what is said of it, and where that was.
pub struct Refused {
    /// The reply.
    pub reply: Reply,
    /// Without an address where nobody was asked: then it is our own trouble.
    pub via: Via,
}

impl Dialer {
    /// Connects, with TLS where it is offered and works (RFC 3207, RFC 7435): a host whose handshake
    /// fails is asked again in the clear, unless it has to prove its name: the domain wants that
    /// (RFC 8461 §5, RFC 7672 §2.2), or the route does. To a smarthost we say who we are. How TLS went is `seen`.
    ///
    /// # Errors
    /// The reply that turned us away.
    pub async fn open(&self, target: &Target, seen: &Sightings) -> Result<Session, Refused> {
        let login = target.login();
        if login.is_some_and(|login| login.password.is_none()) {
            let why = "the password of the route does not open: is this the master key it was sealed with?";
            return Err(target.untried(outcome::route_trouble(why)));
        }
        let stream = self.connect(target).await?;
        let mut session = if target.is_implicit() {
            self.implicit(stream, target).await?
        } else {
            self.with_starttls(stream, target, seen).await?
        };
        if let Some(Login { user, password: Some(password), in_clear }) = login {
            let said = if session.under_tls || *in_clear {
                session.conversation.log_in(user, password.expose()).await
            } else {
                Err(outcome::login_in_clear())
            };
            if let Err(reply) = said {
                session.quit().await;
                return Err(target.refused(reply));
            }
        }
        Ok(session)
    }

    async fn with_starttls(
        &self,
        stream: Stream,
        target: &Target,
        seen: &Sightings,
    ) -> Result<Session, Refused> {
        let conversation = self.greet(stream, target).await?;
        match self.start_tls(conversation, target).await {
            Ok(stream) => self.secured(stream, target, seen).await,
            Err(Insecure { left, handshake, why }) => {
                seen.saw(target, handshake);
                if target.must_encrypt() {
                    if let Some(conversation) = left {
                        conversation.quit().await;
                    }
                    return Err(target.refused(target.tls_needed(why)));
                }
                let conversation = match left {
                    Some(conversation) => conversation,
                    None => self.greet(self.connect(target).await?, target).await?,
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
        self.shake_hands(stream, target).await.map_err(failed)
    }

    async fn shake_hands(&self, stream: Stream, target: &Target) -> Result<Stream, String> {
        match stream.upgrade_client(&self.tls, &target.host, self.deadlines.connect).await {
            Ok(secret) => Ok(secret.stream),
            Err(error) => {
                tracing::info!(host = %target.host, %error, "TLS failed");
                Err(format!("the handshake failed: {error}"))
            }
        }
    }

    /// Goes on under TLS, with whom the policy allows.
    async fn secured(
        &self,
        stream: Stream,
        target: &Target,
        seen: &Sightings,
    ) -> Result<Session, Refused> {
        let (stream, tls, verified) = self.proven(stream, target, seen).await?;
        let conversation = Conversation::resume(stream, &self.us, self.deadlines).await;
        let conversation = conversation.map_err(|reply| target.refused(reply))?;
        Ok(Session { verified, under_tls: true, ..Session::new(target, conversation, tls) })
    }

    /// TLS before the greeting, with a smarthost that wants it so.
    async fn implicit(&self, stream: Stream, target: &Target) -> Result<Session, Refused> {
        let stream = self.shake_hands(stream, target).await;
        let stream = stream.map_err(|why| target.refused(target.tls_needed(why)))?;
        // No domain is told of a smarthost.
        let nobody = Sightings::new(Tally::default(), "");
        let (stream, tls, verified) = self.proven(stream, target, &nobody).await?;
        let conversation = self.greet(stream, target).await?;
        Ok(Session { verified, under_tls: true, ..Session::new(target, conversation, tls) })
    }

    /// The connection, what protects it and why, and whether the host has proven its name.
    async fn proven(
        &self,
        stream: Stream,
        target: &Target,
        seen: &Sightings,
    ) -> Result<(Stream, String, bool), Refused> {
        let proof = target.is_proven_by(&stream, &self.roots);
        seen.saw(target, Handshake::Done(proof));
        if let Err(unproven) = proof
            && target.must_prove()
        {
            stream.close(self.deadlines.connect).await;
            return Err(target.refused(target.tls_needed(unproven)));
        }
        let info = stream.tls().map(|tls| tls.to_string()).unwrap_or_default();
        let tls = format!("{info}, {}", target.why(proof));
        Ok((stream, tls, proof.is_ok()))
    }

    async fn connect(&self, target: &Target) -> Result<Stream, Refused> {
        let source = target.route.as_ref().and_then(|route| route.source);
        match connect(target.at, source, self.deadlines.connect).await {
            Ok(stream) => Ok(stream),
            Err(ConnectError::Away(error)) => Err(target.refused(outcome::connection(error))),
            Err(error) => Err(target.untried(outcome::route_trouble(error))),
        }
    }

    async fn greet(
        &self,
        stream: Stream,
        target: &Target,
    ) -> Result<Conversation<Stream>, Refused> {
        let greeted = Conversation::greet(stream, &self.us, self.deadlines).await;
        greeted.map_err(|reply| target.refused(reply))
    }
}

impl Session {
    fn new(target: &Target, conversation: Conversation<Stream>, tls: String) -> Self {
        let via = Via { tls: Some(tls), ..target.via() };
        Self { conversation, via, under_tls: false, verified: false, messages: 0 }
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
