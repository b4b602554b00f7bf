//! Finding `postgres` and `initdb` of version 16 or newer. `scripts/setup`
//! looks in the same places.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::error::EmbeddedError;

/// The oldest major version that carries the schema.
const OLDEST: u32 = 16;
/// Where `scripts/setup` unpacks a Postgres that root's own folders would hide.
const SHARED_TOOLS: &str = "/var/lib/koltrix-mail/tools";

/// Server binaries.
#[derive(Clone, Debug)]
pub(super) struct Binaries {
    pub(super) dir: PathBuf,
    pub(super) major: u32,
}

/// The configured folder, else the first place that has them.
pub(super) fn find(configured: &Path) -> Result<Binaries, EmbeddedError> {
    if !configured.as_os_str().is_empty() {
        return match major_version(configured) {
            Some(major) if major >= OLDEST => Ok(Binaries { dir: configured.to_owned(), major }),
            found => Err(EmbeddedError::WrongBinaries {
                dir: configured.to_owned(),
                found: found.map_or("no postgres".into(), |m| format!("PostgreSQL {m}")),
            }),
        };
    }
    let mut old = None;
    for dir in places() {
        match major_version(&dir) {
            Some(major) if major >= OLDEST && reachable(&dir) => {
                return Ok(Binaries { dir, major });
            }
            Some(major) if major < OLDEST => old = Some((major, dir)),
            _ => {}
        }
    }
    let found = old.map_or(String::new(), |(major, dir)| {
        format!(" (only PostgreSQL {major} in {})", dir.display())
    });
    Err(EmbeddedError::NoBinaries { found })
}

fn places() -> Vec<PathBuf> {
    let mut places: Vec<PathBuf> = std::fs::read_dir("/usr/lib/postgresql")
        .map(|entries| entries.flatten().map(|e| e.path().join("bin")).collect())
        .unwrap_or_default();
    places.sort();
    places.reverse();
    places.extend(std::env::var_os("PATH").iter().flat_map(std::env::split_paths));
    let name = format!("postgres-{OLDEST}/bin");
    let here = std::env::current_dir().ok();
    let program = std::env::current_exe().ok();
    let above = here.iter().chain(&program).flat_map(|path| path.ancestors());
    places.extend(above.map(|dir| dir.join(".tools").join(&name)));
    places.push(Path::new(SHARED_TOOLS).join(&name));
    places
}

/// The major version of the `postgres` in `dir`, when `initdb` is there too.
fn major_version(dir: &Path) -> Option<u32> {
    if !dir.join("initdb").is_file() {
        return None;
    }
    let output = Command::new(dir.join("postgres")).arg("--version").output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    parse_version(&text)
}

/// `postgres (PostgreSQL) 16.14`
fn parse_version(text: &str) -> Option<u32> {
    let version = text.split(") ").nth(1)?;
    version.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

/// Root gives Postgres to another user, who must be able to get there.
fn reachable(dir: &Path) -> bool {
    !rustix::process::geteuid().is_root() || super::owner::open_to_all(dir)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read() {
        assert_eq!(parse_version("postgres (PostgreSQL) 16.14\n"), Some(16));
        assert_eq!(parse_version("postgres (PostgreSQL) 18beta1 (Debian 18~1)\n"), Some(18));
        assert_eq!(parse_version("something else"), None);
    }

    #[test]
    fn a_configured_folder_without_postgres_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let error = find(folder.path()).unwrap_err().to_string();
        assert!(error.contains("holds no postgres"), "{error}");
    }
}
