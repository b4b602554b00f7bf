//! A message while it is being received: small ones in memory, large ones in a file.

use std::path::PathBuf;
use std::sync::Arc;

use aws_lc_rs::digest::{Context, Digest, SHA256};
use tokio::fs::File;
use tokio::io::{AsyncReadExt as _, AsyncSeekExt as _, AsyncWriteExt as _};

use crate::mail::Error;

/// Octets held in memory before a file is used.
const IN_MEMORY: usize = 256 * 1024;

/// Octets received so far, and their SHA-256.
///
/// The file has no name: it is unlinked as soon as it is open, so that no
/// crash leaves one behind.
pub struct Incoming {
    folder: Arc<PathBuf>,
    memory: Vec<u8>,
    file: Option<File>,
    spooled: u64,
    digest: Context,
}

impl Incoming {
    /// Nothing received yet; files would go to `folder`.
    pub fn new(folder: Arc<PathBuf>) -> Self {
        Self { folder, memory: Vec::new(), file: None, spooled: 0, digest: Context::new(&SHA256) }
    }

    /// Octets received.
    pub fn len(&self) -> u64 {
        self.spooled + self.memory.len() as u64
    }

    /// Whether nothing has been received.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Adds `piece`.
    ///
    /// # Errors
    /// [`Error::Temporary`] when the disk takes no more.
    pub async fn write(&mut self, piece: &[u8]) -> Result<(), Error> {
        self.digest.update(piece);
        self.memory.extend_from_slice(piece);
        if self.memory.len() >= IN_MEMORY {
            self.spill().await.map_err(|e| Error::Temporary(format!("spool file: {e}")))?;
        }
        Ok(())
    }

    async fn spill(&mut self) -> std::io::Result<()> {
        let file = match &mut self.file {
            Some(file) => file,
            None => self.file.insert(open_unnamed(&self.folder).await?),
        };
        file.write_all(&self.memory).await?;
        self.spooled += self.memory.len() as u64;
        self.memory.clear();
        Ok(())
    }

    /// All octets after `prefix`, and the SHA-256 of what was received.
    pub async fn into_bytes(self, prefix: &[u8]) -> Result<(Vec<u8>, Digest), Error> {
        let size = usize::try_from(self.len()).unwrap_or(usize::MAX);
        let mut bytes = Vec::with_capacity(prefix.len() + size);
        bytes.extend_from_slice(prefix);
        if let Some(mut file) = self.file {
            let read = async {
                file.flush().await?;
                file.rewind().await?;
                file.read_to_end(&mut bytes).await
            };
            read.await.map_err(|e| Error::Temporary(format!("spool file: {e}")))?;
        }
        bytes.extend_from_slice(&self.memory);
        Ok((bytes, self.digest.finish()))
    }
}

async fn open_unnamed(folder: &std::path::Path) -> std::io::Result<File> {
    tokio::fs::create_dir_all(folder).await?;
    let path = folder.join(uuid::Uuid::new_v4().to_string());
    let file = File::options().read(true).write(true).create_new(true).open(&path).await?;
    tokio::fs::remove_file(&path).await?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_goes_in_comes_out_and_leaves_no_file() {
        let folder = tempfile::tempdir().unwrap();
        let mut incoming = Incoming::new(Arc::new(folder.path().to_owned()));
        let mut expected = b"prefix".to_vec();
        for n in 0..1000u32 {
            let piece = n.to_be_bytes().repeat(300);
            incoming.write(&piece).await.unwrap();
            expected.extend_from_slice(&piece);
        }
        assert_eq!(incoming.len(), 1_200_000);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
        let (bytes, digest) = incoming.into_bytes(b"prefix").await.unwrap();
        assert!(bytes == expected);
        let whole = aws_lc_rs::digest::digest(&SHA256, &expected[6..]);
        assert_eq!(digest.as_ref(), whole.as_ref());
    }
}
