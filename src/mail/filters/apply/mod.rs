//! The filters of a mailbox over mail that is there already.
//!
//! Messages are taken in batches, and what becomes of those that fare alike is
//! one transaction, made of what MOVE and STORE are made of. So it may be ended
//! at any time, and begun anew: what was done is not there to be done again.

mod change;
mod report;

use std::collections::{BTreeMap, HashMap};
use std::ops::ControlFlow;

use crate::domain::address::Address;
use crate::domain::flags::{FlagOp, Flags};
use crate::domain::ids::{AddressId, FolderId};
use crate::domain::rule::Rule;
use crate::mail::Error;
use crate::mail::filters::{Filters, not_found};
use crate::mail::rules::{View, run};
use crate::store;
use crate::store::entries::Entry;
use crate::store::flags;
use crate::store::folders::Folder;
use crate::store::rule_messages::RuleMessage;
use crate::store::tenant::Tenant;

use change::{Change, To};

pub use report::{Applied, Counted, LeftOut};

/// What is asked for.
#[derive(Clone, Debug)]
pub struct Request {
    /// Whose filters, and whose mail.
    pub address: Address,
    /// The folder, by its full name.
    pub folder: String,
    /// Only the filters of this name, or the one with this id.
    pub filter: Option<String>,
    /// Nothing is changed.
    pub dry_run: bool,
}

/// One run.
struct Run<'a> {
    tenant: Tenant,
    address: AddressId,
    folder: Folder,
    rules: Vec<&'a Rule>,
    /// Targets that are known.
    targets: HashMap<To, FolderId>,
    applied: Applied,
}

impl Filters {
    /// Applies the enabled filters of a mailbox to the messages that a folder
    /// holds now. `progress` is told after each batch, at most 100 messages,
    /// and may end it.
    ///
    /// `discard` puts into Trash, from where it can be taken back; a message in
    /// Trash stays there.
    ///
    /// # Errors
    /// [`Error::NotFound`] without such a mailbox, folder or filter.
    pub async fn apply(
        &self,
        request: &Request,
        mut progress: impl FnMut(&Applied) -> ControlFlow<()>,
    ) -> Result<Applied, Error> {
        let row = self.db.mailbox(&request.address).await.map_err(not_found)?;
        let mailbox = self.mailbox(&request.address).await?;
        let tenant = self.db.tenant(row.tenant_id);
        let folder = tenant.snapshot().await?.folder(row.id, &request.folder).await;
        let folder = folder.map_err(|error| match error {
            store::Error::NotFound => Error::NotFound("folder"),
            other => other.into(),
        })?;
        let wanted = |rule: &&Rule| {
            request.filter.as_ref().is_none_or(|f| rule.name == *f || rule.id.to_string() == *f)
        };
        let rules: Vec<&Rule> = mailbox.rules.iter().filter(wanted).collect();
        if rules.is_empty() && request.filter.is_some() {
            return Err(Error::NotFound("filter"));
        }
        let unreadable = mailbox.unreadable.iter().map(|filter| filter.name.clone());
        let applied = Applied {
            folder: request.folder.clone(),
            dry_run: request.dry_run,
            messages: folder.messages,
            filters: rules.iter().map(|r| Counted { name: r.name.clone(), matched: 0 }).collect(),
            unreadable: unreadable.collect(),
            ..Applied::default()
        };
        let targets = HashMap::new();
        let mut run = Run { tenant, address: row.id, folder, rules, targets, applied };
        self.run(&mut run, &mut progress).await?;
        Ok(run.applied)
    }

    async fn run(
        &self,
        run: &mut Run<'_>,
        progress: &mut impl FnMut(&Applied) -> ControlFlow<()>,
    ) -> Result<(), Error> {
        let senders = run.rules.iter().any(|rule| rule.when.asks_for_sender());
        // What comes from now on is asked when it comes.
        let (mut after, before) = (0, run.folder.uidnext);
        loop {
            let mut tx = run.tenant.snapshot().await?;
            let batch = tx.rule_messages(run.folder.id, (after, before), senders).await?;
            drop(tx);
            let Some((last, _)) = batch.last() else { break };
            after = last.uid;
            let mut changes: BTreeMap<Change, Vec<u32>> = BTreeMap::new();
            for (entry, message) in &batch {
                let change = run.decide(entry, message);
                if change != Change::default() {
                    changes.entry(change).or_default().push(entry.uid);
                }
            }
            for (change, uids) in changes {
                let done = match run.applied.dry_run {
                    true => uids.len(),
                    false => self.change(run, &change, &uids).await?,
                };
                run.applied.count(&change, done as u64);
            }
            self.changes.tell_now(&self.db).await;
            if progress(&run.applied).is_break() {
                return Ok(());
            }
        }
        run.applied.finished = true;
        Ok(())
    }

    /// Does it; how many messages were still there.
    async fn change(
        &self,
        run: &mut Run<'_>,
        change: &Change,
        uids: &[u32],
    ) -> Result<usize, Error> {
        let source = run.folder.id;
        let target = match &change.to {
            Some(to) => run.target(to).await?,
            None => source,
        };
        let mut tx = run.tenant.begin().await?;
        let mut there = uids.to_vec();
        if target != source {
            // Before the flags: this locks both folders, lowest first.
            let moved = tx.copy(source, uids, target, true).await?;
            there = moved.into_iter().map(|(_, new)| new).collect();
        }
        let given = change.flags();
        let mut count = there.len();
        if given != Flags::default() {
            let change = flags::Change {
                folder: target,
                uids: there,
                op: FlagOp::Add,
                flags: given,
                reader: None,
            };
            count = tx.store_flags(&change).await?.len();
        }
        tx.commit().await?;
        self.changes.publish([source, target]);
        Ok(count)
    }
}

impl Run<'_> {
    /// What the rules want of a message and it does not have yet.
    fn decide(&mut self, entry: &Entry, message: &RuleMessage) -> Change {
        let verdict = message.verdict();
        let view = View::of_stored(message, &verdict);
        let (mut place, mut matched) = (0, false);
        let (rules, applied) = (&self.rules, &mut self.applied);
        let effects = run(rules.iter().copied(), &view, |step| {
            if step.matched {
                matched = true;
                if let Some(filter) = applied.filters.get_mut(place) {
                    filter.matched += 1;
                }
            }
            place += 1;
        });
        applied.examined += 1;
        applied.matched += u64::from(matched);
        applied.left_out.count(&effects);
        Change::missing(effects, &self.folder, &entry.flags)
    }

    /// The folder, made where it is missing.
    async fn target(&mut self, to: &To) -> Result<FolderId, Error> {
        if let Some(id) = self.targets.get(to) {
            return Ok(*id);
        }
        let mut tx = self.tenant.begin().await?;
        let (found, name, special_use) = match to {
            To::Folder(name) => {
                (folder_named(tx.folder(self.address, name).await)?, name.as_str(), None)
            }
            To::Trash => {
                let found = tx.special_folder(self.address, "trash").await?;
                (found.map(|folder| folder.id), "Trash", Some("trash"))
            }
        };
        let id = match found {
            Some(id) => id,
            None => tx.create_folder(self.address, name, special_use).await?,
        };
        tx.commit().await?;
        self.targets.insert(to.clone(), id);
        Ok(id)
    }
}

fn folder_named(found: Result<Folder, store::Error>) -> Result<Option<FolderId>, Error> {
    match found {
        Ok(folder) => Ok(Some(folder.id)),
        Err(store::Error::NotFound) => Ok(None),
        Err(error) => Err(error.into()),
    }
}
