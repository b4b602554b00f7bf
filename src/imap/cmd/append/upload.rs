//! The messages of one APPEND as they come in, within bounds.

use crate::imap::answer::Answer;
use crate::imap::channel::{Channel, Gone};
use crate::imap::cmd::append::receive::receive;
use crate::imap::server::Server;
use crate::mail::incoming::Incoming;
use crate::mail::ingest::{Upload, Uploaded};
use crate::mail::{Error, Reason};
use crate::wire::imap::command::{AppendLine, AppendLiteral, AppendMessage, AppendStep};
use crate::wire::imap::response::Code;

/// Messages of one command at most.
const MESSAGES: usize = 500;
/// All messages of one command together may be as large as this many of the largest.
const LARGEST: u64 = 4;

/// Messages that come in.
pub(super) struct Uploading<'a> {
    server: &'a Server,
    content: Incoming,
    messages: Vec<Uploaded>,
}

impl<'a> Uploading<'a> {
    /// None yet.
    pub(super) fn new(server: &'a Server) -> Self {
        let content = server.services.ingest.incoming();
        Self { server, content, messages: Vec::new() }
    }

    /// Takes in what the command says.
    pub(super) fn take(&mut self, line: AppendLine) -> Result<(), Answer> {
        for step in line.steps {
            match step {
                AppendStep::Message(message) => self.begin(message)?,
            }
        }
        Ok(())
    }

    fn begin(&mut self, message: AppendMessage) -> Result<(), Answer> {
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

    /// Whether a literal of `size` octets may come.
    pub(super) async fn admit(&mut self, kind: AppendLiteral, size: u64) -> Result<(), Answer> {
        // One without octets is how a client takes back what it has sent (RFC 3502 §6.3.11).
        if size == 0 {
            return Err(Answer::no(Code::Cannot, "That message is empty"));
        }
        if let Some(message) = self.messages.last_mut() {
            message.binary |= kind.binary;
        }
        self.grow(size)?;
        Ok(self.server.services.ingest.room(size).await?)
    }

    /// Counts `size` octets of the last message, if it may have them. Before a literal is accepted
    /// the client hears so (RFC 7889 §4).
    fn grow(&mut self, size: u64) -> Result<(), Answer> {
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
        Ok(())
    }

    /// Reads `size` octets.
    pub(super) async fn receive(
        &mut self,
        channel: &mut Channel,
        size: u64,
    ) -> Result<Result<(), Error>, Gone> {
        receive(self.server, channel, size, &mut self.content).await
    }

    /// All of them.
    pub(super) fn finish(self) -> Upload {
        Upload { content: self.content, messages: self.messages }
    }
}
