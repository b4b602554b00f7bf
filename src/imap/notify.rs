//! What a client has asked to hear of with NOTIFY (RFC 5465): its mailboxes as it was last told of
//! them, and the difference to what is true now.

use std::collections::HashMap;
use std::future::{pending, poll_fn};
use std::task::Poll;
use std::time::Duration;

use tokio::sync::watch;

use super::cmd::status::numbers;
use super::enabled::Enabled;
use crate::domain::ids::FolderId;
use crate::domain::rights::Rights;
use crate::mail::Error;
use crate::mail::changes::Hint;
use crate::mail::client::Identity;
use crate::mail::mailbox::{AskedOfAll, Deleted, Folder, Mailboxes};
use crate::wire::imap::command::{Events, Notify, Selected, StatusItem};
use crate::wire::imap::mailbox::MailboxName;
use crate::wire::imap::response::{ChildInfo, ListAttribute, ListLine, Writer};

/// The most mailboxes that one session watches.
const MAX_MAILBOXES: usize = 5000;
/// The wait after the database could not be asked.
const RETRY: Duration = Duration::from_secs(5);

/// A NOTIFY that is on.
pub(super) struct Watch {
    wanted: Notify,
    /// What the client has been told, or knew to begin with.
    known: HashMap<FolderId, Known>,
    /// Each says that its folder may have changed.
    folders: HashMap<FolderId, watch::Receiver<Hint>>,
    /// Says that there may be other folders.
    names: watch::Receiver<Hint>,
    /// Somebody was woken, and the client has not been told yet.
    due: bool,
}

/// What can change of a mailbox.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Known {
    name: MailboxName,
    subscribed: bool,
    messages: u64,
    uidnext: u32,
    modseq: i64,
}

impl Known {
    fn of(folder: &Folder) -> Option<Self> {
        Some(Self {
            name: MailboxName::new(&folder.name)?,
            subscribed: folder.subscribed,
            messages: folder.messages,
            uidnext: folder.uidnext,
            modseq: folder.highestmodseq,
        })
    }
}

/// The mailboxes that `who` may hear of.
async fn readable(mailboxes: &Mailboxes, who: &Identity) -> Result<Vec<Folder>, Error> {
    let mut folders = mailboxes.listing(who, AskedOfAll::default()).await?.folders;
    folders.retain(|folder| folder.rights.contain(Rights::READ));
    Ok(folders)
}

impl Watch {
    /// Turns on what is `wanted`, and tells the STATUS of mailboxes where that is; `open` is the
    /// one that is open. `None` where there are too many mailboxes.
    pub(super) async fn begin(
        mailboxes: &Mailboxes,
        out: &mut Writer,
        who: &Identity,
        open: Option<FolderId>,
        wanted: Notify,
    ) -> Result<Option<Self>, Error> {
        let names = mailboxes.watch_names(who);
        let folders = readable(mailboxes, who).await?;
        if folders.len() > MAX_MAILBOXES {
            return Ok(None);
        }
        let (known, receivers) = (HashMap::new(), HashMap::new());
        let mut watch = Self { wanted, known, folders: receivers, names, due: false };
        watch.listen(mailboxes, &folders);
        for folder in &folders {
            let Some(known) = Known::of(folder) else { continue };
            let events = watch.events(&known.name, known.subscribed);
            if watch.wanted.status && events.messages && open != Some(folder.id) {
                let mut items =
                    vec![StatusItem::UidValidity, StatusItem::UidNext, StatusItem::Messages];
                if events.flags {
                    items.extend([StatusItem::Unseen, StatusItem::HighestModSeq]);
                }
                out.status(&known.name, &numbers(folder, Deleted::default(), &items));
            }
            watch.known.insert(folder.id, known);
        }
        Ok(Some(watch))
    }

    /// What is to be told of the open mailbox.
    pub(super) fn selected(&self) -> Option<&Selected> {
        self.wanted.selected.as_ref().filter(|selected| selected.events.messages)
    }

    /// Returns when there may be something to tell. Can be cancelled without loss.
    pub(super) async fn news(&mut self) {
        if self.due {
            return tokio::time::sleep(RETRY).await;
        }
        let changes = self.folders.values_mut().chain([&mut self.names]);
        // A folder's sender lives as long as somebody waits; should it be gone, nothing comes.
        let wait = async |change: &mut watch::Receiver<Hint>| {
            if change.changed().await.is_err() {
                pending::<()>().await;
            }
        };
        let mut waits: Vec<_> = changes.map(|change| Box::pin(wait(change))).collect();
        poll_fn(|context| {
            let ready = waits.iter_mut().any(|wait| wait.as_mut().poll(context).is_ready());
            if ready { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
        drop(waits);
        self.due = true;
    }

    /// Tells what has changed of all mailboxes but the `open` one, if anything may have: from one
    /// query, so that nothing is missed whatever wake-ups were. Whether that could be done; there
    /// may be too many mailboxes now.
    ///
    /// # Errors
    /// Those of the database; then nothing is lost, and the next call tells it.
    pub(super) async fn report(
        &mut self,
        mailboxes: &Mailboxes,
        out: &mut Writer,
        who: &Identity,
        enabled: Enabled,
        open: Option<FolderId>,
    ) -> Result<bool, Error> {
        let changes = || self.folders.values().chain([&self.names]);
        self.due |= changes().any(|change| change.has_changed().unwrap_or(false));
        if !self.due {
            return Ok(true);
        }
        // Before the question: what happens after it wakes us again.
        self.folders
            .values_mut()
            .chain([&mut self.names])
            .for_each(watch::Receiver::mark_unchanged);
        let folders = readable(mailboxes, who).await?;
        if folders.len() > MAX_MAILBOXES {
            return Ok(false);
        }
        self.tell(out, &folders, enabled, open);
        self.listen(mailboxes, &folders);
        self.due = false;
        Ok(true)
    }

    /// Waits on each of `folders`, and on no other. What is new is asked about once more: it may
    /// have changed since it was read.
    fn listen(&mut self, mailboxes: &Mailboxes, folders: &[Folder]) {
        let mut before = std::mem::take(&mut self.folders);
        for folder in folders {
            let receiver = before.remove(&folder.id).unwrap_or_else(|| {
                let mut receiver = mailboxes.watch(folder.id);
                receiver.mark_changed();
                receiver
            });
            self.folders.insert(folder.id, receiver);
        }
    }

    /// What is to be told of a mailbox that is not open: the first group counts.
    fn events(&self, name: &MailboxName, subscribed: bool) -> Events {
        let mut groups = self.wanted.others.iter();
        groups
            .find(|group| group.mailboxes.matches(name, subscribed))
            .map_or_else(Events::default, |group| group.events)
    }

    fn tell(
        &mut self,
        out: &mut Writer,
        folders: &[Folder],
        enabled: Enabled,
        open: Option<FolderId>,
    ) {
        let mut before = std::mem::take(&mut self.known);
        for folder in folders {
            let Some(now) = Known::of(folder) else { continue };
            let old = before.remove(&folder.id);
            self.tell_name(out, old.as_ref(), &now);
            let events = self.events(&now.name, now.subscribed);
            let items = status_items(events, old.as_ref(), &now, enabled);
            if open != Some(folder.id) && !items.is_empty() {
                out.status(&now.name, &numbers(folder, Deleted::default(), &items));
            }
            self.known.insert(folder.id, now);
        }
        let mut gone: Vec<_> = before.into_values().collect();
        gone.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        for gone in gone.iter().filter(|gone| self.events(&gone.name, gone.subscribed).names) {
            list(out, &gone.name, &[ListAttribute::NonExistent]);
        }
    }

    /// MailboxName and SubscriptionChange (RFC 5465 §5.4, §5.5).
    fn tell_name(&self, out: &mut Writer, old: Option<&Known>, now: &Known) {
        let subscribed: &[_] = if now.subscribed { &[ListAttribute::Subscribed] } else { &[] };
        let Some(old) = old else {
            if self.events(&now.name, now.subscribed).names {
                list(out, &now.name, subscribed);
            }
            return;
        };
        let events = self.events(&now.name, now.subscribed || old.subscribed);
        if old.name != now.name {
            if events.names || self.events(&old.name, old.subscribed).names {
                out.list_renamed(&old.name, &now.name);
            }
        } else if old.subscribed != now.subscribed && events.subscriptions {
            list(out, &now.name, subscribed);
        }
    }
}

fn list(out: &mut Writer, name: &MailboxName, attributes: &[ListAttribute]) {
    out.list(ListLine { name, attributes, child_info: ChildInfo::default() });
}

/// What the STATUS answer about a change tells, nothing where there is none to tell
/// (RFC 5465 §5.1 to §5.3).
fn status_items(
    events: Events,
    old: Option<&Known>,
    now: &Known,
    enabled: Enabled,
) -> Vec<StatusItem> {
    let (messages, changed) = match old {
        Some(old) => {
            let of = |known: &Known| (known.messages, known.uidnext);
            (of(old) != of(now), old.modseq != now.modseq)
        }
        None => (now.messages > 0, false),
    };
    let mut items = Vec::new();
    if messages && events.messages {
        items.extend([StatusItem::UidNext, StatusItem::Messages]);
    } else if changed && events.flags {
        items.push(StatusItem::UidValidity);
    } else {
        return items;
    }
    if events.flags {
        items.push(StatusItem::Unseen);
    }
    if events.flags || enabled.condstore() {
        items.push(StatusItem::HighestModSeq);
    }
    items
}
