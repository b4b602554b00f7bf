//! The search for PostgreSQL's programs, in the places where `scripts/setup-postgres` looks and
//! puts them.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::EmbeddedError;
use super::account::Account;

/// The oldest major version that carries the schema.
const OLDEST: u32 = 16;
/// Where Debian and Ubuntu install every major version, each in a folder of its own.
const SYSTEM: &str = "/usr/lib/postgresql";
/// What `scripts/setup` unpacks, below a checkout or, for root, below the second place.
const UNPACKED: &str = ".tools/postgres-16/bin";
const UNPACKED_SHARED: &str = "/var/lib/koltrix-mail/tools/postgres-16/bin";

/// A folder of programs that can be run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Binaries {
    pub(super) dir: PathBuf,
    pub(super) version: String,
    pub(super) major: u32,
}

/// The first PostgreSQL that is new enough, can be run by the account, and is of the cluster's major
/// version where there is a cluster.
pub(super) fn find(
    configured: &Path,
    account: Option<&Account>,
    cluster: Option<(PathBuf, u32)>,
) -> Result<Binaries, EmbeddedError> {
    if configured.as_os_str().is_empty() {
        first_of(places(), account, cluster)
    } else {
        first_of(vec![configured.to_owned()], account, cluster).map_err(|error| match error {
            EmbeddedError::NoPostgres => EmbeddedError::NotBinaries(configured.to_owned()),
            other => other,
        })
    }
}

fn first_of(
    candidates: Vec<PathBuf>,
    account: Option<&Account>,
    cluster: Option<(PathBuf, u32)>,
) -> Result<Binaries, EmbeddedError> {
    let mut refused: Option<Binaries> = None;
    for dir in candidates {
        let Some(found) = inspect(&dir, account) else { continue };
        let fits = cluster.as_ref().is_none_or(|(_, major)| *major == found.major);
        if found.major >= OLDEST && fits {
            return Ok(found);
        }
        // The newest of the unusable ones is the one to speak of.
        if refused.as_ref().is_none_or(|other| other.major < found.major) {
            refused = Some(found);
        }
    }
    Err(match (refused, cluster) {
        (Some(found), Some((dir, cluster))) if found.major >= OLDEST => {
            EmbeddedError::OtherMajor { dir, cluster, found: found.version }
        }
        (Some(found), _) => EmbeddedError::TooOld { version: found.version, dir: found.dir },
        (None, _) => EmbeddedError::NoPostgres,
    })
}

/// Everywhere to look, best first.
fn places() -> Vec<PathBuf> {
    let mut places = system_versions(Path::new(SYSTEM));
    if let Some(path) = env::var_os("PATH") {
        places.extend(env::split_paths(&path));
    }
    let checkout = env::current_dir().ok();
    let program = env::current_exe().ok();
    let above = program.iter().flat_map(|program| program.ancestors().skip(1));
    let roots = checkout.iter().map(PathBuf::as_path).chain(above);
    places.extend(roots.map(|root| root.join(UNPACKED)));
    places.push(UNPACKED_SHARED.into());
    places
}

/// The versions below the system's folder, newest first.
fn system_versions(root: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(root).into_iter().flatten().flatten();
    let mut versions: Vec<(u32, PathBuf)> = entries
        .filter_map(|entry| {
            let major = entry.file_name().to_str()?.parse().ok()?;
            Some((major, entry.path().join("bin")))
        })
        .collect();
    versions.sort_by_key(|(major, _)| std::cmp::Reverse(*major));
    versions.into_iter().map(|(_, dir)| dir).collect()
}

/// What a folder holds, asked as the account that is to run it: a path that is closed to it shows
/// here and not later.
fn inspect(dir: &Path, account: Option<&Account>) -> Option<Binaries> {
    let dir = dir.canonicalize().ok()?;
    if !dir.join("initdb").is_file() {
        return None;
    }
    let mut command = Command::new(dir.join("postgres"));
    command.arg("--version").env_clear().current_dir("/");
    if let Some(account) = account {
        account.apply(&mut command);
    }
    let output = command.output().ok().filter(|output| output.status.success())?;
    let version = version(std::str::from_utf8(&output.stdout).ok()?)?.to_owned();
    let major = version.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()?;
    Some(Binaries { dir, version, major })
}

/// The number in `postgres (PostgreSQL) 16.14 (Debian 16.14-1)`.
fn version(text: &str) -> Option<&str> {
    let number = text.strip_prefix("postgres (PostgreSQL) ")?.split_whitespace().next()?;
    number.starts_with(|c: char| c.is_ascii_digit()).then_some(number)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    /// A folder with an `initdb` and a `postgres` that only tells a version.
    fn fake(version: &str) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        for name in ["initdb", "postgres"] {
            let path = dir.path().join(name);
            fs::write(&path, format!("#!/bin/sh\necho 'postgres (PostgreSQL) {version}'\n"))
                .unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        }
        dir
    }

    #[test]
    fn versions_are_read() {
        assert_eq!(version("postgres (PostgreSQL) 16.14\n"), Some("16.14"));
        assert_eq!(version("postgres (PostgreSQL) 17.2 (Debian 17.2-1)\n"), Some("17.2"));
        assert_eq!(version("postgres (PostgreSQL) 18beta1\n"), Some("18beta1"));
        for none in
            ["", "psql (PostgreSQL) 16.1", "postgres (PostgreSQL) ", "postgres (PostgreSQL) x"]
        {
            assert_eq!(version(none), None, "{none}");
        }
    }

    #[test]
    fn one_that_is_too_old_is_named() {
        let dir = fake("15.18 (Debian 15.18-0+deb12u1)");
        let text = find(dir.path(), None, None).unwrap_err().to_string();
        let start =
            format!("found PostgreSQL 15.18 in {}; 16 or newer is needed:", dir.path().display());
        assert!(text.starts_with(&start), "{text}");
    }

    #[test]
    fn new_ones_are_taken_and_a_cluster_keeps_its_major_version() {
        let dir = fake("17.5");
        let found = find(dir.path(), None, None).unwrap();
        assert_eq!((found.version.as_str(), found.major), ("17.5", 17));
        let cluster = |major| Some((PathBuf::from("/d/postgres"), major));
        assert_eq!(find(dir.path(), None, cluster(17)).unwrap(), found);
        let text = find(dir.path(), None, cluster(16)).unwrap_err().to_string();
        assert_eq!(
            text,
            "/d/postgres was made by PostgreSQL 16, which was not found (only 17.5): install postgresql-16, or dump and restore it"
        );
    }

    #[test]
    fn of_several_the_clusters_own_is_taken() {
        let dirs = [fake("18.1"), fake("15.9"), fake("17.5"), fake("16.3")];
        let major = |cluster: Option<u32>| {
            let candidates = dirs.iter().map(|dir| dir.path().to_owned()).collect();
            let cluster = cluster.map(|major| (PathBuf::from("/d/postgres"), major));
            first_of(candidates, None, cluster).map(|found| found.major)
        };
        assert_eq!(major(None).unwrap(), 18);
        assert_eq!(major(Some(16)).unwrap(), 16);
        assert_eq!(major(Some(17)).unwrap(), 17);
        assert!(matches!(major(Some(19)), Err(EmbeddedError::OtherMajor { .. })));
    }

    #[test]
    fn a_configured_folder_without_programs_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let error = find(dir.path(), None, None).unwrap_err();
        assert!(matches!(error, EmbeddedError::NotBinaries(_)), "{error}");
    }

    #[test]
    fn the_newest_system_version_comes_first() {
        let root = tempfile::tempdir().unwrap();
        for name in ["9.6", "15", "16", "18", "common"] {
            fs::create_dir(root.path().join(name)).unwrap();
        }
        let order: Vec<PathBuf> =
            ["18", "16", "15"].iter().map(|v| root.path().join(v).join("bin")).collect();
        assert_eq!(system_versions(root.path()), order);
    }
}
