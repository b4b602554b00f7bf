//! One connection, as SMTP and IMAP use it on both ends: buffered input, a deadline on every wait,
//! and the steps from plain text to TLS and to compression.

mod binding;
mod deflated;
mod io_traits;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rustls::CommonState;
use rustls::pki_types::ServerName;
use rustls::sign::CertifiedKey;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use self::deflated::Deflated;
use super::read_buffer::ReadBuffer;
use super::tls::{ClientTls, Roots, ServerTls, Tlsa, Unproven, vouch_for};
use super::transport::Transport;

pub use binding::ChannelBindings;

/// How often a closing connection is read from, so that a flood cannot keep it open.
const LAST_READS: usize = 64;

/// A connection with its unread input. Errors are of kind [`io::ErrorKind::TimedOut`] when a
/// deadline passed.
pub struct Stream {
    transport: Transport,
    input: ReadBuffer,
    peer: SocketAddr,
    /// The certificate that was shown to a client.
    shown: Option<Arc<CertifiedKey>>,
    /// Where what travels is compressed.
    deflated: Option<Box<Deflated>>,
}

/// What protects a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsInfo {
    /// Such as `TLSv1.3`.
    pub protocol: String,
    /// The IANA name, such as `TLS_AES_256_GCM_SHA384`.
    pub cipher: String,
}

/// A connection that has just become TLS.
pub struct Upgraded {
    /// The same connection, with empty input.
    pub stream: Stream,
    /// Plain-text bytes that had arrived and were dropped: more than none is an injection attempt
    /// or a peer that did not wait for the answer to STARTTLS.
    pub discarded: usize,
}

impl Stream {
    /// A connection in the clear.
    pub fn plain(socket: TcpStream, peer: SocketAddr) -> Self {
        Self::over(Transport::Plain(socket), peer)
    }

    fn over(transport: Transport, peer: SocketAddr) -> Self {
        Self { transport, input: ReadBuffer::default(), peer, shown: None, deflated: None }
    }

    /// The other end.
    pub fn peer(&self) -> SocketAddr {
        self.peer
    }

    /// Input that was read and not yet consumed.
    pub fn buffered(&self) -> &[u8] {
        self.input.unused()
    }

    /// Takes bytes off the front of the buffered input.
    pub fn consume(&mut self, count: usize) {
        self.input.consume(count);
    }

    /// Waits for more input and says how much came; 0 is the end. Can be cancelled without loss.
    ///
    /// A peer that leaves without TLS's closing word, or with a reset, ends its input like any other:
    /// each protocol here marks its own ends. Fails when 128 KiB are buffered already.
    pub async fn fill(&mut self, limit: Duration) -> io::Result<usize> {
        if let Some(deflated) = &mut self.deflated {
            return deflated.fill(&mut self.transport, &mut self.input, limit).await;
        }
        timeout(limit, read(&mut self.transport, &mut self.input)).await?
    }

    /// Writes everything; the limit is for each step forward, not for the whole.
    pub async fn write_all(&mut self, bytes: &[u8], limit: Duration) -> io::Result<()> {
        if let Some(deflated) = &mut self.deflated {
            return deflated.write_all(&mut self.transport, bytes, limit).await;
        }
        write_all(&mut self.transport, bytes, limit).await
    }

    /// Sends what was written.
    pub async fn flush(&mut self, limit: Duration) -> io::Result<()> {
        if let Some(deflated) = &mut self.deflated {
            deflated.flush(&mut self.transport, limit).await?;
        }
        timeout(limit, self.transport.flush()).await?
    }

    /// From here on both directions are compressed, input that is not consumed yet included. Once
    /// per connection; what was written before has to be flushed.
    pub fn compress(&mut self) {
        if self.deflated.is_none() {
            self.deflated = Some(Box::new(Deflated::new(std::mem::take(&mut self.input))));
        }
    }

    /// Whether both directions are compressed.
    pub fn is_compressed(&self) -> bool {
        self.deflated.is_some()
    }

    /// Says goodbye (TLS close, then TCP) and waits, within the limit, until the peer has left too.
    ///
    /// Closing while input is unread would reset the connection, and the peer could lose the last
    /// answer; so what still comes is read and dropped.
    pub async fn close(mut self, limit: Duration) {
        let parting = async {
            self.transport.shutdown().await?;
            for _ in 0..LAST_READS {
                self.input.consume(usize::MAX);
                if self.transport.read_buf(&mut self.input.room()?).await? == 0 {
                    break;
                }
            }
            Ok::<(), io::Error>(())
        };
        // A peer that is gone already is no error.
        let _ = timeout(limit, parting).await;
    }

    /// What protects the connection, if anything does.
    pub fn tls(&self) -> Option<TlsInfo> {
        match &self.transport {
            Transport::Plain(_) => None,
            Transport::Server(stream) => describe(stream.get_ref().1),
            Transport::Client(stream) => describe(stream.get_ref().1),
        }
    }

    /// Whether the connection is under TLS.
    pub fn is_tls(&self) -> bool {
        !matches!(self.transport, Transport::Plain(_))
    }

    /// Whether the other end of this TLS connection has proven to be `host`, as `roots` see it.
    ///
    /// # Errors
    /// Why it has not; in the clear nobody can.
    pub fn proves(&self, roots: &Roots, host: &str) -> Result<(), Unproven> {
        match &self.transport {
            Transport::Client(stream) => {
                let chain = stream.get_ref().1.peer_certificates().unwrap_or_default();
                roots.vouch_for(chain, host)
            }
            Transport::Plain(_) | Transport::Server(_) => Err(Unproven::Unusable),
        }
    }

    /// Whether the other end of this TLS connection is whom `records` name, or one that they let
    /// vouch for `host` (RFC 7672).
    ///
    /// # Errors
    /// Why it is not.
    pub fn is_named_by(&self, records: &[Tlsa], host: &str) -> Result<(), Unproven> {
        let Transport::Client(stream) = &self.transport else { return Err(Unproven::Unusable) };
        let chain = stream.get_ref().1.peer_certificates().unwrap_or_default();
        vouch_for(records, chain, host)
    }

    /// The server's handshake: after STARTTLS was answered, or at once on a TLS port. Input that
    /// came before it is dropped (RFC 3207 §4.2, RFC 9051 §6.2.1).
    pub async fn upgrade_server(self, tls: &ServerTls, limit: Duration) -> io::Result<Upgraded> {
        let (socket, peer, discarded) = self.into_plain()?;
        let stream = timeout(limit, tls.acceptor().accept(socket)).await??;
        let shown = tls.shown(stream.get_ref().1.server_name());
        let mut upgraded = Upgraded::new(Transport::Server(Box::new(stream)), peer, discarded);
        upgraded.stream.shown = Some(shown);
        Ok(upgraded)
    }

    /// The client's handshake with a host of this name. Input that came before it is dropped.
    pub async fn upgrade_client(
        self,
        tls: &ClientTls,
        host: &str,
        limit: Duration,
    ) -> io::Result<Upgraded> {
        let (socket, peer, discarded) = self.into_plain()?;
        let name = ServerName::try_from(host.to_owned())
            .map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?;
        let stream = timeout(limit, tls.connector().connect(name, socket)).await??;
        Ok(Upgraded::new(Transport::Client(Box::new(stream)), peer, discarded))
    }

    fn into_plain(self) -> io::Result<(TcpStream, SocketAddr, usize)> {
        match self.transport {
            Transport::Plain(socket) => Ok((socket, self.peer, self.input.unused().len())),
            _ => Err(io::Error::new(io::ErrorKind::InvalidInput, "TLS is already active")),
        }
    }
}

/// Waits for more of `input`, see [`Stream::fill`].
async fn read(transport: &mut Transport, input: &mut ReadBuffer) -> io::Result<usize> {
    match transport.read_buf(&mut input.room()?).await {
        Err(error) if is_departure(&error) => Ok(0),
        Err(error) => Err(error),
        Ok(count) => {
            input.filled(count);
            Ok(count)
        }
    }
}

async fn write_all(transport: &mut Transport, mut bytes: &[u8], limit: Duration) -> io::Result<()> {
    while !bytes.is_empty() {
        let count = timeout(limit, transport.write(bytes)).await??;
        if count == 0 {
            return Err(io::ErrorKind::WriteZero.into());
        }
        bytes = bytes.get(count..).unwrap_or_default();
    }
    Ok(())
}

fn is_departure(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset)
}

impl Upgraded {
    fn new(transport: Transport, peer: SocketAddr, discarded: usize) -> Self {
        Self { stream: Stream::over(transport, peer), discarded }
    }
}

impl std::fmt::Display for TlsInfo {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.protocol, self.cipher)
    }
}

fn describe(session: &CommonState) -> Option<TlsInfo> {
    let protocol = session.protocol_version()?.as_str()?.replace('_', ".");
    let cipher = session.negotiated_cipher_suite()?.suite().as_str()?.replace("TLS13_", "TLS_");
    Some(TlsInfo { protocol, cipher })
}

#[cfg(test)]
mod tests;
