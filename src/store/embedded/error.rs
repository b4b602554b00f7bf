//! Why there is no private database, each with what to do.

use std::io;
use std::path::PathBuf;

/// A private cluster that cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum EmbeddedError {
    /// No PostgreSQL at all.
    #[error(
        "no PostgreSQL was found: run scripts/setup, install postgresql-16 or newer, or set database.embedded.bin_dir"
    )]
    NoPostgres,
    /// Only ones that are too old.
    #[error(
        "found PostgreSQL {version} in {}; 16 or newer is needed: run scripts/setup, install postgresql-16 or newer, or set database.embedded.bin_dir", dir.display()
    )]
    TooOld {
        /// What it calls itself.
        version: String,
        /// Where it is.
        dir: PathBuf,
    },
    /// The folder that was named is none of PostgreSQL's.
    #[error(
        "database.embedded.bin_dir is {}, which holds no postgres and initdb that can be run", .0.display()
    )]
    NotBinaries(PathBuf),
    /// The cluster was made by another major version.
    #[error(
        "{} was made by PostgreSQL {cluster}, which was not found (only {found}): install postgresql-{cluster}, or dump and restore it", dir.display()
    )]
    OtherMajor {
        /// The cluster's folder.
        dir: PathBuf,
        /// Its major version.
        cluster: u32,
        /// The version that would have been used.
        found: String,
    },
    /// Root, and nobody else to be.
    #[error(
        "PostgreSQL does not run as root, and no user postgres or nobody exists: make one, or run as a normal user"
    )]
    NoAccount,
    /// The cluster belongs to another user.
    #[error("{} belongs to another user: run as that user, or choose another server.data_dir", .0.display())]
    NotOurs(PathBuf),
    /// Another server is at work on the same data directory.
    #[error("another koltrix-mail runs on {}: stop it, or choose another server.data_dir", dir.display())]
    Taken {
        /// The data directory.
        dir: PathBuf,
    },
    /// The PostgreSQL of a killed server does not stop.
    #[error("PostgreSQL of an earlier run does not stop (process {0}): stop it by hand")]
    Leftover(i32),
    /// A file or folder cannot be used.
    #[error("cannot use {}: {error}", path.display())]
    Io {
        /// Which one.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// The folder is not empty and no cluster.
    #[error("{} is not a PostgreSQL cluster: move it away, or choose another server.data_dir", .0.display())]
    NotACluster(PathBuf),
    /// `initdb` failed.
    #[error("the database cluster could not be made: {0}")]
    Initdb(String),
    /// `postgres` ended instead of taking connections.
    #[error("PostgreSQL did not start: {why} (see {})", log.display())]
    Ended {
        /// Where it says more.
        log: PathBuf,
        /// Its last words.
        why: String,
    },
    /// It runs, but its role and database could not be made.
    #[error("the private database could not be set up: {0}")]
    Setup(String),
}

impl EmbeddedError {
    /// For `map_err` on a path.
    pub(super) fn io(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |error| Self::Io { path, error }
    }
}
