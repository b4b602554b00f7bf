//! APPEND (RFC 3501 §6.3.11) of one message or several (RFC 3502), new or made of pieces of others
//! (RFC 4469), with APPENDUID (RFC 4315 §3) and APPENDLIMIT (RFC 7889).
//!
//! The command comes in pieces: a line as far as a literal, the literal, more of the line. What can
//! be refused is refused before the literal is asked for.

mod catenate;
mod receive;
mod upload;

use catenate::Base;
use upload::Uploading;

use crate::domain::ids::FolderId;
use crate::imap::answer::Answer;
use crate::imap::channel::{Channel, Gone};
use crate::imap::enabled::Enabled;
use crate::imap::server::Server;
use crate::imap::status::{of_target, refused};
use crate::mail::Error;
use crate::mail::client::Identity;
use crate::mail::ingest::Replaced;
use crate::mail::mailbox::Folder;
use crate::wire::imap::command::{Append, AppendLine, AppendLiteral, parse_append_line};
use crate::wire::imap::frame::Event;
use crate::wire::imap::response::{Code, State};

/// The head of a literal.
#[derive(Clone, Copy, Debug)]
pub(in crate::imap) struct Literal {
    /// Its size in bytes, as the client says.
    pub(in crate::imap) size: u64,
    /// Whether the client waits to be asked for it.
    pub(in crate::imap) sync: bool,
}

/// How APPEND ended.
pub(in crate::imap) struct Ended {
    /// What it is answered with.
    pub(in crate::imap) answer: Answer,
    /// The literal that it ended at; whoever calls skips one that comes unasked.
    pub(in crate::imap) left: Option<Literal>,
}

/// Who appends, and what that has to do with the mailbox that is open.
#[derive(Clone, Copy)]
pub(in crate::imap) struct Session<'a> {
    /// Who is logged in.
    pub(in crate::imap) who: &'a Identity,
    /// What the client has turned on.
    pub(in crate::imap) enabled: Enabled,
    /// The mailbox that is open.
    pub(in crate::imap) open: Option<FolderId>,
    /// The message there that goes when the new one comes (RFC 8508).
    pub(in crate::imap) replaced: Option<Replaced>,
}

/// Reads messages and puts them into a mailbox, all or none. `literal` is the one that the command
/// has come to.
pub(in crate::imap) async fn append(
    server: &Server,
    channel: &mut Channel,
    session: Session<'_>,
    append: Append,
    literal: Option<Literal>,
) -> Result<Ended, Gone> {
    let mailboxes = &server.services.mailboxes;
    let Session { who, enabled, open, replaced } = session;
    let folder = match mailboxes.target(who, append.mailbox.as_str()).await {
        Ok(folder) => folder,
        Err(error) => return Ok(Ended { answer: of_target(error), left: literal }),
    };
    let upload = Uploading::new(server, Base { who, open }, enabled, replaced.is_some());
    let upload = match read(channel, upload, append.line, literal).await? {
        Ok(upload) => upload,
        Err(ended) => return Ok(ended),
    };
    let answer = match put(server, channel, session, &folder, upload).await {
        Ok(answer) => answer,
        Err(error) => of_target(error),
    };
    Ok(Ended { answer, left: None })
}

/// Reads the command to its end.
async fn read<'a>(
    channel: &mut Channel,
    upload: Uploading<'a>,
    line: AppendLine,
    literal: Option<Literal>,
) -> Result<Result<Uploading<'a>, Ended>, Gone> {
    let (mut upload, mut line, mut literal) = (upload, line, literal);
    loop {
        let kind = line.literal;
        if let Err(answer) = upload.take(line).await {
            return Ok(Err(Ended { answer, left: literal }));
        }
        let (Some(kind), Some(head)) = (kind, literal) else { return Ok(Ok(upload)) };
        if let Err(answer) = upload.admit(kind, head.size).await {
            return Ok(Err(Ended { answer, left: literal }));
        }
        if head.sync {
            channel.out.continuation("Go ahead");
            channel.flush().await?;
        }
        let received = upload.receive(channel, kind, head.size).await?;
        let next = behind(channel, kind).await?;
        literal = next.literal;
        line = match received.and(next.line) {
            Ok(line) => line,
            Err(answer) => return Ok(Err(Ended { answer, left: literal })),
        };
    }
}

/// More of the command, as far as a literal.
struct Next {
    line: Result<AppendLine, Answer>,
    literal: Option<Literal>,
}

/// What stands behind a literal.
async fn behind(channel: &mut Channel, kind: AppendLiteral) -> Result<Next, Gone> {
    let parse = |bytes: &[u8]| {
        parse_append_line(bytes, kind).map_err(|error| Answer::bad(error.to_string()))
    };
    Ok(match channel.event().await? {
        Event::AppendLiteral { head, size, sync } => {
            Next { line: parse(&head), literal: Some(Literal { size, sync }) }
        }
        Event::AppendTail(tail) => Next { line: parse(&tail), literal: None },
        Event::Refused { why, .. } => Next { line: Err(refused(why)), literal: None },
        _ => {
            let answer = Answer::bad("That does not belong behind a message");
            Next { line: Err(answer), literal: None }
        }
    })
}

async fn put(
    server: &Server,
    channel: &mut Channel,
    session: Session<'_>,
    folder: &Folder,
    upload: Uploading<'_>,
) -> Result<Answer, Error> {
    let Session { who, replaced, .. } = session;
    let ingest = &server.services.ingest;
    let placed = ingest.append(who, folder, upload.finish(), replaced).await?;
    let uid_validity = placed.first().map_or(folder.uidvalidity, |placed| placed.uidvalidity);
    let uids = placed.iter().map(|placed| placed.uid).collect();
    if replaced.is_some() {
        // Before the client hears that the other one is gone (RFC 8508 §3.2).
        let code = Some(Code::AppendUid { uid_validity, uids: &uids });
        channel.out.untagged(State::Ok, code, "The message that takes its place");
        return Ok(Answer::ok("Replaced"));
    }
    Ok(Answer::ok("Stored").with_appended(uid_validity, uids))
}
