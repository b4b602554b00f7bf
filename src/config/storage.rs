//! `[database]` and `[objects]`: where mail is kept.

use std::num::NonZeroU32;
use std::path::PathBuf;

use serde::Deserialize;

use super::{Secret, Size};

/// PostgreSQL: external when `url` is set, else private and embedded.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Database {
    /// `postgres://…`; empty means embedded.
    pub url: Secret,
    /// Connections of this node's pool.
    pub max_connections: NonZeroU32,
    /// Used when `url` is empty.
    pub embedded: EmbeddedDatabase,
}

/// The private cluster.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EmbeddedDatabase {
    /// The folder of `postgres` and `initdb`; empty means looking for it.
    pub bin_dir: PathBuf,
}

/// The object store.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Objects {
    /// Which implementation.
    pub kind: ObjectKind,
    /// Attachments of at least this many bytes become objects.
    pub attachment_size: Size,
    /// Used when `kind` is S3.
    pub s3: S3,
}

/// Which object store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ObjectKind {
    /// A folder in the data directory.
    Dir,
    /// MinIO or any other S3.
    S3,
}

/// A bucket and how to reach it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct S3 {
    /// The server's address, `https://…`.
    pub endpoint: String,
    /// The region that requests are signed for.
    pub region: String,
    /// The bucket, which must exist.
    pub bucket: String,
    /// The key's public half.
    pub access_key: Secret,
    /// The key's secret half.
    pub secret_key: Secret,
}
