//! What reports are packed with: gzip (RFC 1952), or a ZIP archive with one file, and never more
//! out of it than a report can be.

use std::io::{Read, Write as _};

use flate2::read::{DeflateDecoder, GzDecoder};
use flate2::write::GzEncoder;
use flate2::{Compression, Crc};

/// Octets of an unpacked report at most.
pub const MAX_UNPACKED: u64 = 20 * 1024 * 1024;
/// Octets that may come out of anything.
const ALWAYS: u64 = 1024 * 1024;
/// Octets that may come out for each one that went in, beyond that.
const RATIO: u64 = 200;
/// Octets of a local file header without the name (APPNOTE 4.3.7).
const LOCAL_HEADER: usize = 30;

/// Why something cannot be unpacked.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum UnpackError {
    /// More would come out than a report can be.
    #[error("it unpacks to more than a report")]
    TooMuch,
    /// It ends too soon, or is not what it says.
    #[error("it is damaged")]
    Damaged,
    /// An archive with something else in it than one compressed file.
    #[error("an archive of another kind")]
    Unsupported,
}

/// Unpacks gzip and ZIP, known by their first octets; anything else is as it is.
///
/// # Errors
/// See [`UnpackError`].
pub fn unpack(octets: &[u8]) -> Result<Vec<u8>, UnpackError> {
    let most = MAX_UNPACKED.min(ALWAYS.max((octets.len() as u64).saturating_mul(RATIO)));
    if octets.starts_with(&[0x1f, 0x8b]) {
        return bounded(GzDecoder::new(octets), most);
    }
    if octets.starts_with(b"PK\x03\x04") {
        return first_file(octets, most);
    }
    if octets.len() as u64 > most { Err(UnpackError::TooMuch) } else { Ok(octets.to_vec()) }
}

fn bounded(from: impl Read, most: u64) -> Result<Vec<u8>, UnpackError> {
    let mut out = Vec::new();
    from.take(most + 1).read_to_end(&mut out).map_err(|_| UnpackError::Damaged)?;
    if out.len() as u64 > most { Err(UnpackError::TooMuch) } else { Ok(out) }
}

/// The first file of an archive, which is the only one of a report's. It is read by the header
/// before it, since sizes that come behind the file are not needed: deflate ends by itself.
fn first_file(zip: &[u8], most: u64) -> Result<Vec<u8>, UnpackError> {
    let word = |at: usize| {
        let octets = zip.get(at..at + 2).and_then(|two| two.try_into().ok());
        octets.map(u16::from_le_bytes).ok_or(UnpackError::Damaged)
    };
    let long =
        |at: usize| Ok::<u32, UnpackError>(u32::from(word(at)?) | u32::from(word(at + 2)?) << 16);
    let (flags, method) = (word(6)?, word(8)?);
    let (crc, packed) = (long(14)?, long(18)?);
    let start = LOCAL_HEADER + usize::from(word(26)?) + usize::from(word(28)?);
    let file = zip.get(start..).ok_or(UnpackError::Damaged)?;
    let (is_encrypted, size_follows) = (flags & 1 != 0, flags & 8 != 0);
    let out = match method {
        _ if is_encrypted => return Err(UnpackError::Unsupported),
        8 => bounded(DeflateDecoder::new(file), most)?,
        0 if !size_follows => {
            let packed = usize::try_from(packed).map_err(|_| UnpackError::TooMuch)?;
            bounded(file.get(..packed).ok_or(UnpackError::Damaged)?, most)?
        }
        _ => return Err(UnpackError::Unsupported),
    };
    let mut sum = Crc::new();
    sum.update(&out);
    if size_follows || sum.sum() == crc { Ok(out) } else { Err(UnpackError::Damaged) }
}

/// Packs with gzip.
///
/// # Errors
/// None that memory could cause; the writer's own are passed on.
pub fn pack(octets: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
    gzip.write_all(octets)?;
    gzip.finish()
}

#[cfg(test)]
pub(crate) mod tests {
    use flate2::write::DeflateEncoder;
    use proptest::prelude::*;

    use super::*;

    /// An archive with one file, as Python's zipfile writes them, without the directory behind it.
    pub(crate) fn zip(name: &str, content: &[u8], flags: u16) -> Vec<u8> {
        let mut deflate = DeflateEncoder::new(Vec::new(), Compression::default());
        deflate.write_all(content).unwrap();
        let packed = deflate.finish().unwrap();
        let mut sum = Crc::new();
        sum.update(content);
        let mut zip = b"PK\x03\x04\x14\x00".to_vec();
        zip.extend(flags.to_le_bytes());
        zip.extend(8_u16.to_le_bytes());
        zip.extend([0; 4]);
        let follow = flags & 8 != 0;
        let size = |size: usize| if follow { 0 } else { u32::try_from(size).unwrap() };
        zip.extend(if follow { 0 } else { sum.sum() }.to_le_bytes());
        zip.extend(size(packed.len()).to_le_bytes());
        zip.extend(size(content.len()).to_le_bytes());
        zip.extend(u16::try_from(name.len()).unwrap().to_le_bytes());
        zip.extend([0; 2]);
        zip.extend(name.as_bytes());
        zip.extend(packed);
        zip.extend(b"PK\x01\x02 a directory that nobody reads");
        zip
    }

    #[test]
    fn gzip_zip_and_plain() {
        let report = b"<feedback/>".repeat(50);
        assert_eq!(unpack(&pack(&report).unwrap()).unwrap(), report);
        assert_eq!(unpack(&zip("a!b!1!2.xml", &report, 0)).unwrap(), report);
        assert_eq!(unpack(&zip("a!b!1!2.xml", &report, 8)).unwrap(), report);
        assert_eq!(unpack(&report).unwrap(), report);
    }

    #[test]
    fn damage_and_riddles_are_refused() {
        let whole = zip("x", b"<feedback/>", 0);
        let mut wrong = whole.clone();
        wrong[14] ^= 1;
        assert_eq!(unpack(&wrong), Err(UnpackError::Damaged));
        assert_eq!(unpack(&zip("x", b"secret", 1)), Err(UnpackError::Unsupported));
        assert_eq!(unpack(&whole[..20]), Err(UnpackError::Damaged));
        let gzip = pack(b"<feedback/>").unwrap();
        assert_eq!(unpack(&gzip[..gzip.len() - 9]), Err(UnpackError::Damaged));
    }

    #[test]
    fn bombs_do_not_go_off() {
        let zeros = vec![0; 30 * 1024 * 1024];
        assert_eq!(unpack(&pack(&zeros).unwrap()), Err(UnpackError::TooMuch));
        assert_eq!(unpack(&zip("x", &zeros, 0)), Err(UnpackError::TooMuch));
        // Small, and still more than its size could be worth.
        let packed = pack(&zeros[..4 * 1024 * 1024]).unwrap();
        assert!(packed.len() < 8 * 1024);
        assert_eq!(unpack(&packed), Err(UnpackError::TooMuch));
    }

    proptest! {
        #[test]
        fn rubbish_never_panics(magic in 0..3_usize, octets in prop::collection::vec(any::<u8>(), 0..600)) {
            let magic: &[u8] = [b"PK\x03\x04".as_slice(), b"\x1f\x8b\x08", b""][magic];
            let _ = unpack(&[magic, &octets].concat());
        }
    }
}
