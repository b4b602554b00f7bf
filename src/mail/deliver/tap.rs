//! A connection that remembers what it heard.
//!
//! mail-send reads replies for us and keeps their sense; the record of an
//! attempt wants the remote's own words, and those that came before it hung up.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Octets remembered; mail-send bounds a reply to 4 KiB.
const MOST: usize = 256 * 1024;

/// A connection and what was read from it since [`Tap::forget`].
pub(super) struct Tap<S> {
    inner: S,
    heard: Vec<u8>,
}

impl<S> Tap<S> {
    pub(super) fn new(inner: S) -> Self {
        Self { inner, heard: Vec::new() }
    }

    pub(super) fn heard(&self) -> &[u8] {
        &self.heard
    }

    pub(super) fn forget(&mut self) {
        self.heard.clear();
    }

    pub(super) fn into_inner(self) -> S {
        self.inner
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Tap<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let tap = self.get_mut();
        let before = buf.filled().len();
        let read = Pin::new(&mut tap.inner).poll_read(cx, buf);
        let fresh = buf.filled().get(before..).unwrap_or_default();
        if tap.heard.len() + fresh.len() > MOST {
            return Poll::Ready(Err(io::ErrorKind::FileTooLarge.into()));
        }
        tap.heard.extend_from_slice(fresh);
        read
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Tap<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().inner).poll_write(cx, buf)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().inner).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().inner).poll_shutdown(cx)
    }
}
