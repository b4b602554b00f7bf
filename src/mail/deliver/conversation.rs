//! The client's side of SMTP (RFC 5321), over any connection.
//!
//! mail-send writes commands and waits for replies; the order of things, what
//! becomes of each recipient, and the content are ours.

mod login;

use std::time::Duration;

use mail_send::SmtpClient;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _};
use tokio::time::timeout;

use crate::config;
use crate::domain::outcome::Reply;
use crate::mail::deliver::envelope::Envelope;
use crate::mail::deliver::fates::{Fate, Fates};
use crate::mail::deliver::tap::Tap;
use crate::mail::outcome::{self, Phase};
use crate::wire::smtp::reply::{Offer, Said, replies};
use crate::wire::smtp::stuff;

/// How long each phase may take (RFC 5321 §4.5.3.2).
#[derive(Clone, Copy, Debug)]
pub struct Deadlines {
    /// Connecting, and the TLS handshake.
    pub connect: Duration,
    /// One reply, or the replies to commands that were sent together.
    pub reply: Duration,
    /// One piece of content.
    pub data: Duration,
    /// The reply to the end of the content.
    pub end: Duration,
}

impl Deadlines {
    /// As configured.
    pub fn new(settings: &config::Timeouts) -> Self {
        Self {
            connect: settings.remote_connect.duration(),
            reply: settings.remote_reply.duration(),
            data: settings.remote_data.duration(),
            end: settings.remote_end.duration(),
        }
    }
}

/// A server that has greeted us.
pub struct Conversation<S: AsyncRead + AsyncWrite + Unpin> {
    client: SmtpClient<Tap<S>>,
    deadlines: Deadlines,
    offer: Offer,
    /// A transaction was left half-way: RSET before the next one.
    unfinished: bool,
    usable: bool,
}

/// Commands sent in one go with PIPELINING: few enough that neither side's
/// buffers fill while the other one is still writing (RFC 2920 §3.1).
const FLIGHT: usize = 100;
/// A connection that was idle is worth no more: a new one is as quick.
const RESET: Duration = Duration::from_secs(5);
/// Octets of content written between two looks at the clock.
const PIECE: usize = 64 * 1024;

/// An exchange that broke off: what had been said, and why it ended.
struct Broken {
    said: Vec<Said>,
    why: Reply,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Conversation<S> {
    /// Waits for the greeting and says EHLO, or HELO to those who do not know it.
    ///
    /// # Errors
    /// The reply that turned us away: it belongs to [`Phase::Host`].
    pub async fn greet(stream: S, us: &str, deadlines: Deadlines) -> Result<Self, Reply> {
        let client = SmtpClient { stream: Tap::new(stream), timeout: deadlines.reply };
        let mut new =
            Self { client, deadlines, offer: Offer::default(), unfinished: false, usable: true };
        let greeting = new.listen(deadlines.reply).await?;
        if greeting.code != 220 {
            new.quit().await;
            return Err(greeting.into_reply());
        }
        new.hello(us).await?;
        Ok(new)
    }

    /// Goes on over the connection that STARTTLS has made secret: nothing that
    /// was offered before counts (RFC 3207 §4.2).
    pub async fn resume(stream: S, us: &str, deadlines: Deadlines) -> Result<Self, Reply> {
        let client = SmtpClient { stream: Tap::new(stream), timeout: deadlines.reply };
        let mut new =
            Self { client, deadlines, offer: Offer::default(), unfinished: false, usable: true };
        new.hello(us).await?;
        Ok(new)
    }

    /// What the server offers.
    pub fn offer(&self) -> &Offer {
        &self.offer
    }

    /// Whether another transaction may follow.
    pub fn is_usable(&self) -> bool {
        self.usable
    }

    async fn hello(&mut self, us: &str) -> Result<(), Reply> {
        let said = self.command(format!("EHLO {us}\r\n")).await?;
        if said.code == 250 {
            self.offer = Offer::read(&said);
            return Ok(());
        }
        if !(500..=504).contains(&said.code) {
            return Err(said.into_reply());
        }
        let said = self.command(format!("HELO {us}\r\n")).await?;
        if said.code == 250 { Ok(()) } else { Err(said.into_reply()) }
    }

    /// Asks for TLS. The connection is ready for the handshake, or it stays as
    /// it was.
    pub async fn start_tls(mut self) -> Result<S, Self> {
        match self.command("STARTTLS\r\n".to_owned()).await {
            Ok(said) if said.code == 220 => Ok(self.client.stream.into_inner()),
            _ => Err(self),
        }
    }

    /// Hands over one message. What became of each recipient, in their order.
    pub async fn transact(&mut self, envelope: &Envelope, content: &[u8]) -> Vec<Fate> {
        let mut commands = vec![envelope.mail(content, &self.offer)];
        commands.extend(envelope.recipients.iter().map(|to| to.rcpt(&self.offer)));
        let together = self.offer.pipelining && commands.len() < FLIGHT;
        if together {
            commands.push("DATA\r\n".to_owned());
        }
        let mut fates = Fates::new(envelope.recipients.len());
        if self.unfinished && self.command("RSET\r\n".to_owned()).await.is_err() {
            return fates.all(Phase::Host, &outcome::connection("lost between two messages"));
        }
        self.unfinished = true;
        let at_once = if self.offer.pipelining { FLIGHT } else { 1 };
        for flight in commands.chunks(at_once) {
            match self.exchange(flight).await {
                Ok(said) => fates.heard(said),
                // Nothing but goodbye: it says nothing about this message.
                Err(broken)
                    if !fates.began() && broken.said.iter().all(|said| said.code == 421) =>
                {
                    return fates.all(Phase::Host, &broken.why);
                }
                Err(broken) => {
                    fates.heard(broken.said);
                    return fates.rest(Phase::Data, &broken.why);
                }
            }
            if fates.is_refused() {
                break;
            }
        }
        self.data(fates, together, content).await
    }

    /// DATA, unless it was said already, and the content.
    async fn data(&mut self, mut fates: Fates, together: bool, content: &[u8]) -> Vec<Fate> {
        if !together && fates.any_accepted() {
            match self.command("DATA\r\n".to_owned()).await {
                Ok(said) => fates.heard(vec![said]),
                Err(why) => return fates.rest(Phase::Data, &why),
            }
        }
        match fates.go_ahead() {
            // RFC 2920 §3.1: it was said too soon, so the message is nothing.
            Some(Ok(())) if !fates.any_accepted() => {
                if self.client.stream.write_all(b".\r\n").await.is_err()
                    || self.listen(self.deadlines.end).await.is_err()
                {
                    self.usable = false;
                }
                fates.rest(Phase::Data, &outcome::out_of_step("DATA was taken without recipients"))
            }
            Some(Ok(())) => match self.content(content).await {
                Ok(reply) => {
                    self.unfinished = false;
                    fates.rest(Phase::Content, &reply)
                }
                Err(why) => fates.rest(Phase::Content, &why),
            },
            Some(Err(reply)) => fates.rest(Phase::Data, &reply),
            None => fates.rest(Phase::Data, &outcome::out_of_step("no reply to DATA")),
        }
    }

    async fn content(&mut self, content: &[u8]) -> Result<Reply, Reply> {
        let stuffed = stuff::encode(content);
        for piece in stuffed.chunks(PIECE) {
            self.write(piece).await.inspect_err(|_| self.usable = false)?;
        }
        Ok(self.listen(self.deadlines.end).await?.into_reply())
    }

    async fn write(&mut self, piece: &[u8]) -> Result<(), Reply> {
        let stream = &mut self.client.stream;
        let written = async {
            stream.write_all(piece).await?;
            stream.flush().await
        };
        match timeout(self.deadlines.data, written).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(outcome::connection(error)),
            Err(_) => Err(outcome::connection("the server stopped reading the message")),
        }
    }

    /// Whether the server still answers; what was begun is given up (RFC 5321 §4.1.1.5).
    pub async fn reset(&mut self) -> bool {
        let answer = timeout(RESET, self.command("RSET\r\n".to_owned())).await;
        self.unfinished = false;
        self.usable && answer.is_ok_and(|said| said.is_ok_and(|said| said.code == 250))
    }

    /// Says goodbye; the connection is closed either way.
    pub async fn quit(mut self) {
        if self.usable {
            // Nobody needs the answer to this.
            let _ = self.write(b"QUIT\r\n").await;
        }
    }

    async fn command(&mut self, command: String) -> Result<Said, Reply> {
        let said = self.exchange(&[command]).await.map_err(|broken| match broken.said.first() {
            Some(said) => said.clone().into_reply(),
            None => broken.why,
        })?;
        said.into_iter().next().ok_or_else(|| outcome::out_of_step("no reply"))
    }

    /// Sends commands in one go: one reply for each.
    async fn exchange(&mut self, commands: &[String]) -> Result<Vec<Said>, Broken> {
        self.client.stream.forget();
        self.client.timeout = self.deadlines.reply;
        let done = self.client.cmds(commands).await;
        let said = replies(self.client.stream.heard());
        // 421 ends the connection whatever it answers (RFC 5321 §3.8).
        if said.last().is_some_and(|said| said.code == 421) {
            self.usable = false;
        }
        match done {
            Ok(_) if said.len() == commands.len() => Ok(said),
            Ok(_) => Err(self.broken(said, outcome::out_of_step("the replies make no sense"))),
            Err(error) => Err(self.broken(said, outcome::connection(told(&error)))),
        }
    }

    fn broken(&mut self, said: Vec<Said>, why: Reply) -> Broken {
        self.usable = false;
        // A parting word says more than the broken connection does.
        let parting = said.last().filter(|said| said.code == 421).cloned();
        Broken { why: parting.map_or(why, Said::into_reply), said }
    }

    /// Waits for one reply.
    async fn listen(&mut self, limit: Duration) -> Result<Said, Reply> {
        self.client.stream.forget();
        let read = timeout(limit, self.client.read()).await;
        let said = replies(self.client.stream.heard()).into_iter().next();
        let why = match (read, said) {
            (Ok(Ok(_)), Some(said)) => {
                self.usable &= said.code != 421;
                return Ok(said);
            }
            (Ok(Ok(_)), None) => outcome::out_of_step("the reply makes no sense"),
            (Ok(Err(error)), _) => outcome::connection(told(&error)),
            (Err(_), _) => outcome::connection("no reply in time"),
        };
        self.usable = false;
        Err(why)
    }
}

/// What mail-send reports, as an operator reads it.
fn told(error: &mail_send::Error) -> String {
    match error {
        mail_send::Error::Io(error) => error.to_string(),
        mail_send::Error::Timeout => "no reply in time".to_owned(),
        mail_send::Error::UnparseableReply => {
            "the server closed the connection or made no sense".to_owned()
        }
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests;
