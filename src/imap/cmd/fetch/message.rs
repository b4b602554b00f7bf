//! The answer for one message.

use std::ops::Range;

use time::OffsetDateTime;

use super::Job;
use super::content::{Piece, STEP, Source};
use super::plan::Plan;
use crate::imap::channel::{Channel, Gone, Sink};
use crate::imap::cmd::labels;
use crate::imap::selected::Selected;
use crate::imap::updates;
use crate::mail::Error;
use crate::mail::mailbox::{Entry, Fetched};
use crate::wire::imap::command::{Content, FetchItem};
use crate::wire::imap::response::{FetchWriter, Writer};

/// A failure of the message, or of the whole connection.
enum Failure {
    Message(Error),
    Connection(Gone),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Message(error)
    }
}

impl From<Gone> for Failure {
    fn from(gone: Gone) -> Self {
        Self::Connection(gone)
    }
}

/// UID and flags of a message.
pub(super) fn entry(out: &mut Writer, selected: &mut Selected, plan: &Plan<'_>, entry: &Entry) {
    let Some(sequence) = selected.view.sequence_of(entry.uid) else { return };
    let mut answer = updates::begin(out, plan.enabled, sequence, entry.uid, plan.extra_uid());
    for item in plan.items {
        write_entry_item(&mut answer, selected, plan, item, entry);
    }
    answer.end();
}

/// All that was asked for of a message, or nothing of it: what cannot be read is never told as
/// empty (RFC 3501 has no other word for a message that is not there now).
///
/// # Errors
/// [`Gone::Spoilt`] when the beginning is with the client already.
pub(super) async fn message(
    job: &Job<'_>,
    channel: &mut Channel,
    selected: &mut Selected,
    fetched: Fetched,
) -> Result<Result<(), Error>, Gone> {
    let (out, mut sink) = channel.split();
    let start = out.buffer().len();
    match write(job, out, &mut sink, selected, fetched).await {
        Ok(()) => Ok(Ok(())),
        Err(Failure::Connection(gone)) => Err(gone),
        Err(Failure::Message(error)) if sink.has_sent() => {
            tracing::warn!(%error, "a message broke off; so does the connection");
            Err(Gone::Spoilt)
        }
        Err(Failure::Message(error)) => {
            out.buffer().truncate(start);
            Ok(Err(error))
        }
    }
}

async fn write(
    job: &Job<'_>,
    out: &mut Writer,
    sink: &mut Sink<'_>,
    selected: &mut Selected,
    mut fetched: Fetched,
) -> Result<(), Failure> {
    let Some(sequence) = selected.view.sequence_of(fetched.entry.uid) else { return Ok(()) };
    let source = Source::open(&job.services.bodies, job.who, &mut fetched)?;
    let (plan, uid) = (&job.plan, fetched.entry.uid);
    let mut answer = updates::begin(out, plan.enabled, sequence, uid, plan.extra_uid());
    for item in job.plan.items {
        match (item.content(), &source) {
            (Some(content), Some(source)) => {
                write_content(&mut answer, sink, source, content).await?;
            }
            (Some(_), None) => {
                let email = fetched.email;
                return Err(Error::Internal(format!("email {email} has no source")).into());
            }
            (None, _) => write_item(&mut answer, selected, &job.plan, item, &fetched),
        }
    }
    answer.end();
    Ok(())
}

/// An item that stands ready in the row.
fn write_item(
    answer: &mut FetchWriter<'_>,
    selected: &mut Selected,
    plan: &Plan<'_>,
    item: &FetchItem,
    fetched: &Fetched,
) {
    match item {
        FetchItem::Envelope => answer.envelope(&fetched.ready.envelope),
        FetchItem::Body => answer.body(&fetched.ready.body),
        FetchItem::BodyStructure => answer.body_structure(&fetched.ready.body_structure),
        FetchItem::InternalDate => answer.internal_date(moment(fetched.ready.internal_date)),
        FetchItem::EmailId => answer.email_id(fetched.email),
        FetchItem::ThreadId => fetched.thread.iter().for_each(|&id| answer.thread_id(id)),
        FetchItem::GmMsgId => answer.gm_msgid(fetched.email),
        FetchItem::GmThrId => fetched.thread.iter().for_each(|&id| answer.gm_thrid(id)),
        FetchItem::Preview => answer.preview(fetched.preview.as_deref().unwrap_or_default()),
        FetchItem::Rfc822Size => answer.size(fetched.ready.size),
        item => write_entry_item(answer, selected, plan, item, &fetched.entry),
    }
}

/// What stands in the folder entry.
fn write_entry_item(
    answer: &mut FetchWriter<'_>,
    selected: &mut Selected,
    plan: &Plan<'_>,
    item: &FetchItem,
    entry: &Entry,
) {
    match item {
        FetchItem::Uid => answer.uid(entry.uid),
        FetchItem::Flags => {
            selected.knows(entry);
            let recent = !plan.enabled.rev2() && selected.view.is_recent(entry.uid);
            answer.flags(&entry.flags, recent);
        }
        FetchItem::ModSeq => answer.mod_seq(entry.modseq),
        FetchItem::GmLabels => answer.gm_labels(&labels::told(&entry.flags, &plan.labels)),
        _ => {}
    }
}

/// A piece of the message itself; a long one is sent while it is read.
async fn write_content(
    answer: &mut FetchWriter<'_>,
    sink: &mut Sink<'_>,
    source: &Source,
    content: Content<'_>,
) -> Result<(), Failure> {
    let Range { mut start, end } = match source.piece(content).await? {
        Piece::None => {
            answer.content(content, None);
            return Ok(());
        }
        Piece::Ready(octets) => {
            answer.content(content, Some(&octets));
            return Ok(());
        }
        Piece::Size(octets) => {
            answer.content_size(content, octets);
            return Ok(());
        }
        Piece::Range(range) => range,
    };
    answer.content_header(content, end.saturating_sub(start) as u64);
    while start < end {
        let next = end.min(start.saturating_add(STEP));
        source.read(start..next, answer.buffer()).await?;
        start = next;
        if start < end {
            sink.send(answer.buffer()).await?;
        }
    }
    Ok(())
}

/// INTERNALDATE from seconds since 1970, in UTC.
fn moment(seconds: i64) -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp(seconds).unwrap_or(OffsetDateTime::UNIX_EPOCH)
}
