//! The directory: organisations, their mailboxes and how these are opened.
//!
//! Every change is told to all nodes after its commit. The same changes made
//! by SQL from another program are told by the database itself.

mod app_passwords;
mod mailboxes;
mod organisations;

pub use app_passwords::NewAppPassword;
pub use mailboxes::NewMailbox;

use crate::mail::Error;
use crate::store::db::Db;
use crate::store::notify::Channel;

/// Manages organisations and mailboxes. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Directory {
    db: Db,
}

impl Directory {
    /// Over `db`.
    pub fn new(db: Db) -> Self {
        Self { db }
    }

    async fn announce(&self) -> Result<(), Error> {
        Ok(self.db.notify(Channel::Directory, "").await?)
    }
}
