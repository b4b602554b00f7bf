//! One connection: greet, read, is it allowed now?, carry out, answer.

use std::time::Duration;

use tokio::time::Instant;

use super::channel::{Channel, Gone, Heard};
use super::reply::Reply;
use super::server::Server;
use super::session::{Phase, Session};
use super::{auth, bdat, data, ehlo, mail, rcpt, simple, starttls, xclient};
use crate::net::shutdown::Shutdown;
use crate::wire::smtp::command::{self, Command};
use crate::wire::smtp::line::command_limit;

/// How long a client that does not wait for the greeting is given to show it. Such a client sends
/// at once, so its bytes come with the last packet of the handshake or not long after.
const LISTEN_FIRST: Duration = Duration::from_millis(10);

/// A connection and its session.
pub(super) struct Conn<'a> {
    pub(super) server: &'a Server,
    pub(super) channel: Channel,
    pub(super) session: Session,
    pub(super) stop: Shutdown,
    /// Refused commands.
    pub(super) errors: u32,
}

/// What comes after a command.
enum Next {
    Say(Reply),
    StartTls,
}

/// How a stretch of conversation ended.
enum End {
    /// Everything has been said.
    Closed,
    /// TLS begins.
    StartTls,
}

impl Conn<'_> {
    /// Runs to the end of the connection.
    pub(super) async fn run(mut self) {
        let mut end = match self.greeting().await {
            Ok(greeting) if self.answer(&greeting) => Ok(End::Closed),
            Ok(_) => self.converse().await,
            Err(gone) => Err(gone),
        };
        while let Ok(End::StartTls) = end {
            let Ok(conn) = self.start_tls().await else { return };
            self = conn;
            end = self.converse().await;
        }
        match end {
            Ok(_) | Err(Gone::Closed) => {}
            Err(Gone::Late) => {
                self.channel.say(&Reply::new(421, (4, 4, 2), "You took too long"));
            }
            Err(Gone::Stopping) => {
                self.channel.say(&Reply::new(421, (4, 3, 2), "Going down, come again"));
            }
        }
        self.channel.close().await;
    }

    /// Until one side says goodbye, or the channel changes.
    async fn converse(&mut self) -> Result<End, Gone> {
        loop {
            let next = match self.next().await? {
                Ok(command) => self.carry_out(command).await?,
                Err(refusal) => Next::Say(refusal),
            };
            match next {
                Next::Say(reply) if self.answer(&reply) => return Ok(End::Closed),
                Next::Say(_) => {}
                Next::StartTls => return Ok(End::StartTls),
            }
        }
    }

    /// TLS, and a session that knows nothing.
    async fn start_tls(self) -> Result<Self, Gone> {
        let channel = starttls::upgrade(self.channel, self.server).await?;
        Ok(Self { channel, session: self.session.anew(), ..self })
    }

    /// `220`, unless the client speaks first (RFC 5321 §3.1, §4.3.1).
    async fn greeting(&mut self) -> Result<Reply, Gone> {
        match self.channel.fill(Instant::now() + LISTEN_FIRST).await {
            Err(Gone::Late) => Ok(Reply::bare(220, format!("{} ESMTP", self.server.hostname))),
            Ok(()) => Ok(Reply::out_of_turn()),
            Err(gone) => Err(gone),
        }
    }

    /// The next command, or why what came is none.
    async fn next(&mut self) -> Result<Result<Command, Reply>, Gone> {
        // A transaction in hand is finished before the server stops.
        let stop = matches!(self.session.phase, Phase::Idle).then_some(&self.stop);
        if stop.is_some_and(Shutdown::is_requested) {
            return Err(Gone::Stopping);
        }
        Ok(match self.channel.line(command_limit, stop).await? {
            Heard::Line(line) => command::parse(&line).map_err(|error| Reply::from(&error)),
            Heard::TooLong => Err(Reply::new(500, (5, 5, 2), "That line is too long")),
            Heard::Broken => Err(Reply::broken_line()),
        })
    }

    /// Carries out one command.
    async fn carry_out(&mut self, command: Command) -> Result<Next, Gone> {
        let Self { server, channel, session, .. } = self;
        if ends_a_group(&command) && !channel.unread().is_empty() {
            return Ok(Next::Say(Reply::out_of_turn()));
        }
        let tls = channel.is_tls();
        let reply = match command {
            Command::Ehlo(name) => ehlo::ehlo(session, server, channel, name),
            Command::Helo(name) => ehlo::helo(session, server, name),
            Command::Mail(what) => mail::mail(session, server, tls, what).await,
            Command::Rcpt(whom) => rcpt::rcpt(session, server, whom).await,
            Command::Data => data::data(session, server, channel).await?,
            Command::Bdat { size, last } => {
                bdat::bdat(session, server, channel, size, last).await?
            }
            Command::StartTls => match starttls::starttls(channel) {
                Ok(ready) => {
                    channel.say(&ready);
                    return Ok(Next::StartTls);
                }
                Err(refusal) => refusal,
            },
            Command::Auth(with) => auth::auth(session, server, channel, with).await?,
            Command::XClient(said) => xclient::xclient(session, server, said),
            Command::Rset => simple::rset(session),
            Command::Noop => simple::noop(),
            Command::Vrfy => simple::vrfy(),
            Command::Expn => simple::expn(),
            Command::Help => simple::help(),
            Command::Quit => simple::quit(),
            Command::Lhlo => simple::lhlo(),
        };
        Ok(Next::Say(reply))
    }

    /// Says `reply`; true where nothing more is to be said after it.
    fn answer(&mut self, reply: &Reply) -> bool {
        self.channel.say(reply);
        if reply.is_refusal() {
            self.errors += 1;
            tracing::debug!(code = reply.code(), "refused");
        }
        if !reply.closes() && self.errors >= self.server.limits.errors.get() {
            self.channel.say(&Reply::new(421, (4, 7, 0), "Too many errors"));
            return true;
        }
        reply.closes()
    }
}

/// Whether the client has to wait for the answer before it says anything more (RFC 2920 §3.1).
/// STARTTLS as well, but what follows that is thrown away (RFC 3207 §4.2).
fn ends_a_group(command: &Command) -> bool {
    matches!(command, Command::Ehlo(_) | Command::Helo(_) | Command::Data | Command::XClient(_))
}
