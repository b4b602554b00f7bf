//! Mailboxes as IMAP sees them: folders here, messages in [`messages`].
//!
//! Every call takes the [`Identity`] that logged in and works in its
//! organisation. A name is that of a folder of its own mailbox, or of one that
//! somebody else there shares ([`sharing`]): `find` is where it becomes a
//! folder with rights, and refuses who has too few.

pub mod annotations;
mod flagging;
mod kept;
mod labels;
mod listing;
pub mod messages;
pub mod quota;
pub mod resync;
pub mod search;
mod sharing;
pub mod sort;
pub mod thread;

use tokio::sync::watch;

use self::sharing::find;
use crate::domain::ids::{AddressId, FolderId};
use crate::domain::rights::Rights;
use crate::mail::batches::Batches;
use crate::mail::changes::{Changes, Hint};
use crate::mail::client::Identity;
use crate::mail::spam::lessons::Lessons;
use crate::mail::{Error, Reason};
use crate::store;
use crate::store::db::Db;
use crate::store::tenant::TenantTx;
use crate::wire::imap::shared_name::SharedName;

use self::flagging::Flagging;
use self::kept::Kept;
pub use self::listing::{AskedOfAll, Listing};
pub use crate::store::annotations::Annotation;
pub use crate::store::entries::{Delta, Entry};
pub use crate::store::fetch::{Columns, Fetched};
pub use crate::store::folders::Folder;
pub use crate::store::quota::{Deleted, Quota};
pub use crate::store::resync::Vanished;
pub use crate::store::search::Numbering;

/// The folders and messages of whoever logged in. Cheap to clone.
#[derive(Clone)]
pub struct Mailboxes {
    db: Db,
    changes: Changes,
    lessons: Lessons,
    kept: Kept,
    flagging: Batches<Flagging>,
}

/// A folder as SELECT shows it, at one moment.
#[derive(Clone, Debug)]
pub struct Opened {
    /// Its row.
    pub folder: Folder,
    /// All UIDs, ascending: the session's sequence numbers.
    pub uids: Vec<u32>,
    /// UIDs from here on are `\Recent` in this session.
    pub recent_from: u32,
    /// The lowest UID without `\Seen`.
    pub first_unseen: Option<u32>,
    /// Keywords in use.
    pub keywords: Vec<String>,
}

impl Mailboxes {
    /// Over the database; `changes` is told after each commit, `lessons` of what goes to Junk and
    /// comes out of it. Folders that are read take at most `kept` octets of memory.
    pub fn new(db: Db, changes: Changes, lessons: Lessons, kept: u64) -> Self {
        Self { flagging: Batches::new(db.clone()), db, changes, lessons, kept: Kept::new(kept) }
    }

    async fn begin(&self, who: &Identity) -> Result<TenantTx, Error> {
        Ok(self.db.tenant(who.tenant).begin().await?)
    }

    async fn snapshot(&self, who: &Identity) -> Result<TenantTx, Error> {
        Ok(self.db.tenant(who.tenant).snapshot().await?)
    }

    /// Every folder of one's own, by name, then those that others share.
    pub async fn list(&self, who: &Identity) -> Result<Vec<Folder>, Error> {
        all_folders(&mut self.snapshot(who).await?, who).await
    }

    /// The folder of that name, to put a message into.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Reason::NoRights`].
    pub async fn target(&self, who: &Identity, name: &str) -> Result<Folder, Error> {
        find(&mut self.snapshot(who).await?, who, name, Rights::INSERT).await
    }

    /// The folder of that name, to read messages of.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Reason::NoRights`].
    pub async fn readable(&self, who: &Identity, name: &str) -> Result<Folder, Error> {
        find(&mut self.snapshot(who).await?, who, name, Rights::READ).await
    }

    /// Opens a folder: SELECT, or EXAMINE where `read_only`.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn open(&self, who: &Identity, name: &str, read_only: bool) -> Result<Opened, Error> {
        let mut tx = self.snapshot(who).await?;
        let folder = find(&mut tx, who, name, Rights::READ).await?;
        let uids = tx.uids(folder.id).await?;
        let first_unseen = if folder.unseen > 0 { tx.first_unseen(folder.id).await? } else { None };
        let keywords = tx.keywords(folder.owner).await?;
        drop(tx);
        let mut recent_from = folder.recent_from;
        let read_only = read_only || !folder.rights.overlap(Rights::ANY_CHANGE);
        if !read_only && recent_from < folder.uidnext {
            let mut tx = self.begin(who).await?;
            recent_from = tx.claim_recent(folder.id).await?;
            tx.commit().await?;
        }
        Ok(Opened { folder, uids, recent_from, first_unseen, keywords })
    }

    /// Makes a folder, and what is missing above it.
    ///
    /// # Errors
    /// [`Error::Exists`], [`Reason::BadFolderName`], [`Reason::SpecialUse`].
    pub async fn create(
        &self,
        who: &Identity,
        name: &str,
        special_use: Option<&str>,
    ) -> Result<FolderId, Error> {
        let mut tx = self.begin(who).await?;
        let (id, owner) = match SharedName::of(name) {
            None => {
                let id = tx.create_folder(who.address_id, name, special_use).await;
                (id.map_err(refused)?, who.address_id)
            }
            Some(shared) => sharing::create(&mut tx, who, &shared, special_use).await?,
        };
        tx.commit().await?;
        self.publish_names(who, owner);
        Ok(id)
    }

    /// Deletes a folder with what is in it. Folders below it stay.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Reason::FolderFixed`] for INBOX.
    pub async fn delete(&self, who: &Identity, name: &str) -> Result<(), Error> {
        let mut tx = self.begin(who).await?;
        let folder = find(&mut tx, who, name, Rights::DELETE_FOLDER).await?;
        if name == INBOX || SharedName::of(name).is_some_and(|shared| shared.folder() == INBOX) {
            return Err(Reason::FolderFixed.into());
        }
        tx.delete_folder(folder.id).await?;
        tx.commit().await?;
        self.changes.publish([folder.id]);
        self.publish_names(who, folder.owner);
        Ok(())
    }

    /// Renames a folder and all below it. Renaming INBOX moves its messages
    /// into a new folder and leaves it empty (RFC 3501 §6.3.5).
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Exists`], [`Reason::BadFolderName`].
    pub async fn rename(&self, who: &Identity, from: &str, to: &str) -> Result<(), Error> {
        let mut tx = self.begin(who).await?;
        let folder = find(&mut tx, who, from, Rights::DELETE_FOLDER).await?;
        let mut changed = vec![folder.id];
        if from == INBOX && SharedName::of(to).is_none() {
            let target = tx.create_folder(who.address_id, to, None).await.map_err(refused)?;
            let uids = tx.uids(folder.id).await?;
            tx.copy(folder.id, &uids, target, true).await?;
            changed.push(target);
        } else if to.strip_prefix(from).is_some_and(|rest| rest.starts_with('/')) {
            return Err(Reason::BadFolderName.into());
        } else {
            sharing::rename(&mut tx, who, &folder, from, to).await?;
        }
        tx.commit().await?;
        self.changes.publish(changed);
        self.publish_names(who, folder.owner);
        Ok(())
    }

    /// Subscribes or unsubscribes.
    ///
    /// # Errors
    /// [`Error::NotFound`]: only folders that exist are subscribed to. What others share always is:
    /// [`Reason::FolderFixed`].
    pub async fn subscribe(&self, who: &Identity, name: &str, on: bool) -> Result<(), Error> {
        let mut tx = self.begin(who).await?;
        if SharedName::of(name).is_some() {
            find(&mut tx, who, name, Rights::LOOKUP).await?;
            return if on { Ok(()) } else { Err(Reason::FolderFixed.into()) };
        }
        if !tx.subscribe_folder(who.address_id, name, on).await? {
            return Err(Error::NotFound("folder"));
        }
        tx.commit().await?;
        self.changes.publish_names(who.address_id);
        Ok(())
    }

    /// A session that may change a folder has shown its messages below UID `up_to`: they are
    /// `\Recent` to no later one.
    pub async fn record_shown(
        &self,
        who: &Identity,
        folder: FolderId,
        up_to: u32,
    ) -> Result<(), Error> {
        let mut tx = self.begin(who).await?;
        tx.record_shown(folder, up_to).await?;
        Ok(tx.commit().await?)
    }

    /// Tells whoever changed the folders of `owner`, and the owner.
    fn publish_names(&self, who: &Identity, owner: AddressId) {
        self.changes.publish_names(who.address_id);
        if owner != who.address_id {
            self.changes.publish_names(owner);
        }
    }

    /// Waits for changes of a folder; see [`Changes::watch`].
    pub fn watch(&self, folder: FolderId) -> watch::Receiver<Hint> {
        self.changes.watch(folder)
    }

    /// Waits for changes of the list of folders; see [`Changes::watch_names`].
    pub fn watch_names(&self, who: &Identity) -> watch::Receiver<Hint> {
        self.changes.watch_names(who.address_id)
    }
}

/// The one folder that is always there.
const INBOX: &str = "INBOX";

/// Every folder of one's own, by name, then those that others let one see.
async fn all_folders(tx: &mut TenantTx, who: &Identity) -> Result<Vec<Folder>, Error> {
    let mut folders = tx.folders(who.address_id).await?;
    let shared = tx.shared_folders(who.address_id).await?;
    folders.extend(shared.into_iter().filter(|folder| folder.rights.contain(Rights::LOOKUP)));
    Ok(folders)
}

/// The folder above a new name, and those above it, where they are missing.
async fn make_levels_above(tx: &mut TenantTx, who: &Identity, name: &str) -> Result<(), Error> {
    let Some((above, _)) = name.rsplit_once('/') else { return Ok(()) };
    if matches!(tx.folder(who.address_id, above).await, Err(store::Error::NotFound)) {
        tx.create_folder(who.address_id, above, None).await.map_err(refused)?;
    }
    Ok(())
}

/// What the constraints of `folders` say to a client.
fn refused(error: store::Error) -> Error {
    match &error {
        store::Error::Conflict { constraint } => match constraint.as_str() {
            // The INBOX is always there, whatever else would be wrong with another one.
            "folders_address_id_name_key" | "folders_inbox_check" => Error::Exists("folder"),
            "folders_special_use_key" | "folders_special_use_check" => Reason::SpecialUse.into(),
            "folders_name_check" => Reason::BadFolderName.into(),
            _ => error.into(),
        },
        _ => error.into(),
    }
}
