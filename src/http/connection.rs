//! One HTTP connection, within bounds.

use std::net::SocketAddr;
use std::pin::pin;
use std::time::Duration;

use axum::Router;
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};

use crate::http::peer::Peer;

/// Octets of a request line with its header at most; more is answered 431.
const MAX_HEAD: usize = 16 * 1024;
/// Header fields at most.
const MAX_FIELDS: usize = 64;
/// A request's head has to be there within this time, also the next one's on
/// a connection that is kept open.
const HEAD_WITHIN: Duration = Duration::from_secs(15);

/// Answers the requests of one connection until either side has enough; once
/// `stop` is ready, no request is taken any more.
pub(super) async fn converse(
    socket: impl AsyncRead + AsyncWrite + Unpin + Send,
    peer: SocketAddr,
    router: Router,
    stop: impl Future<Output = ()>,
) {
    let router = TowerToHyperService::new(router);
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(Peer(peer.ip()));
        router.call(request)
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_WITHIN)
        .max_buf_size(MAX_HEAD)
        .max_headers(MAX_FIELDS)
        .serve_connection(TokioIo::new(socket), service);
    let mut connection = pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = stop => {
            // The request in hand is answered; no other one is taken.
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "http: a connection ended badly");
    }
}
