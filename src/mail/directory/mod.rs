//! The directory: organisations, their mailboxes and how these are opened.
//!
//! The database itself tells every node of a change, as it does when another
//! program makes it by SQL.

mod app_passwords;
mod mailboxes;
mod organisations;
mod postmaster;

pub use app_passwords::NewAppPassword;
pub use mailboxes::NewMailbox;
pub use postmaster::Postmaster;

use crate::store::db::Db;

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
}
