//! Skeletons made small (zstd).

/// Little is gained above it, and much time lost.
const LEVEL: i32 = 3;

/// Why stored octets could not be read.
#[derive(Debug, thiserror::Error)]
#[error("compressed octets that cannot be read")]
pub struct SqueezeError(#[from] std::io::Error);

/// Compresses.
pub fn compress(octets: &[u8]) -> Result<Vec<u8>, SqueezeError> {
    Ok(zstd::bulk::compress(octets, LEVEL)?)
}

/// Decompresses what [`compress`] gave, at most `max_len` octets: more is an error, not memory.
pub fn decompress(compressed: &[u8], max_len: usize) -> Result<Vec<u8>, SqueezeError> {
    Ok(zstd::bulk::decompress(compressed, max_len)?)
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
