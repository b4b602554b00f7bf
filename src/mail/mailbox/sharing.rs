//! Folders of others, and who may do what with one's own (RFC 4314). Only mailboxes of one
//! organisation share: the tables are its own, and so are the addresses looked up.

use super::{INBOX, Mailboxes, make_levels_above, refused};
use crate::domain::flags::{FlagOp, Flags};
use crate::domain::ids::{AddressId, FolderId};
use crate::domain::rights::Rights;
use crate::mail::client::Identity;
use crate::mail::mailbox::{Entry, Folder};
use crate::mail::{Error, Reason};
use crate::store;
use crate::store::flags::Change;
use crate::store::tenant::TenantTx;
use crate::wire::imap::command::RightsChange;
use crate::wire::imap::shared_name::SharedName;

/// The identifier of every mailbox of the organisation (RFC 4314 §2).
const ANYONE: &str = "anyone";

/// The folder of that name, one's own or somebody else's, if whoever asks has all rights of `need`
/// on it. Who may not even see it is told that there is none.
pub(super) async fn find(
    tx: &mut TenantTx,
    who: &Identity,
    name: &str,
    need: Rights,
) -> Result<Folder, Error> {
    let found = match SharedName::of(name) {
        None => tx.folder(who.address_id, name).await,
        Some(shared) => tx.shared_folder(who.address_id, shared.owner(), shared.folder()).await,
    };
    match found {
        Ok(folder) if folder.rights.contain(need) => Ok(folder),
        Ok(folder) if folder.rights.contain(Rights::LOOKUP) => Err(Reason::NoRights.into()),
        Ok(_) | Err(store::Error::NotFound) => Err(Error::NotFound("folder")),
        Err(error) => Err(error.into()),
    }
}

/// Makes a folder in somebody else's mailbox, below one that is there, with the same rights. Returns
/// whose it is, too.
pub(super) async fn create(
    tx: &mut TenantTx,
    who: &Identity,
    name: &SharedName,
    special_use: Option<&str>,
) -> Result<(FolderId, AddressId), Error> {
    if special_use.is_some() {
        return Err(Reason::SpecialUse.into());
    }
    let Some(above) = name.above() else { return Err(Reason::NoRights.into()) };
    let above = find(tx, who, &above, Rights::CREATE).await?;
    let id = tx.create_folder(above.owner, name.folder(), None).await.map_err(refused)?;
    tx.inherit_rights(above.id, id).await?;
    Ok((id, above.owner))
}

/// Renames a folder that is not INBOX, and all below it, within one mailbox.
pub(super) async fn rename(
    tx: &mut TenantTx,
    who: &Identity,
    folder: &Folder,
    from: &str,
    to: &str,
) -> Result<(), Error> {
    match (SharedName::of(from), SharedName::of(to)) {
        (None, None) => {
            make_levels_above(tx, who, to).await?;
            Ok(tx.rename_folder(folder.owner, from, to).await.map_err(refused)?)
        }
        (Some(from), Some(to)) if from.owner() == to.owner() => {
            if from.folder() == INBOX {
                return Err(Reason::FolderFixed.into());
            }
            let Some(above) = to.above() else { return Err(Reason::NoRights.into()) };
            find(tx, who, &above, Rights::CREATE).await?;
            Ok(tx.rename_folder(folder.owner, from.folder(), to.folder()).await.map_err(refused)?)
        }
        _ => Err(Reason::NoRights.into()),
    }
}

/// STORE by somebody who may change some flags only: what is not theirs stays as it is.
pub(super) async fn store_within(
    tx: &mut TenantTx,
    rights: Rights,
    change: Change,
) -> Result<Vec<Entry>, Error> {
    let given = rights.allow(&change.flags);
    if change.op != FlagOp::Replace {
        if given == Flags::default() && change.flags != Flags::default() {
            return Err(Reason::NoRights.into());
        }
        return Ok(tx.store_flags(&Change { flags: given, ..change }).await?);
    }
    if !rights.overlap(Rights::FLAGS) {
        return Err(Reason::NoRights.into());
    }
    let everything = all_flags(&tx.entries(change.folder, &change.uids).await?);
    let others = Flags {
        seen: !given.seen,
        answered: !given.answered,
        flagged: !given.flagged,
        deleted: !given.deleted,
        draft: !given.draft,
        keywords: everything.keywords.into_iter().filter(|k| !given.keywords.contains(k)).collect(),
    };
    let others = rights.allow(&others);
    tx.store_flags(&Change { op: FlagOp::Remove, flags: others, ..change.clone() }).await?;
    Ok(tx.store_flags(&Change { op: FlagOp::Add, flags: given, ..change }).await?)
}

/// Takes from copies the flags that whoever copied may not set there (RFC 4314 §4).
pub(super) async fn strip(tx: &mut TenantTx, target: &Folder, uids: Vec<u32>) -> Result<(), Error> {
    if target.rights.contain(Rights::FLAGS) || uids.is_empty() {
        return Ok(());
    }
    let foreign = Rights::FLAGS.without(target.rights);
    let flags = foreign.allow(&all_flags(&tx.entries(target.id, &uids).await?));
    let op = FlagOp::Remove;
    tx.store_flags(&Change { folder: target.id, uids, op, flags, reader: None }).await?;
    Ok(())
}

/// Every system flag, and the keywords of these messages.
fn all_flags(entries: &[Entry]) -> Flags {
    let mut keywords = Vec::new();
    for keyword in entries.iter().flat_map(|entry| &entry.flags.keywords) {
        if !keywords.contains(keyword) {
            keywords.push(keyword.clone());
        }
    }
    Flags { seen: true, answered: true, flagged: true, deleted: true, draft: true, keywords }
}

impl Mailboxes {
    /// Who has which rights on a folder, its owner first: GETACL.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Reason::NoRights`].
    pub async fn acl(&self, who: &Identity, name: &str) -> Result<Vec<(String, Rights)>, Error> {
        let mut tx = self.snapshot(who).await?;
        let folder = find(&mut tx, who, name, Rights::ADMINISTER).await?;
        let owner = SharedName::of(name).map(|shared| shared.owner().to_owned());
        let owner = owner.unwrap_or_else(|| who.address.as_str().to_owned());
        let given = tx.folder_acl(folder.id).await?;
        let given = given
            .into_iter()
            .map(|(address, rights)| (address.unwrap_or_else(|| ANYONE.to_owned()), rights));
        Ok(std::iter::once((owner, Rights::ALL)).chain(given).collect())
    }

    /// Changes the rights of `identifier`, an address of the organisation or `anyone`: SETACL and
    /// DELETEACL.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Reason::NoRights`], [`Reason::UnknownRecipient`];
    /// [`Reason::FolderFixed`] for the owner, who has all rights always.
    pub async fn change_acl(
        &self,
        who: &Identity,
        name: &str,
        identifier: &str,
        change: RightsChange,
    ) -> Result<(), Error> {
        let mut tx = self.begin(who).await?;
        let folder = find(&mut tx, who, name, Rights::ADMINISTER).await?;
        let grantee = grantee(&mut tx, identifier).await?;
        if grantee == Some(folder.owner) {
            return Err(Reason::FolderFixed.into());
        }
        let given = tx.given_rights(folder.id, grantee).await?;
        let rights = match change {
            RightsChange::Replace(rights) => rights,
            RightsChange::Add(rights) => given.with(rights),
            RightsChange::Remove(rights) => given.without(rights),
        };
        tx.give_rights(folder.id, grantee, rights).await?;
        tx.commit().await?;
        // Who has it open may not any more.
        self.changes.publish([folder.id]);
        if let Some(grantee) = grantee {
            self.changes.publish_names(grantee);
        }
        Ok(())
    }

    /// Which rights `identifier` has always and which it can be given: LISTRIGHTS.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Reason::NoRights`], [`Reason::UnknownRecipient`].
    pub async fn list_rights(
        &self,
        who: &Identity,
        name: &str,
        identifier: &str,
    ) -> Result<(Rights, Rights), Error> {
        let mut tx = self.snapshot(who).await?;
        let folder = find(&mut tx, who, name, Rights::ADMINISTER).await?;
        let is_owner = grantee(&mut tx, identifier).await? == Some(folder.owner);
        Ok(if is_owner { (Rights::ALL, Rights::NONE) } else { (Rights::NONE, Rights::ALL) })
    }

    /// What whoever asks may do with a folder of somebody else.
    pub async fn rights_on(&self, who: &Identity, folder: FolderId) -> Result<Rights, Error> {
        Ok(self.snapshot(who).await?.rights_on(who.address_id, folder).await?)
    }

    /// What whoever asks may do with a folder: MYRIGHTS.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn my_rights(&self, who: &Identity, name: &str) -> Result<Rights, Error> {
        Ok(find(&mut self.snapshot(who).await?, who, name, Rights::NONE).await?.rights)
    }
}

/// The mailbox that an identifier stands for; `None` is everybody.
async fn grantee(tx: &mut TenantTx, identifier: &str) -> Result<Option<AddressId>, Error> {
    if identifier == ANYONE {
        return Ok(None);
    }
    let found = tx.mailbox_named(&identifier.to_lowercase()).await?;
    found.map(Some).ok_or_else(|| Reason::UnknownRecipient.into())
}
