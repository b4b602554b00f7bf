//! The key that seals what is secret at rest, such as DKIM private keys.

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use rand::TryRng;
use rand::rngs::SysRng;

/// Its name in the data directory.
pub const FILE: &str = "master.key";

/// 32 random bytes; never shown.
#[derive(Clone)]
pub struct MasterKey([u8; 32]);

/// Why there is no master key.
#[derive(Debug, thiserror::Error)]
pub enum MasterKeyError {
    /// The environment's key is not 64 hexadecimal digits.
    #[error("KOLTRIX_MASTER_KEY must be 64 hexadecimal digits")]
    Environment,
    /// The file holds something else.
    #[error("{} is not a master key of 32 bytes: restore it from a backup, without it the stored DKIM keys cannot be read", .0.display())]
    Damaged(PathBuf),
    /// The file cannot be read or made.
    #[error("cannot use {}: {}", .0.display(), .1)]
    Io(PathBuf, io::Error),
}

impl MasterKey {
    /// The key from the environment's text, else from `master.key` in the data directory, which is
    /// made (readable by its owner only) when it is not there.
    pub fn load(data_dir: &Path, environment: Option<&str>) -> Result<Self, MasterKeyError> {
        if let Some(text) = environment {
            return from_hex(text.trim()).map(Self).ok_or(MasterKeyError::Environment);
        }
        let path = data_dir.join(FILE);
        let failed = |error| MasterKeyError::Io(path.clone(), error);
        match fs::read(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                make(data_dir, &path).map_err(failed)?;
            }
            _ => {}
        }
        let bytes = fs::read(&path).map_err(failed)?;
        bytes.try_into().map(Self).map_err(|_| MasterKeyError::Damaged(path))
    }

    /// As [`MasterKey::load`], but none is made.
    pub fn find(
        data_dir: &Path,
        environment: Option<&str>,
    ) -> Result<Option<Self>, MasterKeyError> {
        match environment.is_some() || data_dir.join(FILE).exists() {
            true => Self::load(data_dir, environment).map(Some),
            false => Ok(None),
        }
    }

    /// The key itself.
    pub fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MasterKey(hidden)")
    }
}

/// Makes the file whole or not at all: a crash must not leave half a key under the final name, and
/// of two nodes that start at once on a shared folder the first one's key stands.
fn make(data_dir: &Path, path: &Path) -> io::Result<()> {
    let mut key = [0; 32];
    SysRng.try_fill_bytes(&mut key).map_err(io::Error::other)?;
    let draft = data_dir.join(format!("{FILE}.{}", std::process::id()));
    let _ = fs::remove_file(&draft);
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft)?;
    file.write_all(&key)?;
    file.sync_all()?;
    let linked = fs::hard_link(&draft, path);
    fs::remove_file(&draft)?;
    match linked {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(error),
        _ => File::open(data_dir)?.sync_all(),
    }
}

fn from_hex(text: &str) -> Option<[u8; 32]> {
    let digits = text.as_bytes();
    if digits.len() != 64 {
        return None;
    }
    let mut key = [0; 32];
    for (byte, pair) in key.iter_mut().zip(digits.chunks_exact(2)) {
        let [high, low] = pair else { return None };
        let value = char::from(*high).to_digit(16)? * 16 + char::from(*low).to_digit(16)?;
        *byte = u8::try_from(value).ok()?;
    }
    Some(key)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_key_is_made_once_and_kept_private() {
        let dir = tempfile::tempdir().unwrap();
        let first = MasterKey::load(dir.path(), None).unwrap();
        let again = MasterKey::load(dir.path(), None).unwrap();
        assert_eq!(first.bytes(), again.bytes());
        assert_ne!(first.bytes(), &[0; 32]);
        let mode = fs::metadata(dir.path().join(FILE)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
        assert_eq!(format!("{first:?}"), "MasterKey(hidden)");
    }

    #[test]
    fn the_environment_takes_the_place_of_the_file() {
        let dir = tempfile::tempdir().unwrap();
        let key = MasterKey::load(dir.path(), Some(&"0aF1".repeat(16))).unwrap();
        assert_eq!(&key.bytes()[..4], &[0x0a, 0xf1, 0x0a, 0xf1]);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
        for refused in ["", "0a", &"0g".repeat(32), &"é".repeat(32)] {
            let error = MasterKey::load(dir.path(), Some(refused)).unwrap_err();
            assert!(matches!(error, MasterKeyError::Environment), "{refused}");
        }
    }

    #[test]
    fn a_damaged_key_is_refused_and_not_replaced() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join(FILE), b"short").unwrap();
        let error = MasterKey::load(dir.path(), None).unwrap_err();
        assert!(matches!(error, MasterKeyError::Damaged(_)));
        assert_eq!(fs::read(dir.path().join(FILE)).unwrap(), b"short");
    }
}
