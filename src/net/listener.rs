//! Accepting connections, within bounds.

use std::future::Future;
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::Instant;

use super::limits::{PerAddress, Place};
use super::meter::{Counted, Meter};
use super::proxied;
use super::rate::Rate;
use super::shutdown::Shutdown;
use crate::config::Limits;
use crate::domain::network::Network;

/// How long accepting rests when the system has no descriptor left.
const EXHAUSTED_PAUSE: Duration = Duration::from_millis(100);

/// Why a listener cannot be had; each says what to do.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// Another program has the port.
    #[error("port {} is in use: stop the program that holds it, or choose another one with {key}", address.port())]
    InUse {
        /// Where to listen.
        address: SocketAddr,
        /// The option that says so.
        key: &'static str,
    },
    /// The port is below 1024 and this user may not have it.
    #[error("port {} needs a privilege: run as root, grant CAP_NET_BIND_SERVICE, or choose a port above 1023 with {key}", address.port())]
    Denied {
        /// Where to listen.
        address: SocketAddr,
        /// The option that says so.
        key: &'static str,
    },
    /// Anything else, such as an address this machine does not have.
    #[error("cannot listen on {address}, as {key} says: {error}")]
    Other {
        /// Where to listen.
        address: SocketAddr,
        /// The option that says so.
        key: &'static str,
        /// What the system said.
        error: io::Error,
    },
}

/// A bound port that accepts nothing yet.
pub struct Listener {
    socket: TcpListener,
    address: SocketAddr,
    proxies: Vec<Network>,
    meter: Meter,
}

/// Who may come in, and how often.
#[derive(Clone)]
struct Gate {
    rate: Rate,
    places: PerAddress,
    proxies: Arc<[Network]>,
    meter: Meter,
    /// What those hear who may not.
    refusal: &'static [u8],
}

impl Listener {
    /// Takes the address that the option `key` asks for.
    pub async fn bind(address: SocketAddr, key: &'static str) -> Result<Self, BindError> {
        let bound = TcpListener::bind(address).await.and_then(|socket| {
            let address = socket.local_addr()?;
            Ok(Self { socket, address, proxies: Vec::new(), meter: Meter::default() })
        });
        bound.map_err(|error| match error.kind() {
            ErrorKind::AddrInUse => BindError::InUse { address, key },
            ErrorKind::PermissionDenied => BindError::Denied { address, key },
            _ => BindError::Other { address, key, error },
        })
    }

    /// Where it listens, with the port that was taken when 0 was asked for.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The same port, behind proxies in these networks: a connection from one of them begins with a
    /// PROXY header, and belongs to whom that names. Nobody else is believed.
    #[must_use]
    pub fn behind(self, proxies: &[Network]) -> Self {
        Self { proxies: proxies.to_vec(), ..self }
    }

    /// The same port, its connections counted by `meter`.
    #[must_use]
    pub fn counted(self, meter: Meter) -> Self {
        Self { meter, ..self }
    }

    /// Runs `handler` in a task of its own for every connection, until the end is asked for.
    ///
    /// At the bound of all connections, new ones wait in the system's queue; one over a bound of
    /// its address or network gets `refusal` (as far as the socket takes it at once) and is closed.
    pub async fn serve<H, F>(
        self,
        limits: &Limits,
        refusal: &'static [u8],
        shutdown: Shutdown,
        handler: H,
    ) where
        H: Fn(TcpStream, SocketAddr) -> F + Send + Sync + 'static,
        F: Future<Output = ()> + Send + 'static,
    {
        let all = Arc::new(Semaphore::new(limits.connections.get().min(Semaphore::MAX_PERMITS)));
        let gate = Gate::new(limits, &self, refusal);
        let handler = Arc::new(handler);
        loop {
            let next = async {
                let permit = Arc::clone(&all).acquire_owned().await;
                (permit, self.accept().await)
            };
            let (permit, (socket, peer)) = tokio::select! {
                () = shutdown.requested() => return,
                next = next => next,
            };
            let (gate, handler) = (gate.clone(), Arc::clone(&handler));
            shutdown.spawn(async move {
                let _permit = permit;
                if let Some((socket, client, _place, _counted)) = gate.admit(socket, peer).await {
                    handler(socket, client).await;
                }
            });
        }
    }

    /// The next connection. What fails is one connection (it left early) or, for a moment, all of
    /// them (no descriptors); neither ends the service.
    async fn accept(&self) -> (TcpStream, SocketAddr) {
        loop {
            match self.socket.accept().await {
                Ok((socket, peer)) => {
                    // Answers are written whole; waiting to merge them only adds latency.
                    let _ = socket.set_nodelay(true);
                    return (socket, SocketAddr::new(peer.ip().to_canonical(), peer.port()));
                }
                Err(error) => {
                    tracing::warn!(address = %self.address, %error, "a connection was not accepted");
                    tokio::time::sleep(EXHAUSTED_PAUSE).await;
                }
            }
        }
    }
}

impl Gate {
    fn new(limits: &Limits, listener: &Listener, refusal: &'static [u8]) -> Self {
        Self {
            rate: Rate::new(
                Duration::from_mins(1),
                limits.connections_per_minute,
                limits.connections_per_minute_network,
            ),
            places: PerAddress::new(limits.connections_per_address.get()),
            proxies: listener.proxies.as_slice().into(),
            meter: listener.meter.clone(),
            refusal,
        }
    }

    /// Who is really there, with a place for as long as it stays; `None` where it may not.
    async fn admit(
        &self,
        mut socket: TcpStream,
        peer: SocketAddr,
    ) -> Option<(TcpStream, SocketAddr, Place, Counted)> {
        let mut client = peer;
        if self.proxies.iter().any(|network| network.contains(peer.ip())) {
            match proxied::client(&mut socket, peer).await {
                Ok(told) => client = told,
                Err(error) => {
                    tracing::info!(%peer, %error, "refused: a proxy that does not say for whom");
                    return None;
                }
            }
        }
        let may = self.rate.admit(client.ip(), Instant::now());
        let place = may.then(|| self.places.enter(client.ip())).flatten();
        if place.is_none() {
            tracing::info!(peer = %client, "refused: too many connections from there");
            self.meter.refuse();
            let _ = socket.try_write(self.refusal);
        }
        place.map(|place| (socket, client, place, self.meter.admit()))
    }
}

#[cfg(test)]
mod tests;
