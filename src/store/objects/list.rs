//! What is stored, as the sweep asks for it.

use std::time::SystemTime;

use crate::domain::ids::TenantId;
use crate::store::error::Error;
use crate::store::objects::{Kind, Objects};

/// An object that was found.
#[derive(Clone, Debug)]
pub struct Found {
    /// Its key.
    pub key: String,
    /// When it was written, or made young again.
    pub modified: SystemTime,
}

/// Some of an organisation's objects, and where the next ones begin.
#[derive(Debug, Default)]
pub struct Page {
    /// At most about a thousand, in no order that matters.
    pub found: Vec<Found>,
    /// `None` after the last page.
    pub next: Option<String>,
}

/// What stands before the name of an object that was set aside.
const ASIDE: &str = "swept-";

/// The key that an object has while it is set aside.
pub(super) fn aside(key: &str) -> String {
    match key.split_once('/') {
        Some((owner, name)) => format!("{owner}/{ASIDE}{name}"),
        None => format!("{ASIDE}{key}"),
    }
}

impl Found {
    /// The key that it had before it was set aside, where it was.
    pub fn set_aside_from(&self) -> Option<String> {
        let (owner, name) = self.key.split_once('/')?;
        Some(format!("{owner}/{}", name.strip_prefix(ASIDE)?))
    }
}

impl Objects {
    /// A page of an organisation's objects: the first, or the one that another said is next.
    pub async fn list(&self, owner: TenantId, page: Option<String>) -> Result<Page, Error> {
        match self.kind() {
            Kind::Dir(dir) => dir.list(&owner.to_string(), page).await,
            Kind::S3(s3) => s3.list(&owner.to_string(), page).await,
        }
    }

    /// Takes an object that nothing seems to need out of the way. Reading still
    /// finds it; writing it again writes it anew.
    pub async fn set_aside(&self, key: &str) -> Result<(), Error> {
        self.rename(key, &aside(key)).await
    }

    /// Undoes [`Objects::set_aside`].
    pub async fn take_back(&self, key: &str) -> Result<(), Error> {
        self.rename(&aside(key), key).await
    }

    async fn rename(&self, from: &str, to: &str) -> Result<(), Error> {
        match self.kind() {
            Kind::Dir(dir) => dir.rename(from, to).await,
            Kind::S3(s3) => s3.rename(from, to).await,
        }
    }
}
