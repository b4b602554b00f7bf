//! A message while it is being received: small ones in memory, large ones in a file.

use aws_lc_rs::digest::{Context, Digest, SHA256};
use bytes::Bytes;

use crate::mail::Error;
use crate::mail::spool::{IN_MEMORY, Spool, Spooled};

/// Octets received so far, and their SHA-256.
pub struct Incoming {
    /// Taken while a blocking thread writes to it, and gone after that failed.
    octets: Option<Spooled>,
    len: u64,
    digest: Context,
}

impl Incoming {
    /// Nothing received yet.
    pub fn new(spool: &Spool) -> Self {
        Self { octets: Some(spool.empty()), len: 0, digest: Context::new(&SHA256) }
    }

    /// Octets received.
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Octets of it that are in memory at most.
    pub fn held(&self) -> u64 {
        self.len.min(IN_MEMORY as u64)
    }

    /// Whether nothing has been received.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Adds `piece`.
    ///
    /// # Errors
    /// [`Error::Temporary`] when the disk takes no more.
    pub async fn write(&mut self, piece: &[u8]) -> Result<(), Error> {
        self.digest.update(piece);
        self.len += piece.len() as u64;
        let mut octets = self.octets.take().ok_or_else(lost)?;
        let written = if octets.has_room(piece) {
            octets.push(piece).map(|()| octets)
        } else {
            let piece = piece.to_vec();
            blocking(move || octets.push(&piece).map(|()| octets)).await?
        };
        self.octets = Some(written.map_err(|e| spool_error(&e))?);
        Ok(())
    }

    /// All octets, and the SHA-256 of them.
    ///
    /// # Errors
    /// [`Error::Temporary`] when the disk takes no more.
    pub async fn finish(self) -> Result<(Bytes, Digest), Error> {
        let octets = self.octets.ok_or_else(lost)?;
        let bytes = if octets.has_room(b"") {
            octets.finish()
        } else {
            blocking(move || octets.finish()).await?
        };
        Ok((bytes.map_err(|e| spool_error(&e))?, self.digest.finish()))
    }
}

fn lost() -> Error {
    Error::Temporary("the spool file is lost".into())
}

fn spool_error(error: &std::io::Error) -> Error {
    Error::Temporary(format!("spool file: {error}"))
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Error> {
    tokio::task::spawn_blocking(work).await.map_err(|e| Error::Internal(format!("spool task: {e}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_goes_in_comes_out_with_its_digest() {
        let folder = tempfile::tempdir().unwrap();
        let mut incoming = Incoming::new(&Spool::new(folder.path().to_owned()));
        let mut expected = Vec::new();
        for n in 0..1000u32 {
            let piece = n.to_be_bytes().repeat(300);
            incoming.write(&piece).await.unwrap();
            expected.extend_from_slice(&piece);
        }
        assert_eq!(incoming.len(), 1_200_000);
        let (bytes, digest) = incoming.finish().await.unwrap();
        assert!(bytes == expected);
        let whole = aws_lc_rs::digest::digest(&SHA256, &expected);
        assert_eq!(digest.as_ref(), whole.as_ref());
    }

    #[tokio::test]
    async fn a_disk_that_takes_nothing_is_no_panic() {
        let mut incoming = Incoming::new(&Spool::new("/dev/null/spool".into()));
        let large = vec![b'x'; 1 << 20];
        assert!(matches!(incoming.write(&large).await, Err(Error::Temporary(_))));
        assert!(matches!(incoming.write(b"x").await, Err(Error::Temporary(_))));
        assert!(matches!(incoming.finish().await, Err(Error::Temporary(_))));
    }
}
