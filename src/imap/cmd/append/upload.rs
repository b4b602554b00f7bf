//! The messages of one APPEND as they come in, within bounds.

use crate::imap::answer::Answer;
use crate::imap::channel::{Channel, Gone};
use crate::imap::cmd::append::catenate::{Base, Sources};
use crate::imap::cmd::append::receive::receive;
use crate::imap::cmd::fetch::content::{Piece, STEP};
use crate::imap::enabled::Enabled;
use crate::imap::server::Server;
use crate::mail::incoming::Incoming;
use crate::mail::ingest::{Upload, Uploaded};
use crate::mail::{Error, Reason};
use crate::wire::imap::command::{AppendLine, AppendLiteral, AppendMessage, AppendStep, CatPart};
use crate::wire::imap::response::Code;
use crate::wire::imap::url::MessageUrl;

/// Messages of one command at most.
const MESSAGES: usize = 500;
/// All messages of one command together may be as large as this many of the largest.
const LARGEST: u64 = 4;
/// URLs of one command at most: each may be of another message, which has to be opened for it.
const URLS: usize = 100;
/// The longest URL in a literal, in octets.
const URL_LEN: u64 = 8 << 10;

/// Messages that come in.
pub(super) struct Uploading<'a> {
    server: &'a Server,
    base: Base<'a>,
    enabled: Enabled,
    content: Incoming,
    messages: Vec<Uploaded>,
    sources: Sources,
    urls: usize,
    /// Only one message may come (RFC 8508).
    one: bool,
}

impl<'a> Uploading<'a> {
    /// None yet, and `one` only.
    pub(super) fn new(server: &'a Server, base: Base<'a>, enabled: Enabled, one: bool) -> Self {
        let content = server.services.ingest.incoming();
        let (messages, sources) = (Vec::new(), Sources::default());
        Self { server, base, enabled, content, messages, sources, urls: 0, one }
    }

    /// Takes in what the command says.
    pub(super) async fn take(&mut self, line: AppendLine) -> Result<(), Answer> {
        for step in line.steps {
            match step {
                AppendStep::Message(message) => self.begin(message)?,
                AppendStep::Url(url) => self.copy(&url).await?,
            }
        }
        if line.literal.is_none() { self.not_empty() } else { Ok(()) }
    }

    fn begin(&mut self, message: AppendMessage) -> Result<(), Answer> {
        self.not_empty()?;
        if self.one && !self.messages.is_empty() {
            return Err(Answer::bad("One message takes the place of one"));
        }
        if self.messages.len() == MESSAGES {
            return Err(Answer::no(Code::Limit, "That are too many messages for one command"));
        }
        self.messages.push(Uploaded {
            flags: message.flags,
            internal_date: message.date.map(time::OffsetDateTime::unix_timestamp),
            len: 0,
            binary: false,
        });
        Ok(())
    }

    /// Whether the last message has octets. One without is how a client takes back what it has sent
    /// (RFC 3502 §6.3.11).
    fn not_empty(&self) -> Result<(), Answer> {
        if self.messages.last().is_some_and(|message| message.len == 0) {
            return Err(Answer::no(Code::Cannot, "That message is empty"));
        }
        Ok(())
    }

    /// Appends what `url` names to the last message.
    async fn copy(&mut self, url: &str) -> Result<(), Answer> {
        if self.urls == URLS {
            return Err(Answer::no(Code::Limit, "That are too many URLs for one command"));
        }
        self.urls += 1;
        let parsed = MessageUrl::parse(url).ok_or_else(|| Answer::bad_url(url))?;
        let mut sources = std::mem::take(&mut self.sources);
        let found = sources.find(&self.server.services, self.base, &parsed).await?;
        let (source, piece) = found.ok_or_else(|| Answer::bad_url(url))?;
        match piece {
            Piece::Ready(octets) => {
                self.grow(octets.len() as u64).await?;
                self.content.write(&octets).await?;
            }
            Piece::Range(range) => {
                self.grow(range.len() as u64).await?;
                let mut octets = Vec::new();
                for start in range.clone().step_by(STEP) {
                    octets.clear();
                    source.read(start..range.end.min(start + STEP), &mut octets).await?;
                    self.content.write(&octets).await?;
                }
            }
            Piece::None | Piece::Size(_) => return Err(Answer::bad_url(url)),
        }
        self.sources = sources;
        Ok(())
    }

    async fn copy_literal(&mut self, url: Incoming) -> Result<(), Answer> {
        let (url, _) = url.finish().await?;
        let url = std::str::from_utf8(&url).map_err(|_| Answer::bad("That URL is no text"))?;
        self.copy(url).await
    }

    /// Whether a literal of `size` octets may come.
    pub(super) async fn admit(&mut self, kind: AppendLiteral, size: u64) -> Result<(), Answer> {
        if kind.utf8 && !self.enabled.utf8() {
            return Err(Answer::bad("ENABLE UTF8=ACCEPT comes first"));
        }
        match kind.part {
            None if size == 0 => {
                return Err(Answer::no(Code::Cannot, "That message is empty"));
            }
            Some(CatPart::Url) if size > URL_LEN => {
                return Err(Answer::bad("That URL is too long"));
            }
            Some(CatPart::Url) => return Ok(()),
            None | Some(CatPart::Text) => {}
        }
        if let Some(message) = self.messages.last_mut() {
            message.binary |= kind.binary;
        }
        self.grow(size).await
    }

    /// Counts `size` octets of the last message, if it may have them and the disk has room. Before a literal is accepted
    /// the client hears so (RFC 7889 §4).
    async fn grow(&mut self, size: u64) -> Result<(), Answer> {
        let largest = self.server.limits.message_size.bytes();
        let Some(message) = self.messages.last_mut() else {
            return Err(Answer::bad("No message has begun"));
        };
        message.len = message.len.saturating_add(size);
        if message.len > largest {
            return Err(Error::from(Reason::TooBig).into());
        }
        if self.content.len().saturating_add(size) > largest.saturating_mul(LARGEST) {
            return Err(Answer::no(Code::Limit, "That is too much for one command"));
        }
        Ok(self.server.services.ingest.room(size).await?)
    }

    /// Reads the literal, and what it is the URL of.
    pub(super) async fn receive(
        &mut self,
        channel: &mut Channel,
        kind: AppendLiteral,
        size: u64,
    ) -> Result<Result<(), Answer>, Gone> {
        if kind.part == Some(CatPart::Url) {
            let mut url = self.server.services.ingest.incoming();
            let received = receive(self.server, channel, size, &mut url).await?;
            return Ok(match received {
                Ok(()) => self.copy_literal(url).await,
                Err(error) => Err(error.into()),
            });
        }
        let received = receive(self.server, channel, size, &mut self.content).await?;
        Ok(received.map_err(Answer::from))
    }

    /// All of them.
    pub(super) fn finish(self) -> Upload {
        Upload { content: self.content, messages: self.messages }
    }
}
