//! One connection: greet, read, carry out, tell what else happened, answer.

use std::pin::Pin;

use super::answer::Answer;
use super::channel::{Channel, Gone};
use super::cmd::append::{self, Ended, Literal, Session};
use super::cmd::{idle, replace, starttls};
use super::dispatch::{self, Done, Turn};
use super::enabled::Enabled;
use super::news;
use super::notify::Watch;
use super::server::Server;
use super::session::{State, Then};
use super::status;
use super::updates::{self, Tell};
use crate::mail::Error;
use crate::wire::imap::command::{Command, Tag, Tagged, parse_command_with};
use crate::wire::imap::frame::{Event, Refusal};
use crate::wire::imap::response::{Code, State as Condition};

/// Bad commands before login after which the connection is closed (CVE-2026-27857).
const MAX_BAD: u32 = 3;

/// A connection and its session.
pub(super) struct Conn<'a> {
    server: &'a Server,
    channel: Channel,
    state: State,
    /// What the client has turned on.
    enabled: Enabled,
    /// What the client has asked to hear of.
    notify: Option<Box<Watch>>,
    /// Bad commands before login.
    bad: u32,
}

/// How a stretch of conversation ended.
enum End {
    /// Everything has been said.
    Closed,
    /// TLS begins.
    StartTls,
}

impl<'a> Conn<'a> {
    /// A connection that nobody has said anything on.
    pub(super) fn new(server: &'a Server, channel: Channel) -> Self {
        Self {
            server,
            channel,
            state: State::NotAuthenticated,
            enabled: Enabled::default(),
            notify: None,
            bad: 0,
        }
    }

    /// Runs to the end of the connection.
    pub(super) async fn run(mut self) {
        self.greet();
        let mut end = self.converse().await;
        while let Ok(End::StartTls) = end {
            let Ok(conn) = self.start_tls().await else { return };
            self = conn;
            end = self.converse().await;
        }
        if let State::Selected(who, selected) = &self.state {
            updates::leave(&self.server.services.mailboxes, who, selected).await;
        }
        match end {
            Ok(_) | Err(Gone::Closed) => {}
            Err(Gone::Late) => self.channel.out.bye(None, "Autologout; idle for too long"),
            Err(Gone::Stopping) => {
                self.channel.out.bye(Some(Code::Unavailable), "Going down, come again");
            }
            Err(Gone::Spoilt) => return self.channel.abandon().await,
        }
        self.channel.close().await;
    }

    fn greet(&mut self) {
        let names = self.server.capabilities(self.state.stage(&self.channel));
        let code = Some(Code::Capability(&names));
        self.channel.out.untagged(Condition::Ok, code, "koltrix-mail is ready");
    }

    /// Until one side says goodbye, or TLS begins.
    async fn converse(&mut self) -> Result<End, Gone> {
        loop {
            // Before login there is one deadline for all commands; after, each has its own.
            if self.state.is_logged_in() {
                self.channel.wait_for(self.server.timeouts.imap_idle.duration());
            }
            if self.channel.is_stopping() {
                return Err(Gone::Stopping);
            }
            let event = match self.notify {
                Some(_) => boxed(self.event_or_news()).await?,
                None => self.channel.event().await?,
            };
            if let Some(end) = boxed(self.turn(event)).await? {
                return Ok(end);
            }
            self.channel.flush_if_full().await?;
        }
    }

    /// What comes next from the client; until then it hears what it has asked NOTIFY for.
    async fn event_or_news(&mut self) -> Result<Event, Gone> {
        let Self { server, channel, state, enabled, notify, .. } = self;
        let mut known = true;
        loop {
            let news = news::wait(state, notify, false, known);
            if let Some(event) = channel.event_or(news).await? {
                return Ok(event);
            }
            let selected = notify.as_ref().and_then(|watch| watch.selected());
            let tell = selected.map(|selected| Tell::at_once(selected.delayed));
            known = news::tell(server, channel, state, *enabled, notify, tell).await?;
        }
    }

    /// TLS, and a session that knows nothing (RFC 3501 §6.2.1).
    async fn start_tls(self) -> Result<Self, Gone> {
        let channel = starttls::upgrade(self.channel, self.server).await?;
        Ok(Self { channel, state: State::NotAuthenticated, ..self })
    }

    /// One command, or what came instead.
    async fn turn(&mut self, event: Event) -> Result<Option<End>, Gone> {
        match event {
            Event::Complete(bytes) => {
                let parsed = parse_command_with(&bytes, self.enabled.names());
                drop(bytes);
                match parsed {
                    Ok(Tagged {
                        tag,
                        command: command @ (Command::Append(_) | Command::Replace(_)),
                    }) => self.put(&tag, command, None).await,
                    Ok(Tagged { tag, command }) => self.command(&tag, command).await,
                    Err(error) => Ok(self.refuse(error.tag.as_ref(), &status::syntax(&error))),
                }
            }
            Event::AppendLiteral { head, size, sync } => {
                self.append(&head, Literal { size, sync }).await
            }
            Event::Refused { tag, why } => Ok(self.refused(tag.as_ref(), why)),
            // Behind a message that nobody took; the other two never come from the channel.
            Event::AppendTail(_) | Event::NeedMore | Event::NeedContinuation { .. } => {
                Ok(self.refuse(None, &Answer::bad("That was not expected")))
            }
        }
    }

    async fn command(&mut self, tag: &Tag, command: Command) -> Result<Option<End>, Gone> {
        let tell = Tell::after(&command);
        if let Err(error) = self.check_rights().await {
            return self.finish(tag, Answer::from(error).into(), tell).await;
        }
        let Self { server, channel, state, enabled, notify, .. } = self;
        if let State::Selected(who, selected) = state
            && dispatch::leaves_mailbox(&command)
        {
            updates::leave(&server.services.mailboxes, who, selected).await;
        }
        let done = match command {
            Command::Idle if state.is_logged_in() => {
                idle::idle(server, channel, state, *enabled, notify).await?.into()
            }
            command => {
                let turn = Turn { tag, enabled, notify };
                boxed(dispatch::carry_out(server, channel, state, turn, command)).await?
            }
        };
        self.finish(tag, done, tell).await
    }

    /// Before a command: what the open mailbox allows now.
    async fn check_rights(&mut self) -> Result<(), Error> {
        match &mut self.state {
            State::Selected(who, selected) => {
                updates::check_rights(&self.server.services.mailboxes, who, selected).await
            }
            _ => Ok(()),
        }
    }

    /// APPEND or REPLACE, up to its first literal: what follows is read by the command itself.
    async fn append(&mut self, head: &[u8], literal: Literal) -> Result<Option<End>, Gone> {
        match parse_command_with(head, self.enabled.names()) {
            Ok(Tagged { tag, command }) => self.put(&tag, command, Some(literal)).await,
            Err(error) => Ok(self.refuse(error.tag.as_ref(), &status::syntax(&error))),
        }
    }

    /// APPEND or REPLACE, as far as it came.
    async fn put(
        &mut self,
        tag: &Tag,
        command: Command,
        literal: Option<Literal>,
    ) -> Result<Option<End>, Gone> {
        let tell = match command {
            Command::Replace(_) => Tell::REPLACED,
            _ => Tell::NEWS,
        };
        let allowed = self.check_rights().await;
        let Self { server, channel, state, enabled, .. } = self;
        let ended = match (state, command) {
            (State::Selected(..), Command::Replace(_)) if allowed.is_err() => {
                let answer = allowed.map_or_else(Answer::from, |()| dispatch::not_now());
                Ended { answer, left: literal }
            }
            (State::Authenticated(who), Command::Append(command)) => {
                let session = Session { who, enabled: *enabled, open: None, replaced: None };
                boxed(append::append(server, channel, session, command, literal)).await?
            }
            (State::Selected(who, selected), Command::Append(command)) => {
                let session =
                    Session { who, enabled: *enabled, open: Some(selected.folder), replaced: None };
                boxed(append::append(server, channel, session, command, literal)).await?
            }
            (State::Selected(who, selected), Command::Replace(command)) => {
                let session = (&*who, &**selected, *enabled);
                boxed(replace::replace(server, channel, session, command, literal)).await?
            }
            _ => Ended { answer: dispatch::not_now(), left: literal },
        };
        let largest = self.server.limits.message_size.bytes();
        let too_much = ended.left.is_some_and(|left| !left.sync && left.size > largest);
        let end = self.finish(tag, ended.answer.into(), tell).await?;
        // Closing is cheaper than reading what nobody wants (RFC 7888 §4).
        Ok(if too_much { Some(self.say_bye("That is too much")) } else { end })
    }

    /// What else happened, then the answer, then the new state.
    async fn finish(&mut self, tag: &Tag, done: Done, tell: Tell) -> Result<Option<End>, Gone> {
        let Done { mut answer, then } = done;
        if let Then::Stay = then {
            let Self { server, channel, state, enabled, notify, .. } = self;
            let known =
                boxed(news::tell(server, channel, state, *enabled, notify, Some(tell))).await?;
            if let State::Selected(_, selected) = state
                && known
                && tell.mod_seq
                && enabled.qresync()
                && answer.is_ok()
            {
                answer = answer.with(Code::HighestModSeq(selected.modseq.unsigned_abs()));
            }
        }
        if answer.is_bad() {
            return Ok(self.refuse(Some(tag), &answer));
        }
        answer.write(&mut self.channel.out, Some(tag));
        if let Then::Compress = then {
            self.channel.compress().await?;
        }
        Ok(self.change(then))
    }

    /// Into the state after `then`.
    fn change(&mut self, then: Then) -> Option<End> {
        let end = match then {
            Then::StartTls => Some(End::StartTls),
            Then::LogOut => Some(End::Closed),
            Then::LogIn(_) => {
                self.channel.trust();
                None
            }
            _ => None,
        };
        let state = std::mem::replace(&mut self.state, State::Logout);
        self.state = state.after(then);
        end
    }

    /// Answers what the client should not have said; ends the connection where that was too often.
    fn refuse(&mut self, tag: Option<&Tag>, answer: &Answer) -> Option<End> {
        answer.write(&mut self.channel.out, tag);
        if self.state.is_logged_in() || !answer.is_bad() {
            return None;
        }
        self.bad += 1;
        (self.bad >= MAX_BAD).then(|| self.say_bye("Too many bad commands"))
    }

    /// A command that breaks a bound. Before login nothing is skipped that is larger than what
    /// would have been taken.
    fn refused(&mut self, tag: Option<&Tag>, why: Refusal) -> Option<End> {
        let end = self.refuse(tag, &status::refused(why));
        match why {
            Refusal::LiteralTooBig { size, sync: false } if end.is_none() => {
                let patient =
                    self.state.is_logged_in() && size <= self.server.limits.message_size.bytes();
                (!patient).then(|| self.say_bye("That is too much"))
            }
            _ => end,
        }
    }

    fn say_bye(&mut self, text: &str) -> End {
        self.channel.out.bye(None, text);
        End::Closed
    }
}

/// A command in hand is large, and a connection that waits should not have to be. Without its type,
/// too: the compiler would look through everything behind it to see that it may change threads.
fn boxed<'a, T>(
    work: impl Future<Output = T> + Send + 'a,
) -> Pin<Box<dyn Future<Output = T> + Send + 'a>> {
    Box::pin(work)
}
