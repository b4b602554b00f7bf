//! The bytes that were read and not yet used: small while a peer is quiet, larger under load.

use std::io;

use bytes::BufMut;
use bytes::buf::Limit;

/// What an idle connection holds.
const QUIET: usize = 2 * 1024;
/// What a connection holds that sends a lot.
const BUSY: usize = 32 * 1024;
/// Unused bytes past which nothing more is read.
pub(super) const MOST: usize = 128 * 1024;

/// Starts without memory; gives it back between a burst and the next wait.
#[derive(Default)]
pub(super) struct ReadBuffer {
    bytes: Vec<u8>,
    used: usize,
    busy: bool,
}

impl ReadBuffer {
    /// What was read and not yet used.
    pub(super) fn unused(&self) -> &[u8] {
        self.bytes.get(self.used..).unwrap_or_default()
    }

    /// Marks bytes from the front as used; more than there are is all of them.
    pub(super) fn consume(&mut self, count: usize) {
        self.used = self.used.saturating_add(count).min(self.bytes.len());
        if self.used == self.bytes.len() {
            self.bytes.clear();
            self.used = 0;
        }
    }

    /// Room for the next read, behind the unused bytes.
    pub(super) fn room(&mut self) -> io::Result<Limit<&mut Vec<u8>>> {
        self.bytes.drain(..self.used);
        self.used = 0;
        let held = self.bytes.len();
        if held >= MOST {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "too much unused input"));
        }
        if held == 0 && !self.busy && self.bytes.capacity() > QUIET {
            self.bytes = Vec::new();
        }
        let size = if self.busy { BUSY } else { QUIET };
        // Doubling keeps a long line from being copied again and again.
        let size = size.max(held.saturating_mul(2)).min(MOST);
        self.bytes.reserve_exact(size - held);
        Ok((&mut self.bytes).limit(size - held))
    }

    /// Told how many bytes the last read brought, so that the next room fits the peer's pace.
    pub(super) fn filled(&mut self, count: usize) {
        self.busy = count >= QUIET / 2;
    }

    #[cfg(test)]
    fn capacity(&self) -> usize {
        self.bytes.capacity()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn put(buffer: &mut ReadBuffer, bytes: &[u8]) -> usize {
        let mut room = buffer.room().unwrap();
        let count = bytes.len().min(room.remaining_mut());
        room.put_slice(&bytes[..count]);
        buffer.filled(count);
        count
    }

    #[test]
    fn memory_comes_with_a_burst_and_goes_with_it() {
        let mut buffer = ReadBuffer::default();
        assert_eq!(buffer.capacity(), 0);
        let burst = vec![b'x'; BUSY];
        for _ in 0..3 {
            put(&mut buffer, &burst);
            buffer.consume(BUSY);
        }
        assert_eq!(buffer.capacity(), BUSY);
        put(&mut buffer, b"a1 IDLE\r\n");
        buffer.consume(9);
        drop(buffer.room());
        assert_eq!(buffer.capacity(), QUIET);
    }

    #[test]
    fn what_nobody_uses_is_bounded() {
        let mut buffer = ReadBuffer::default();
        let burst = vec![b'x'; MOST];
        let mut rounds = 0;
        while buffer.room().is_ok() {
            put(&mut buffer, &burst);
            rounds += 1;
        }
        assert_eq!(buffer.unused().len(), MOST);
        assert!(rounds < 10, "{rounds}");
        buffer.consume(1);
        assert!(buffer.room().is_ok());
    }

    proptest! {
        #[test]
        fn bytes_come_out_as_they_went_in(steps in prop::collection::vec((0_usize..5000, 0_usize..6000), 1..60)) {
            let (mut buffer, mut next_in, mut next_out) = (ReadBuffer::default(), 0_usize, 0_usize);
            for (arriving, using) in steps {
                let bytes: Vec<u8> = (0..arriving).map(|i| ((next_in + i) % 251).to_le_bytes()[0]).collect();
                if buffer.unused().len() < MOST {
                    next_in += put(&mut buffer, &bytes);
                }
                let using = using.min(buffer.unused().len());
                for byte in &buffer.unused()[..using] {
                    prop_assert_eq!(*byte, (next_out % 251).to_le_bytes()[0]);
                    next_out += 1;
                }
                buffer.consume(using);
                prop_assert_eq!(buffer.unused().len(), next_in - next_out);
            }
        }
    }
}
