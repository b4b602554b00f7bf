//! Who runs Postgres: we ourselves, or, when we are root, somebody else.

use std::os::unix::fs::{MetadataExt as _, chown};
use std::path::Path;

use super::error::EmbeddedError;

/// A user that a child is run as.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Owner {
    pub(super) uid: u32,
    pub(super) gid: u32,
}

/// `None` for ourselves; `postgres` or else `nobody` when we are root.
pub(super) fn choose() -> Result<Option<Owner>, EmbeddedError> {
    if !rustix::process::geteuid().is_root() {
        return Ok(None);
    }
    let users = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    let owner = ["postgres", "nobody"].into_iter().find_map(|name| user(&users, name));
    owner.map(Some).ok_or(EmbeddedError::NoUser)
}

/// `name:password:uid:gid:...` (passwd(5)).
fn user(users: &str, name: &str) -> Option<Owner> {
    let line = users.lines().find(|line| line.split(':').next() == Some(name))?;
    let mut numbers = line.split(':').skip(2);
    Some(Owner { uid: numbers.next()?.parse().ok()?, gid: numbers.next()?.parse().ok()? })
}

impl Owner {
    /// Gives a folder that we have just made to this user.
    pub(super) fn take(self, path: &Path) -> Result<(), EmbeddedError> {
        chown(path, Some(self.uid), Some(self.gid)).map_err(EmbeddedError::io(path))
    }
}

/// Whether every user may pass through `dir` and all above it.
pub(super) fn open_to_all(dir: &Path) -> bool {
    let Ok(dir) = dir.canonicalize() else { return false };
    dir.ancestors().all(|dir| dir.metadata().is_ok_and(|m| m.mode() & 0o001 != 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_are_found_by_their_whole_name() {
        let users =
            "root:x:0:0:root:/root:/bin/sh\npostgresql:x:7:7::/:\npostgres:x:101:104:,,,:/:\n";
        assert_eq!(user(users, "postgres"), Some(Owner { uid: 101, gid: 104 }));
        assert_eq!(user(users, "nobody"), None);
    }
}
