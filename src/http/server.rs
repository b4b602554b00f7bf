//! The HTTP server: its connections, in plain text or under TLS.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use tokio::net::TcpStream;

use crate::config::{Config, Limits};
use crate::http::connection::converse;
use crate::net::listener::Listener;
use crate::net::shutdown::Shutdown;
use crate::net::tls::ServerTls;

/// An HTTP server.
pub struct Server {
    router: Router,
    /// On a port that begins with a handshake.
    tls: Option<ServerTls>,
    limits: Limits,
    /// How long a handshake may take.
    handshake: Duration,
}

impl Server {
    /// A server that answers as `router` does; with `tls` under TLS from the first byte.
    pub fn new(config: &Config, router: Router, tls: Option<ServerTls>) -> Self {
        let handshake = config.timeouts.tls_handshake.duration();
        Self { router, tls, limits: config.limits.clone(), handshake }
    }

    /// Serves a listener until the end is asked for; requests in hand are answered.
    pub async fn serve(self, listener: Listener, shutdown: Shutdown) {
        let limits = self.limits.clone();
        let (server, stop) = (Arc::new(self), shutdown.clone());
        let handler = move |socket, peer| {
            let (server, stop) = (Arc::clone(&server), stop.clone());
            async move { server.talk(socket, peer, stop).await }
        };
        listener.serve(&limits, b"", shutdown, handler).await;
    }

    async fn talk(&self, socket: TcpStream, peer: SocketAddr, stop: Shutdown) {
        let router = self.router.clone();
        let Some(tls) = &self.tls else {
            return converse(socket, peer, router, stop.requested()).await;
        };
        match tls.accept(socket, self.handshake).await {
            Ok(stream) => converse(stream, peer, router, stop.requested()).await,
            Err(error) => tracing::debug!(%error, "http: no TLS"),
        }
    }
}
