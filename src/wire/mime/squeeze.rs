//! Skeletons made small (zstd).

use std::io;
use std::sync::{Mutex, PoisonError};

use zstd::bulk::{Compressor, Decompressor};

/// Little is gained above it, and much time lost.
const LEVEL: i32 = 3;

/// Why stored octets could not be read.
#[derive(Debug, thiserror::Error)]
#[error("compressed octets that cannot be read")]
pub struct SqueezeError(#[from] std::io::Error);

/// What (de)compresses takes longer to make than to use on a small message:
/// a few are kept.
struct Kept<T>(Mutex<Vec<T>>);

/// Of each kind; a small message needs some hundred kilobytes of it.
const MAX_KEPT: usize = 8;
/// Octets up to which it stays small.
const SMALL: usize = 128 * 1024;

static COMPRESSORS: Kept<Compressor<'static>> = Kept(Mutex::new(Vec::new()));
static DECOMPRESSORS: Kept<Decompressor<'static>> = Kept(Mutex::new(Vec::new()));

impl<T> Kept<T> {
    fn with<R>(
        &self,
        make: impl FnOnce() -> io::Result<T>,
        work: impl FnOnce(&mut T) -> io::Result<R>,
    ) -> io::Result<R> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut one = kept.map_or_else(make, Ok)?;
        // One that failed is not asked again.
        let done = work(&mut one)?;
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() < MAX_KEPT {
            all.push(one);
        }
        Ok(done)
    }
}

/// Compresses.
pub fn compress(octets: &[u8]) -> Result<Vec<u8>, SqueezeError> {
    if octets.len() > SMALL {
        return Ok(zstd::bulk::compress(octets, LEVEL)?);
    }
    Ok(COMPRESSORS.with(|| Compressor::new(LEVEL), |one| one.compress(octets))?)
}

/// Decompresses what [`compress`] gave, at most `max_len` octets: more is an error, not memory.
pub fn decompress(compressed: &[u8], max_len: usize) -> Result<Vec<u8>, SqueezeError> {
    if max_len > SMALL {
        return Ok(zstd::bulk::decompress(compressed, max_len)?);
    }
    Ok(DECOMPRESSORS.with(Decompressor::new, |one| one.decompress(compressed, max_len))?)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_squeezed_comes_back(octets in prop::collection::vec(any::<u8>(), 0..2000)) {
            let squeezed = compress(&octets).unwrap();
            prop_assert_eq!(decompress(&squeezed, octets.len()).unwrap(), octets);
        }

        #[test]
        fn anything_else_is_an_error_or_bounded(octets in prop::collection::vec(any::<u8>(), 0..200)) {
            prop_assert!(decompress(&octets, 1000).map_or(true, |out| out.len() <= 1000));
        }
    }

    #[test]
    fn a_bomb_does_not_go_off() {
        let bomb = compress(&vec![0; 10_000_000]).unwrap();
        assert!(bomb.len() < 2000);
        assert!(decompress(&bomb, 9_999_999).is_err());
    }
}
