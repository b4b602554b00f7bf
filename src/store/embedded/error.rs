//! Why there is no private Postgres; each says what to do.

use std::path::PathBuf;

/// An error of the private cluster.
#[derive(Debug, thiserror::Error)]
pub enum EmbeddedError {
    /// No server binaries were found.
    #[error(
        "no PostgreSQL 16 or newer was found{found}: run scripts/setup, install postgresql-16, or set database.embedded.bin_dir"
    )]
    NoBinaries {
        /// What was found instead, in parentheses, or nothing.
        found: String,
    },
    /// The configured folder does not hold them.
    #[error("database.embedded.bin_dir is {}, which holds {found}; PostgreSQL 16 or newer is needed there", dir.display())]
    WrongBinaries {
        /// The folder.
        dir: PathBuf,
        /// What it holds.
        found: String,
    },
    /// Another process runs on this data directory.
    #[error("another koltrix-mail runs on {}: stop it, or choose another server.data_dir", dir.display())]
    Taken {
        /// The folder of the cluster.
        dir: PathBuf,
        /// How to reach that one's database.
        url: String,
    },
    /// The cluster was made by another major version.
    #[error("the cluster in {} is of PostgreSQL {cluster}, the binaries are {binaries}: install PostgreSQL {cluster}, or move the data with pg_upgrade", dir.display())]
    OtherVersion {
        /// The folder of the cluster.
        dir: PathBuf,
        /// Its major version.
        cluster: String,
        /// That of the binaries.
        binaries: u32,
    },
    /// Root needs somebody to run it as.
    #[error(
        "PostgreSQL does not run as root, and there is no user 'postgres' or 'nobody' to run it as: start koltrix-mail as another user"
    )]
    NoUser,
    /// A file or folder.
    #[error("cannot use {}: {error}", path.display())]
    Io {
        /// Which.
        path: PathBuf,
        /// What the system said.
        error: std::io::Error,
    },
    /// It was started and ended, or never became ready.
    #[error("PostgreSQL did not start: {reason} (log: {})", log.display())]
    Failed {
        /// Its last words.
        reason: String,
        /// Its log.
        log: PathBuf,
    },
}

impl EmbeddedError {
    pub(super) fn io(path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |error| Self::Io { path, error }
    }
}
