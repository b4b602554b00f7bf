//! The object store: S3 (MinIO and its like) or a directory.
//!
//! Keys are `<tenant id>/<SHA-256 in hex>`: the tenant first, so that what
//! belongs to whom can be seen from outside, and content-addressed within it,
//! so that the same attachment is stored once.

mod dir;
mod list;
mod s3;

use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;

pub use dir::Dir;
pub use list::{Found, Page};
pub use s3::{S3, S3Settings};

use crate::config::{self, ObjectKind};
use crate::domain::ids::TenantId;
use crate::store::error::Error;

/// Where attachments lie. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Objects(Arc<Kind>);

#[derive(Debug)]
enum Kind {
    Dir(Dir),
    S3(S3),
}

/// The key of a tenant's object.
pub fn object_key(tenant: TenantId, sha256_hex: &str) -> String {
    format!("{tenant}/{sha256_hex}")
}

impl From<Dir> for Objects {
    fn from(dir: Dir) -> Self {
        Self(Arc::new(Kind::Dir(dir)))
    }
}

impl From<S3> for Objects {
    fn from(s3: S3) -> Self {
        Self(Arc::new(Kind::S3(s3)))
    }
}

impl Objects {
    /// The store that the settings name; a folder is made when it is missing.
    ///
    /// # Errors
    /// [`Error::Objects`] when the folder cannot be made; whether a bucket
    /// answers, [`Objects::ping`] tells.
    pub fn open(settings: &config::Objects, data_dir: &Path) -> Result<Self, Error> {
        match settings.kind {
            ObjectKind::Dir => Ok(Dir::open(&data_dir.join("objects"))?.into()),
            ObjectKind::S3 => Ok(S3::new(&S3Settings {
                endpoint: settings.s3.endpoint.clone(),
                region: settings.s3.region.clone(),
                bucket: settings.s3.bucket.clone(),
                access_key: settings.s3.access_key.expose().to_owned(),
                secret_key: settings.s3.secret_key.expose().to_owned(),
            })
            .into()),
        }
    }

    fn kind(&self) -> &Kind {
        self.0.as_ref()
    }

    /// The bucket, as it stands in `attachments.bucket`.
    pub fn bucket(&self) -> &str {
        match self.kind() {
            Kind::Dir(_) => "local",
            Kind::S3(s3) => s3.bucket(),
        }
    }

    /// Stores `content` under `key`; durable when this returns.
    ///
    /// An object that is there already is not written again unless it is older
    /// than half the sweep's age: then it is made young, so that a sweep that
    /// saw it unreferenced does not take it from under a new reference.
    pub async fn put(&self, key: &str, content: Bytes) -> Result<(), Error> {
        match self.kind() {
            Kind::Dir(dir) => dir.put(key, content).await,
            Kind::S3(s3) => s3.put(key, content).await,
        }
    }

    /// The octets `range` of an object, or all of it.
    ///
    /// # Errors
    /// [`Error::NotFound`] for a missing object, [`Error::Corrupt`] when it is
    /// shorter than the range.
    pub async fn get(&self, key: &str, range: Option<Range<u64>>) -> Result<Bytes, Error> {
        match self.get_at(key, range.clone()).await {
            // The sweep may have been too quick.
            Err(Error::NotFound) => self.get_at(&list::aside(key), range).await,
            other => other,
        }
    }

    async fn get_at(&self, key: &str, range: Option<Range<u64>>) -> Result<Bytes, Error> {
        match self.kind() {
            Kind::Dir(dir) => dir.get(key, range).await,
            Kind::S3(s3) => s3.get(key, range).await,
        }
    }

    /// Removes an object; a missing one is no error.
    pub async fn delete(&self, key: &str) -> Result<(), Error> {
        match self.kind() {
            Kind::Dir(dir) => dir.delete(key).await,
            Kind::S3(s3) => s3.delete(key).await,
        }
    }

    /// Whether the store answers and takes writes.
    pub async fn ping(&self) -> Result<(), Error> {
        match self.kind() {
            Kind::Dir(dir) => dir.ping().await,
            Kind::S3(s3) => s3.ping().await,
        }
    }
}

/// Objects younger than this are not written again; see [`Objects::put`].
const YOUNG: std::time::Duration = std::time::Duration::from_hours(12);
