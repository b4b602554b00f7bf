//! FETCH and UID FETCH (RFC 3501 §6.4.5).
//!
//! The set is worked off in pieces: one query reads as many messages as fit into a few MiB, then
//! they are written, then the next query. Nothing in the database is held while writing.

pub(in crate::imap::cmd) mod content;
mod message;
mod plan;

use plan::Plan;

use crate::domain::flags::{FlagOp, Flags};
use crate::domain::rights::Rights;
use crate::imap::answer::Answer;
use crate::imap::channel::{Channel, Gone};
use crate::imap::enabled::Enabled;
use crate::imap::resync;
use crate::imap::selected::Selected;
use crate::imap::server::Services;
use crate::imap::updates;
use crate::mail::Error;
use crate::mail::client::Identity;
use crate::mail::mailbox::Mailboxes;
use crate::wire::imap::command::{Fetch, FetchItem};
use crate::wire::imap::response::Writer;

/// Messages that are asked for at once.
const CHUNK: usize = 2000;

/// A FETCH in hand.
struct Job<'a> {
    services: &'a Services,
    who: &'a Identity,
    plan: Plan<'a>,
    /// Why a message could not be told. The others are told all the same.
    failed: Option<Error>,
}

/// Tells what was asked of each message.
pub(in crate::imap) async fn fetch(
    services: &Services,
    channel: &mut Channel,
    who: &Identity,
    selected: &mut Selected,
    enabled: Enabled,
    fetch: &Fetch,
) -> Result<Answer, Gone> {
    let Some(mut uids) = selected.uids(&fetch.set, fetch.uid) else {
        return Ok(Answer::no_such_number());
    };
    if let Some(since) = &fetch.changed {
        if since.vanished && !enabled.qresync() {
            return Ok(Answer::bad("ENABLE QRESYNC comes first"));
        }
        let out = &mut channel.out;
        let mailboxes = &services.mailboxes;
        if let Err(error) = only_changed(mailboxes, out, who, selected, fetch, &mut uids).await {
            return Ok(error.into());
        }
    }
    if let Some(range) = fetch.partial {
        uids = uids.get(range.of(uids.len())).unwrap_or_default().to_vec();
    }
    let cut = selected.cut(&mut uids);
    let marks_seen = !selected.read_only && selected.rights.contain(Rights::SEEN);
    let plan = Plan::of(&fetch.items, fetch.uid, marks_seen, enabled);
    let job = Job { services, who, plan, failed: None };
    Ok(match job.tell(channel, selected, &uids).await? {
        Err(error) => error.into(),
        Ok(()) => Answer::ok("Fetched").with_any(cut),
    })
}

/// Tells of each message above UID `top` what the client has asked NOTIFY for (RFC 5465 §5.2). They
/// do not count as read.
pub(in crate::imap) async fn of_new(
    services: &Services,
    channel: &mut Channel,
    who: &Identity,
    selected: &mut Selected,
    enabled: Enabled,
    items: &[FetchItem],
    top: u32,
) -> Result<(), Gone> {
    let known = selected.view.uids();
    let new = known.get(known.partition_point(|&uid| uid <= top)..).unwrap_or_default().to_vec();
    let job = Job { services, who, plan: Plan::of(items, false, false, enabled), failed: None };
    if let Err(error) = job.tell(channel, selected, &new).await? {
        tracing::warn!(%error, "new messages could not be told");
    }
    Ok(())
}

/// Leaves of `uids` those that changed, and tells which of the set are gone where that is asked
/// (RFC 7162 §3.1.4.1, §3.2.6).
async fn only_changed(
    mailboxes: &Mailboxes,
    out: &mut Writer,
    who: &Identity,
    selected: &Selected,
    fetch: &Fetch,
    uids: &mut Vec<u32>,
) -> Result<(), Error> {
    let Some(since) = fetch.changed else { return Ok(()) };
    let modseq = resync::mod_seq(since.mod_seq);
    if since.vanished {
        let vanished = mailboxes.vanished_since(who, selected.folder, modseq).await?;
        let named = resync::resolve(Some(&fetch.set), vanished.uidnext);
        resync::write_vanished(out, selected, &named, &vanished);
    }
    let changed = mailboxes.changed_since(who, selected.folder, modseq).await?;
    uids.retain(|uid| changed.binary_search(uid).is_ok());
    Ok(())
}

impl Job<'_> {
    /// Tells of all of `uids`.
    async fn tell(
        mut self,
        channel: &mut Channel,
        selected: &mut Selected,
        uids: &[u32],
    ) -> Result<Result<(), Error>, Gone> {
        if self.plan.items.contains(&FetchItem::GmLabels) {
            match self.services.mailboxes.labels(self.who, selected.folder).await {
                Ok(labels) => self.plan.labels = labels,
                Err(error) => return Ok(Err(error)),
            }
        }
        for chunk in uids.chunks(CHUNK) {
            let told = if self.plan.only_entry {
                self.entries(channel, selected, chunk).await?
            } else {
                self.messages(channel, selected, chunk).await?
            };
            if told.is_err() {
                return Ok(told);
            }
        }
        Ok(self.failed.map_or(Ok(()), Err))
    }

    /// Flags and UIDs alone: no message is looked at.
    async fn entries(
        &self,
        channel: &mut Channel,
        selected: &mut Selected,
        uids: &[u32],
    ) -> Result<Result<(), Error>, Gone> {
        let mailboxes = &self.services.mailboxes;
        let entries = match mailboxes.entries(self.who, selected.folder, uids).await {
            Ok(entries) => entries,
            Err(error) => return Ok(Err(error)),
        };
        for entry in &entries {
            message::entry(&mut channel.out, selected, &self.plan, entry);
            channel.flush_if_full().await?;
        }
        Ok(Ok(()))
    }

    /// Anything else.
    async fn messages(
        &mut self,
        channel: &mut Channel,
        selected: &mut Selected,
        uids: &[u32],
    ) -> Result<Result<(), Error>, Gone> {
        let mailboxes = &self.services.mailboxes;
        let mut rest = uids;
        while !rest.is_empty() {
            let read = mailboxes.fetch(self.who, selected.folder, rest, self.plan.columns).await;
            let messages = match read {
                Ok(messages) => messages,
                Err(error) => return Ok(Err(error)),
            };
            // Those that are not there any more are left out, and announced as gone later.
            let Some(last) = messages.last().map(|message| message.entry.uid) else { break };
            rest = rest.get(rest.partition_point(|&uid| uid <= last)..).unwrap_or_default();
            let mut read_now = Vec::new();
            for fetched in messages {
                let (uid, seen) = (fetched.entry.uid, fetched.entry.flags.seen);
                let told = message::message(self, channel, selected, fetched).await?;
                match told {
                    Ok(()) if !seen => read_now.push(uid),
                    Ok(()) => {}
                    Err(error) => self.failed = Some(error),
                }
                channel.flush_if_full().await?;
            }
            if let Err(error) = self.set_seen(channel, selected, &read_now).await {
                return Ok(Err(error));
            }
        }
        Ok(Ok(()))
    }

    /// `\Seen` for messages that have been read, after they were: what broke off is not read.
    async fn set_seen(
        &self,
        channel: &mut Channel,
        selected: &mut Selected,
        uids: &[u32],
    ) -> Result<(), Error> {
        if !self.plan.sets_seen || uids.is_empty() {
            return Ok(());
        }
        let seen = Flags { seen: true, ..Flags::default() };
        let mailboxes = &self.services.mailboxes;
        let entries = mailboxes.store(self.who, selected.folder, uids, FlagOp::Add, &seen).await?;
        selected.wrote(&entries);
        for entry in &entries {
            updates::write_flags(
                &mut channel.out,
                selected,
                self.plan.enabled,
                entry,
                self.plan.uid,
            );
        }
        Ok(())
    }
}
