//! Octets too many to be held in memory: they lie in files without a name and
//! are read through a map of the file.
//!
//! A map is memory of the system's file cache, which takes it back when it
//! needs it: a large message costs a session its buffers and no more. Nobody
//! else can open such a file, so nothing changes under the map, and no crash
//! leaves one behind.

use std::fs::File;
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;
use mmap_io::{MemoryMappedFile, MmapMode};

/// Octets held in memory before a file is used.
pub(in crate::mail) const IN_MEMORY: usize = 256 * 1024;

/// The folder that such files are made in. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Spool {
    folder: Arc<PathBuf>,
}

/// Octets that come a piece at a time: in memory while they are few.
///
/// Blocks on the disk; callers on the runtime write from a blocking thread.
pub struct Spooled {
    spool: Spool,
    memory: Vec<u8>,
    file: Option<File>,
    written: u64,
}

impl Spool {
    /// Files go to `folder`, which is made when it is missing.
    pub fn new(folder: PathBuf) -> Self {
        Self { folder: Arc::new(folder) }
    }

    /// Nothing yet.
    pub fn empty(&self) -> Spooled {
        Spooled { spool: self.clone(), memory: Vec::new(), file: None, written: 0 }
    }

    /// `front` and then `back`.
    ///
    /// # Errors
    /// When the disk takes no more.
    pub fn join(&self, front: &[u8], back: &[u8]) -> io::Result<Bytes> {
        if front.len() + back.len() < IN_MEMORY {
            return Ok([front, back].concat().into());
        }
        let mut joined = self.empty();
        joined.push(front)?;
        for piece in back.chunks(IN_MEMORY) {
            joined.push(piece)?;
        }
        joined.finish()
    }

    /// Free octets where the files lie.
    ///
    /// # Errors
    /// When the folder cannot be made or asked.
    pub fn free_space(&self) -> io::Result<u64> {
        std::fs::create_dir_all(&*self.folder)?;
        let stat = rustix::fs::statvfs(&*self.folder)?;
        Ok(stat.f_bavail.saturating_mul(stat.f_frsize))
    }

    fn file(&self) -> io::Result<File> {
        std::fs::create_dir_all(&*self.folder)?;
        let path = self.folder.join(uuid::Uuid::new_v4().to_string());
        let file = File::options().read(true).write(true).create_new(true).open(&path)?;
        std::fs::remove_file(&path)?;
        Ok(file)
    }
}

impl Spooled {
    /// Octets so far.
    pub fn len(&self) -> u64 {
        self.written + self.memory.len() as u64
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether the next piece is only remembered, so that adding it does not block.
    pub fn has_room(&self, piece: &[u8]) -> bool {
        self.memory.len() + piece.len() < IN_MEMORY
    }

    /// Adds `piece`.
    ///
    /// # Errors
    /// When the disk takes no more.
    pub fn push(&mut self, piece: &[u8]) -> io::Result<()> {
        self.memory.extend_from_slice(piece);
        if self.memory.len() < IN_MEMORY {
            return Ok(());
        }
        self.spill()
    }

    fn spill(&mut self) -> io::Result<()> {
        let file = match &mut self.file {
            Some(file) => file,
            None => self.file.insert(self.spool.file()?),
        };
        file.write_all(&self.memory)?;
        self.written += self.memory.len() as u64;
        self.memory.clear();
        Ok(())
    }

    /// All of them, in memory or as a map.
    ///
    /// # Errors
    /// When the disk takes no more, or the system maps no more files.
    pub fn finish(mut self) -> io::Result<Bytes> {
        if self.file.is_some() && !self.memory.is_empty() {
            self.spill()?;
        }
        match self.file {
            None => Ok(self.memory.into()),
            Some(file) => Mapped::new(file).map(Bytes::from_owner),
        }
    }
}

/// A file read as memory.
struct Mapped(MemoryMappedFile);

impl Mapped {
    fn new(file: File) -> io::Result<Self> {
        let len = file.metadata()?.len();
        let map =
            MemoryMappedFile::from_file(file, MmapMode::ReadOnly, "").map_err(io::Error::other)?;
        // Asked once here, so that it cannot fail later.
        map.as_slice_bytes(0, len).map_err(io::Error::other)?;
        Ok(Self(map))
    }
}

impl AsRef<[u8]> for Mapped {
    fn as_ref(&self) -> &[u8] {
        self.0.as_slice_bytes(0, self.0.len()).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(count: u32) -> Vec<u8> {
        (0..count).flat_map(u32::to_be_bytes).collect()
    }

    #[test]
    fn what_goes_in_comes_out_and_leaves_no_file() {
        let folder = tempfile::tempdir().unwrap();
        let spool = Spool::new(folder.path().to_owned());
        for count in [0, 1, 60_000, 65_536, 300_000] {
            let expected = numbers(count);
            let mut spooled = spool.empty();
            for piece in expected.chunks(1000) {
                spooled.push(piece).unwrap();
            }
            assert_eq!(spooled.len(), expected.len() as u64);
            let finished = spooled.finish().unwrap();
            assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
            assert!(finished == expected, "{count}");
            // A part of it outlives the rest.
            let tail = finished.slice(finished.len() / 2..);
            drop(finished);
            assert!(tail == expected[expected.len() / 2..]);
        }
    }

    #[test]
    fn a_front_goes_before_little_and_much() {
        let folder = tempfile::tempdir().unwrap();
        let spool = Spool::new(folder.path().to_owned());
        for count in [0, 10, 300_000] {
            let joined = spool.join(b"front", &numbers(count)).unwrap();
            assert!(joined == [b"front".as_slice(), &numbers(count)].concat());
        }
    }
}
