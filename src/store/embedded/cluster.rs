//! The cluster's files: where they are and what they say.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::ErrorKind;
use std::os::fd::AsRawFd;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use super::EmbeddedError;

/// The longest path of a Unix socket, less the name of the socket in its folder.
const LONGEST_SOCKET_DIR: usize = 107 - "/.s.PGSQL.5432".len();

/// A cluster's place; whether it exists yet is another matter.
#[derive(Debug, Clone)]
pub(super) struct Cluster {
    /// The data directory, absolute and without links.
    data_dir: PathBuf,
    dir: PathBuf,
}

impl Cluster {
    /// The cluster of a data directory that exists.
    pub(super) fn at(data_dir: &Path) -> Result<Self, EmbeddedError> {
        let data_dir = data_dir.canonicalize().map_err(EmbeddedError::io(data_dir))?;
        Ok(Self { dir: data_dir.join("postgres"), data_dir })
    }

    /// PostgreSQL's own folder.
    pub(super) fn dir(&self) -> &Path {
        &self.dir
    }

    /// Where a new cluster is made; it gets its name when it is whole.
    pub(super) fn draft(&self) -> PathBuf {
        self.data_dir.join("postgres.new")
    }

    /// Where PostgreSQL's words go.
    pub(super) fn log_path(&self) -> PathBuf {
        self.data_dir.join("postgres.log")
    }

    /// PostgreSQL's lock file, which tells the process and its state.
    pub(super) fn pid_path(&self) -> PathBuf {
        self.dir.join("postmaster.pid")
    }

    pub(super) fn exists(&self) -> bool {
        self.dir.exists()
    }

    /// The cluster's folder and major version, where there is one.
    pub(super) fn version(&self) -> Result<Option<(PathBuf, u32)>, EmbeddedError> {
        if !self.exists() {
            return Ok(None);
        }
        let path = self.dir.join("PG_VERSION");
        match fs::read_to_string(&path) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                Err(EmbeddedError::Io { path, error })
            }
            text => text
                .ok()
                .and_then(|text| text.trim().parse().ok())
                .map(|major| Some((self.dir.clone(), major)))
                .ok_or_else(|| EmbeddedError::NotACluster(self.dir.clone())),
        }
    }

    /// Whether PostgreSQL says that it takes connections: the eighth line of its lock file.
    pub(super) fn is_ready(&self) -> bool {
        fs::read_to_string(self.pid_path())
            .is_ok_and(|text| text.lines().nth(7).is_some_and(|state| state.trim() == "ready"))
    }

    /// The right to run the cluster, for as long as the file is open: the system takes it back from
    /// a killed process.
    pub(super) fn lock(&self) -> Result<File, EmbeddedError> {
        let path = self.data_dir.join("postgres.lock");
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&path)
            .map_err(EmbeddedError::io(&path))?;
        match file.try_lock() {
            Ok(()) => Ok(file),
            Err(TryLockError::WouldBlock) => {
                Err(EmbeddedError::Taken { dir: self.data_dir.clone() })
            }
            Err(TryLockError::Error(error)) => Err(EmbeddedError::Io { path, error }),
        }
    }

    /// The folder of the socket as this process can name it, and what has to stay open meanwhile.
    ///
    /// The socket lies in the cluster's folder. A path too long for a socket's address is replaced
    /// by that of an open descriptor, which is always short.
    pub(super) fn socket_dir(&self) -> Result<(String, Option<File>), EmbeddedError> {
        match self.dir.to_str() {
            Some(path) if path.len() <= LONGEST_SOCKET_DIR => Ok((path.to_owned(), None)),
            _ => {
                let dir = File::open(&self.dir).map_err(EmbeddedError::io(&self.dir))?;
                Ok((descriptor_path(&dir), Some(dir)))
            }
        }
    }
}

/// A path that leads to an open file for this process and those that inherit the descriptor,
/// whatever the permissions above the file.
pub(super) fn descriptor_path(file: &File) -> String {
    format!("/proc/self/fd/{}", file.as_raw_fd())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_server_at_a_time() {
        let dir = tempfile::tempdir().unwrap();
        let cluster = Cluster::at(dir.path()).unwrap();
        let held = cluster.lock().unwrap();
        assert!(matches!(cluster.lock(), Err(EmbeddedError::Taken { .. })));
        drop(held);
        cluster.lock().unwrap();
    }

    #[test]
    fn a_folder_that_is_no_cluster_is_told() {
        let dir = tempfile::tempdir().unwrap();
        let cluster = Cluster::at(dir.path()).unwrap();
        assert!(cluster.version().unwrap().is_none());
        fs::create_dir(cluster.dir()).unwrap();
        assert!(matches!(cluster.version(), Err(EmbeddedError::NotACluster(_))));
        fs::write(cluster.dir().join("PG_VERSION"), "16\n").unwrap();
        assert_eq!(cluster.version().unwrap().unwrap().1, 16);
    }

    #[test]
    fn readiness_is_read_from_the_lock_file() {
        let dir = tempfile::tempdir().unwrap();
        let cluster = Cluster::at(dir.path()).unwrap();
        fs::create_dir(cluster.dir()).unwrap();
        assert!(!cluster.is_ready());
        for (state, ready) in [("starting", false), ("ready   ", true), ("stopping", false)] {
            fs::write(cluster.pid_path(), format!("1\n/d\n1\n5432\n.\n\n 1 2\n{state}\n")).unwrap();
            assert_eq!(cluster.is_ready(), ready, "{state}");
        }
    }
}
