//! Objects in a directory: the default of a single machine.

use std::fs::File;
use std::io::{ErrorKind, Read as _, Seek as _, SeekFrom, Write as _};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use bytes::Bytes;

use crate::store::error::Error;
use crate::store::objects::{Found, Page, YOUNG};

/// A directory of objects: written to a temporary file, synced, renamed.
#[derive(Clone, Debug)]
pub struct Dir {
    root: PathBuf,
}

impl Dir {
    /// Opens the directory, making it when it is missing.
    pub fn open(root: &Path) -> Result<Self, Error> {
        std::fs::create_dir_all(root).map_err(|e| io_error(root, &e))?;
        Ok(Self { root: root.to_owned() })
    }

    /// `<tenant>/<ab>/<abcdef...>`: no directory grows to millions of names.
    fn path(&self, key: &str) -> Result<PathBuf, Error> {
        let bad = || Error::Internal(format!("'{key}' is no object key"));
        let (tenant, name) = key.split_once('/').ok_or_else(bad)?;
        let plain =
            |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        let shard = name.get(..2).ok_or_else(bad)?;
        if !plain(tenant) || !plain(name) {
            return Err(bad());
        }
        Ok(self.root.join(tenant).join(shard).join(name))
    }

    pub(super) async fn put(&self, key: &str, content: Bytes) -> Result<(), Error> {
        let path = self.path(key)?;
        blocking(move || put(&path, &content).map_err(|e| io_error(&path, &e))).await
    }

    pub(super) async fn get(&self, key: &str, range: Option<Range<u64>>) -> Result<Bytes, Error> {
        let path = self.path(key)?;
        blocking(move || get(&path, range).map_err(|e| io_error(&path, &e))).await
    }

    pub(super) async fn delete(&self, key: &str) -> Result<(), Error> {
        let path = self.path(key)?;
        blocking(move || match std::fs::remove_file(&path) {
            Err(e) if e.kind() != ErrorKind::NotFound => Err(io_error(&path, &e)),
            _ => Ok(()),
        })
        .await
    }

    /// A page is a shard.
    pub(super) async fn list(&self, owner: &str, page: Option<String>) -> Result<Page, Error> {
        let (folder, owner) = (self.root.join(owner), owner.to_owned());
        blocking(move || list(&folder, &owner, page.as_deref()).map_err(|e| io_error(&folder, &e)))
            .await
    }

    pub(super) async fn rename(&self, from: &str, to: &str) -> Result<(), Error> {
        let (from, to) = (self.path(from)?, self.path(to)?);
        blocking(move || rename(&from, &to).map_err(|e| io_error(&from, &e))).await
    }

    pub(super) async fn ping(&self) -> Result<(), Error> {
        let path = self.root.join(".ping");
        blocking(move || std::fs::write(&path, b"").map_err(|e| io_error(&path, &e))).await
    }
}

fn put(path: &Path, content: &[u8]) -> std::io::Result<()> {
    if let Ok(file) = File::open(path) {
        let metadata = file.metadata()?;
        if metadata.len() == content.len() as u64 {
            if metadata.modified()?.elapsed().unwrap_or_default() > YOUNG {
                file.set_modified(SystemTime::now())?;
            }
            return Ok(());
        }
    }
    let folder = path.parent().ok_or(ErrorKind::InvalidInput)?;
    std::fs::create_dir_all(folder)?;
    let temporary = folder.join(format!(".{}", uuid::Uuid::new_v4()));
    let written = File::create_new(&temporary)
        .and_then(|mut file| file.write_all(content).and_then(|()| file.sync_all()))
        .and_then(|()| std::fs::rename(&temporary, path));
    if written.is_err() {
        let _ = std::fs::remove_file(&temporary);
    }
    written?;
    // The names are durable only once their directories are.
    sync_upwards(folder)
}

/// Syncs the shard, the tenant's directory and the root.
fn sync_upwards(folder: &Path) -> std::io::Result<()> {
    folder.ancestors().take(3).try_for_each(|dir| File::open(dir)?.sync_all())
}

/// What is in a folder, sorted; nothing in one that is not there.
fn names(folder: &Path) -> std::io::Result<Vec<String>> {
    let entries = match std::fs::read_dir(folder) {
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut names: Vec<String> = entries
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| !name.starts_with('.'))
        .collect();
    names.sort_unstable();
    Ok(names)
}

fn list(folder: &Path, owner: &str, page: Option<&str>) -> std::io::Result<Page> {
    let shards = names(folder)?;
    let mut shards = shards.into_iter().skip_while(|shard| Some(shard.as_str()) < page);
    let Some(shard) = shards.next() else { return Ok(Page::default()) };
    let folder = folder.join(shard);
    let mut found = Vec::new();
    for name in names(&folder)? {
        match std::fs::metadata(folder.join(&name)).and_then(|metadata| metadata.modified()) {
            Ok(modified) => found.push(Found { key: format!("{owner}/{name}"), modified }),
            // Another node's sweep has it.
            Err(e) if e.kind() == ErrorKind::NotFound => {}
            Err(e) => return Err(e),
        }
    }
    Ok(Page { found, next: shards.next() })
}

/// What is moved is young: its time counts from here.
fn rename(from: &Path, to: &Path) -> std::io::Result<()> {
    File::open(from)?.set_modified(SystemTime::now())?;
    let folder = to.parent().ok_or(ErrorKind::InvalidInput)?;
    std::fs::create_dir_all(folder)?;
    std::fs::rename(from, to)?;
    sync_upwards(folder)
}

fn get(path: &Path, range: Option<Range<u64>>) -> std::io::Result<Bytes> {
    let mut file = File::open(path)?;
    let range = match range {
        Some(range) => range,
        None => 0..file.metadata()?.len(),
    };
    file.seek(SeekFrom::Start(range.start))?;
    let length = usize::try_from(range.end.saturating_sub(range.start)).unwrap_or(usize::MAX);
    let mut content = vec![0; length];
    file.read_exact(&mut content)?;
    Ok(content.into())
}

fn io_error(path: &Path, error: &std::io::Error) -> Error {
    match error.kind() {
        ErrorKind::NotFound => Error::NotFound,
        ErrorKind::UnexpectedEof => Error::Corrupt(format!("{} is too short", path.display())),
        _ => Error::Objects(format!("{}: {error}", path.display())),
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    tokio::task::spawn_blocking(work)
        .await
        .unwrap_or_else(|e| Err(Error::Internal(format!("object task: {e}"))))
}
