//! Both directions compressed: raw DEFLATE (RFC 1951), as COMPRESS of IMAP has it (RFC 4978).
//!
//! While nothing is said, a connection keeps the window of what it reads, about 44 KiB: the peer may
//! refer to it at any time. What writes takes some 300 KiB, and is dropped a moment after the last
//! word: the next one begins a block that refers to nothing.

use std::io;
use std::time::Duration;

use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};
use tokio::time::{Instant, timeout_at};

use super::{read, write_all};
use crate::net::read_buffer::ReadBuffer;
use crate::net::transport::Transport;

/// What is compressed at once.
const STEP: usize = 16 * 1024;
/// A peer that has said nothing for so long may not say anything soon.
const PAUSE: Duration = Duration::from_secs(1);

/// The state of a compressed connection.
pub(super) struct Deflated {
    inflate: Decompress,
    /// What came and was not inflated yet.
    packed: ReadBuffer,
    /// The last step filled its room, so there may be more without reading.
    more: bool,
    /// The peer has said its last word.
    ended: bool,
    deflate: Option<Deflate>,
}

struct Deflate {
    compress: Compress,
    out: Vec<u8>,
    /// Something was taken in that the peer cannot read yet.
    held: bool,
}

impl Deflated {
    /// `packed` is what the peer has sent already.
    pub(super) fn new(packed: ReadBuffer) -> Self {
        let inflate = Decompress::new(false);
        Self { inflate, packed, more: false, ended: false, deflate: None }
    }

    /// As [`Stream::fill`](super::Stream::fill). However much a few octets stand for, no more of it
    /// is there at once than `input` has room for.
    pub(super) async fn fill(
        &mut self,
        transport: &mut Transport,
        input: &mut ReadBuffer,
        limit: Duration,
    ) -> io::Result<usize> {
        // For the whole: octets that stand for nothing are no sign of life.
        let until = Instant::now() + limit;
        loop {
            let count = self.inflate(input)?;
            if count > 0 || self.ended {
                return Ok(count);
            }
            let reading = read(transport, &mut self.packed);
            let pause = until.min(Instant::now() + PAUSE);
            let count = if let Ok(count) = timeout_at(pause, reading).await {
                count?
            } else {
                self.deflate = None;
                timeout_at(until, read(transport, &mut self.packed)).await??
            };
            if count == 0 {
                return Ok(0);
            }
        }
    }

    /// Inflates what is there, as far as there is room.
    fn inflate(&mut self, input: &mut ReadBuffer) -> io::Result<usize> {
        if self.ended || (!self.more && self.packed.unused().is_empty()) {
            return Ok(0);
        }
        let mut room = input.room()?;
        let room: &mut Vec<u8> = room.get_mut();
        let (read, held) = (self.inflate.total_in(), room.len());
        let status = self
            .inflate
            .decompress_vec(self.packed.unused(), room, FlushDecompress::None)
            .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
        self.ended = status == Status::StreamEnd;
        self.more = room.len() == room.capacity();
        let count = room.len() - held;
        self.packed.consume(octets(self.inflate.total_in() - read));
        input.filled(count);
        Ok(count)
    }

    /// As [`Stream::write_all`](super::Stream::write_all).
    pub(super) async fn write_all(
        &mut self,
        transport: &mut Transport,
        mut bytes: &[u8],
        limit: Duration,
    ) -> io::Result<()> {
        let deflate = self.deflate.get_or_insert_with(Deflate::new);
        deflate.held |= !bytes.is_empty();
        while !bytes.is_empty() {
            let taken = deflate.step(bytes, FlushCompress::None)?;
            bytes = bytes.get(taken..).unwrap_or_default();
            write_all(transport, &deflate.out, limit).await?;
        }
        Ok(())
    }

    /// Sends all that was taken in, so that the peer can read it.
    pub(super) async fn flush(
        &mut self,
        transport: &mut Transport,
        limit: Duration,
    ) -> io::Result<()> {
        let Some(deflate) = self.deflate.as_mut().filter(|deflate| deflate.held) else {
            return Ok(());
        };
        while deflate.held {
            deflate.step(&[], FlushCompress::Sync)?;
            deflate.held = deflate.out.len() == deflate.out.capacity();
            write_all(transport, &deflate.out, limit).await?;
        }
        Ok(())
    }
}

impl Deflate {
    fn new() -> Self {
        let compress = Compress::new(Compression::fast(), false);
        Self { compress, out: Vec::with_capacity(STEP), held: false }
    }

    /// Compresses as much of `bytes` as `out` can take, and says how many that were.
    fn step(&mut self, bytes: &[u8], flush: FlushCompress) -> io::Result<usize> {
        let taken = self.compress.total_in();
        self.out.clear();
        self.compress.compress_vec(bytes, &mut self.out, flush)?;
        Ok(octets(self.compress.total_in() - taken))
    }
}

/// A difference of two counters, which is as long as a buffer at most.
fn octets(count: u64) -> usize {
    usize::try_from(count).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests;
